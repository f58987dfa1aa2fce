/* The store arena: spans that grow in place or move, contents kept, bytes zeroed, nothing overlaps.
 */
#include "tests/unit/unit.h"

#include "engine/base/arena.h"
#include <stdlib.h>
#include <string.h>

#define SIZE   ((size_t)64 * ARENA_PAGE)
#define NSPANS 12u

static uint8_t *memory;

static int setup(void **state)
{
    (void)state;
    memory = aligned_alloc(ARENA_PAGE, SIZE);
    if (memory)
        memset(memory, 0, SIZE);
    return memory ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static bool all_are(const uint8_t *at, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++)
        if (at[i] != value)
            return false;
    return true;
}

static void test_in_place(void **state)
{
    (void)state;
    struct arena arena;
    struct span span;
    arena_init(&arena, memory, SIZE);
    assert_true(arena_place(&arena, &span, 10, SIZE));
    uint8_t *at = span.at;
    memset(span.at, 1, 10);
    assert_true(arena_extend(&arena, &span, SIZE));
    assert_ptr_equal(span.at, at);
    assert_true(all_are(span.at, 10, 1));
    assert_true(all_are(span.at + 10, SIZE - 10, 0));
    assert_false(arena_extend(&arena, &span, SIZE + 1));
    assert_int_equal(span.size, SIZE);
    assert_false(arena_extend(&arena, &span, SIZE_MAX));
}

static void test_move(void **state)
{
    (void)state;
    struct arena arena;
    struct span a;
    struct span b;
    arena_init(&arena, memory, SIZE);
    assert_true(arena_place(&arena, &a, ARENA_PAGE, ARENA_PAGE)); /* is not to grow */
    assert_true(arena_place(&arena, &b, ARENA_PAGE, ARENA_PAGE));
    assert_ptr_equal(b.at, a.at + ARENA_PAGE);
    memset(a.at, 7, a.size);
    uint8_t *old = a.at;
    assert_true(arena_extend(&arena, &a, 3 * ARENA_PAGE)); /* but does */
    assert_ptr_not_equal(a.at, old);
    assert_true(all_are(a.at, ARENA_PAGE, 7));
    assert_true(all_are(a.at + ARENA_PAGE, 2 * ARENA_PAGE, 0));
    assert_true(all_are(old, ARENA_PAGE, 0)); /* for whoever gets it next */
    arena_release(&arena, &a);
    arena_release(&arena, &b);
    assert_null(arena.first);
    assert_null(arena.last);
}

static void test_blocks(void **state)
{
    (void)state;
    struct arena arena;
    struct span span;
    arena_init(&arena, memory, SIZE);
    uint8_t *top = arena_block(&arena, 1);
    assert_ptr_equal(top, memory + SIZE - ARENA_PAGE);
    assert_true(arena_place(&arena, &span, SIZE - 2 * ARENA_PAGE, 0));
    assert_null(arena_block(&arena, ARENA_PAGE + 1));
    assert_non_null(arena_block(&arena, ARENA_PAGE));
    assert_null(arena_block(&arena, 1));
    assert_null(arena_block(&arena, SIZE_MAX));
    struct span none;
    assert_false(arena_place(&arena, &none, 0, 0));
}

static unsigned random_below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % limit;
}

static void check_order(const struct arena *arena)
{
    const uint8_t *end = arena->base;
    for (const struct span *span = arena->first; span; span = span->above) {
        assert_true(span->at >= end);
        assert_int_equal((uintptr_t)span->at % ARENA_PAGE, 0);
        end = span->at + (span->size ? span->size : 1);
        assert_true(span->above ? span->above->below == span : arena->last == span);
    }
    assert_true(end <= arena->top);
}

/* Extends in steps, and gives up now and then. 1, 0 (given up) or -1. */
static int extend_in_steps(struct arena *arena, struct span *span, struct arena_move *move,
                           size_t size, unsigned *seed)
{
    int step = 0;
    while (step == 0) {
        step = arena_extend_step(arena, span, move, size, 1 + random_below(seed, 3 * ARENA_PAGE));
        check_order(arena);
        if (step == 0 && random_below(seed, 8) == 0) {
            arena_abandon(move);
            return 0;
        }
    }
    return step;
}

/* Clears what a move has left behind. */
static void settle(struct arena *arena, struct span *span, struct arena_move *move)
{
    while (move->state != MOVE_NONE)
        arena_extend_step(arena, span, move, span->size, SIZE_MAX);
}

/* Random work against what each span must hold: its number in every byte. */
static void test_stress(void **state)
{
    (void)state;
    struct arena arena;
    struct span spans[NSPANS] = {0};
    struct arena_move moves[NSPANS] = {0};
    bool used[NSPANS] = {false};
    unsigned seed = 1;
    arena_init(&arena, memory, SIZE);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = random_below(&seed, NSPANS);
        size_t size = random_below(&seed, 20 * ARENA_PAGE);
        if (!used[i]) {
            used[i] = arena_place(&arena, &spans[i], size, random_below(&seed, 2) ? SIZE : size);
            if (!used[i])
                continue;
            assert_true(all_are(spans[i].at, size, 0));
        } else if (random_below(&seed, 3) == 0) {
            settle(&arena, &spans[i], &moves[i]);
            arena_release(&arena, &spans[i]);
            used[i] = false;
            check_order(&arena);
            continue;
        } else {
            size_t before = spans[i].size;
            bool whole = random_below(&seed, 2);
            if (whole)
                settle(&arena, &spans[i], &moves[i]);
            int grew = whole ? (arena_extend(&arena, &spans[i], size) ? 1 : -1)
                             : extend_in_steps(&arena, &spans[i], &moves[i], size, &seed);
            size_t larger = size > before ? size : before;
            if (grew)
                assert_int_equal(spans[i].size, grew > 0 ? larger : before);
            else /* it may have arrived already */
                assert_true(spans[i].size == before || spans[i].size == larger);
            assert_true(all_are(spans[i].at, before, (uint8_t)(i + 1)));
            assert_true(all_are(spans[i].at + before, spans[i].size - before, 0));
        }
        memset(spans[i].at, (int)(i + 1), spans[i].size);
        check_order(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stress, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
