/* The heap against a model: contents kept, nothing overlaps, the limit holds, all comes back. */
#include "tests/unit/unit.h"

#include "engine/base/heap.h"
#include <stdlib.h>
#include <string.h>

#define SIZE    ((size_t)8 << 20)
#define NBLOCKS 400u

static uint8_t *memory;
static struct arena arena;
static struct heap heap;

static int setup(void **state)
{
    (void)state;
    memory = aligned_alloc(ARENA_PAGE, SIZE);
    if (!memory)
        return -1;
    memset(memory, 0, SIZE);
    arena_init(&arena, memory, SIZE);
    heap_init(&heap, &arena, SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static unsigned random_below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % limit;
}

/* A block of the model: its bytes all hold `mark`. */
struct block {
    uint8_t *at;
    size_t size;
    uint8_t mark;
};

static void fill(struct block *block, unsigned step)
{
    block->mark = (uint8_t)(step % 251 + 1);
    memset(block->at, block->mark, block->size);
}

static void check(const struct block *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(block->at[i], block->mark);
}

/* Mostly small sizes, some of many pages. */
static size_t any_size(unsigned *seed)
{
    unsigned shift = random_below(seed, 17);
    return random_below(seed, (1u << shift) + 1);
}

static void step_block(struct block *block, unsigned *seed, unsigned step)
{
    size_t size = any_size(seed);
    if (!block->at) {
        block->at = random_below(seed, 2) ? heap_take(&heap, size) : heap_resize(&heap, NULL, size);
        block->size = size;
    } else if (random_below(seed, 2)) {
        check(block, block->size);
        heap_give(&heap, block->at);
        block->at = NULL;
        return;
    } else {
        uint8_t *moved = heap_resize(&heap, block->at, size);
        if (!moved) {
            check(block, block->size); /* untouched */
            return;
        }
        block->at = moved;
        check(block, size < block->size ? size : block->size);
        block->size = size;
    }
    if (!block->at)
        return;
    assert_int_equal((uintptr_t)block->at % 16, 0);
    assert_true(block->at >= memory && block->at + block->size <= memory + SIZE);
    fill(block, step);
}

static void test_model(void **state)
{
    (void)state;
    static struct block blocks[NBLOCKS];
    unsigned seed = 3;
    memset(blocks, 0, sizeof blocks);
    for (unsigned step = 0; step < 200000; step++)
        step_block(&blocks[random_below(&seed, NBLOCKS)], &seed, step);
    for (unsigned i = 0; i < NBLOCKS; i++) {
        if (blocks[i].at)
            check(&blocks[i], blocks[i].size);
        heap_give(&heap, blocks[i].at);
    }
    assert_int_equal(heap.used, 0);
}

static void test_limit(void **state)
{
    (void)state;
    heap_init(&heap, &arena, 10000);
    assert_null(heap_take(&heap, 10001));
    assert_null(heap_take(&heap, SIZE_MAX));
    assert_null(heap_take(&heap, SIZE_MAX / 2));
    uint8_t *block = heap_take(&heap, 6000);
    assert_non_null(block);
    assert_null(heap_take(&heap, 6000));
    assert_null(heap_resize(&heap, block, 20000));
    assert_null(heap_resize(&heap, block, SIZE_MAX));
    heap_give(&heap, block);
    assert_int_equal(heap.used, 0);
    block = heap_take(&heap, 9000);
    assert_non_null(block);
    heap_give(&heap, block);
}

/* Why the last refusal was, whatever was given since. */
static void test_why_it_refuses(void **state)
{
    (void)state;
    heap_init(&heap, &arena, 10000);
    assert_null(heap_take(&heap, 10001));
    heap_give(&heap, heap_take(&heap, 100));
    assert_true(heap.at_limit);
    heap.at_limit = false;
    assert_null(heap_zeroed(&heap, SIZE_MAX, 2));
    assert_true(heap.at_limit);
    uint8_t *block = heap_take(&heap, 100);
    heap.at_limit = false;
    assert_null(heap_resize(&heap, block, SIZE_MAX));
    assert_true(heap.at_limit);
    heap_give(&heap, block);
    heap_init(&heap, &arena, SIZE_MAX);
    assert_null(heap_take(&heap, SIZE_MAX / 4)); /* the arena's refusal */
    assert_false(heap.at_limit);
}

static void test_zeroed(void **state)
{
    (void)state;
    uint8_t *block = heap_take(&heap, 1000);
    assert_non_null(block);
    memset(block, 0xff, 1000);
    heap_give(&heap, block);
    block = heap_zeroed(&heap, 10, 100);
    assert_non_null(block);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(block[i], 0);
    assert_null(heap_zeroed(&heap, SIZE_MAX, 2));
    heap_give(&heap, block);
    heap_give(&heap, NULL);
}

/* What was cut into pieces and given back must serve as one again. */
static void test_merging(void **state)
{
    (void)state;
    static void *pieces[1024];
    size_t count = 0;
    while (count < 1024 && (pieces[count] = heap_take(&heap, 4000)))
        count++;
    assert_true(count > 500);
    for (size_t i = 0; i < count; i += 2)
        heap_give(&heap, pieces[i]);
    for (size_t i = 1; i < count; i += 2)
        heap_give(&heap, pieces[i]);
    assert_int_equal(heap.used, 0);
    void *large = heap_take(&heap, (size_t)200 << 10);
    assert_non_null(large);
    heap_give(&heap, large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_why_it_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zeroed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merging, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
