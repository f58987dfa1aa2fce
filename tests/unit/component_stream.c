/* Streams and futures within one component, step by step: what copies, what is told, and what a
 * hostile guest does with its handles. */
#include "tests/unit/component_async_guest.h"

static enum host_answer never(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    (void)result;
    return HOST_BLOCKED;
}

static const struct host_interface interfaces[] = {{"carrel:test/async", "1.0.0"}};
static const struct host_item items[] = {
    {0, HOST_FUNC, "wait", "async func(n: u32) -> u32", NULL, never, NULL},
};
static const struct host_table table = {interfaces, items, 1, countof(items), NULL, NULL};

#define BLOCKED UINT32_MAX

enum { COMPLETED, DROPPED, CANCELLED };
enum { STREAM_READ = 2, STREAM_WRITE, FUTURE_READ, FUTURE_WRITE };

/* A guest with a stream, or a future. */
struct pair {
    struct guest g;
    uint32_t reader;
    uint32_t writer;
};

static void open_pair(struct pair *p, const char *what)
{
    open_guest_with(&p->g, &table);
    uint64_t ends = CALL(&p->g, what, 0);
    p->reader = (uint32_t)ends;
    p->writer = (uint32_t)(ends >> 32);
    assert_int_equal(p->reader, 1);
    assert_int_equal(p->writer, 2);
}

static void open_stream(struct pair *p)
{
    open_pair(p, "s-stream");
}

static void close_pair(struct pair *p)
{
    close_fixture(&p->g.f);
}

static void fill(const struct guest *g, uint32_t at, const char *text)
{
    const struct linear_memory *memory = g->instance->spaces[SORT_CORE_MEMORY][0];
    memcpy(memory->span.at + at, text, strlen(text));
}

static const char *text_at(const struct guest *g, uint32_t at)
{
    const struct linear_memory *memory = g->instance->spaces[SORT_CORE_MEMORY][0];
    return (const char *)memory->span.at + at;
}

static uint32_t read_into(struct pair *p, uint32_t at, uint32_t count)
{
    return (uint32_t)CALL(&p->g, "s-read", p->reader, at, count);
}

static uint32_t write_from(struct pair *p, uint32_t at, uint32_t count)
{
    return (uint32_t)CALL(&p->g, "s-write", p->writer, at, count);
}

/* --- Streams ------------------------------------------------------------------------------------
 */

static void elements_pass_to_who_waits(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    fill(&p.g, 100, "abcdefgh");
    assert_int_equal(read_into(&p, 200, 5), BLOCKED);
    assert_int_equal(write_from(&p, 100, 3), COMPLETED | 3 << 4);
    assert_int_equal(write_from(&p, 103, 4), COMPLETED | 2 << 4); /* its buffer is full now */
    assert_string_equal(text_at(&p.g, 200), "abcde");
    assert_int_equal(write_from(&p, 105, 3), BLOCKED);
    assert_int_equal(wait_one(&p.g, p.reader, STREAM_READ), COMPLETED | 5 << 4);
    assert_int_equal(read_into(&p, 205, 2), COMPLETED | 2 << 4);
    assert_int_equal(read_into(&p, 207, 9), COMPLETED | 1 << 4);
    assert_string_equal(text_at(&p.g, 200), "abcdefgh");
    assert_int_equal(wait_one(&p.g, p.writer, STREAM_WRITE), COMPLETED | 3 << 4);
    close_pair(&p);
}

static void nothing_can_be_passed_too(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    assert_int_equal(write_from(&p, UINT32_MAX, 0), BLOCKED);
    assert_int_equal(read_into(&p, 1 << 20, 0), BLOCKED); /* wakes the writer, and waits */
    assert_int_equal(wait_one(&p.g, p.writer, STREAM_WRITE), COMPLETED);
    assert_int_equal(write_from(&p, 0, 0), COMPLETED); /* the reader goes on waiting */
    assert_int_equal(write_from(&p, 0, 7), BLOCKED);
    assert_int_equal(wait_one(&p.g, p.reader, STREAM_READ), COMPLETED);
    close_pair(&p);
}

static void dropping_is_told(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    assert_int_equal(read_into(&p, 200, 5), BLOCKED);
    assert_int_equal(write_from(&p, 100, 3), COMPLETED | 3 << 4);
    CALL(&p.g, "s-drop-write", p.writer);
    assert_int_equal(wait_one(&p.g, p.reader, STREAM_READ), DROPPED | 3 << 4);
    CALL(&p.g, "s-drop-read", p.reader);
    assert_int_equal(CALL(&p.g, "s-stream", 0) != 0, 1);
    close_pair(&p);
    open_stream(&p);
    CALL(&p.g, "s-drop-read", p.reader);
    assert_int_equal(write_from(&p, 100, 3), DROPPED);
    TRAPS(&p.g, "the other end of the stream was dropped, which was told", "s-write", p.writer, 0,
          1);
}

static void cancelling_gives_the_buffer_back(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    assert_int_equal(read_into(&p, 200, 5), BLOCKED);
    assert_int_equal(CALL(&p.g, "s-cancel-read", p.reader), CANCELLED);
    assert_int_equal(write_from(&p, 100, 5), BLOCKED);
    assert_int_equal(read_into(&p, 200, 2), COMPLETED | 2 << 4);
    assert_int_equal(CALL(&p.g, "s-cancel-write", p.writer), CANCELLED | 2 << 4);
    assert_int_equal(read_into(&p, 200, 1), BLOCKED);
    CALL(&p.g, "s-drop-write", p.writer);
    assert_int_equal(CALL(&p.g, "s-cancel-read", p.reader), DROPPED);
    TRAPS(&p.g, "no read or write of this end is at work that could be cancelled", "s-cancel-read",
          p.reader);
}

static void a_writer_waits_by_itself(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    fill(&p.g, 100, "xy");
    assert_int_equal(read_into(&p, 200, 2), BLOCKED);
    assert_int_equal(CALL(&p.g, "s-write-sync", p.writer, 100, 2), COMPLETED | 2 << 4);
    assert_string_equal(text_at(&p.g, 200), "xy");
    TRAPS(&p.g, "cannot block a synchronous task before returning", "s-write-sync", p.writer, 100,
          2);
    open_stream(&p);
    TRAPS(&p.g, "deadlock: every task waits for another", "a-write-sync", p.writer, 100, 2);
}

/* --- Futures ------------------------------------------------------------------------------------
 */

static void a_future_passes_once(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, "s-future");
    fill(&p.g, 100, "z");
    assert_int_equal(CALL(&p.g, "s-get-future", p.reader, 200), BLOCKED);
    assert_int_equal(CALL(&p.g, "s-cancel-get", p.reader), CANCELLED);
    assert_int_equal(CALL(&p.g, "s-get-future", p.reader, 200), BLOCKED);
    assert_int_equal(CALL(&p.g, "s-put-future", p.writer, 100), COMPLETED);
    assert_int_equal(CALL(&p.g, "s-cancel-get", p.reader), COMPLETED);
    assert_string_equal(text_at(&p.g, 200), "z");
    CALL(&p.g, "s-drop-put", p.writer);
    TRAPS(&p.g, "the future was read or written already", "s-get-future", p.reader, 200);
}

static void a_future_must_be_written(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, "s-future");
    TRAPS(&p.g, "cannot drop the writable end of a future before it was written", "s-drop-put",
          p.writer);
    open_pair(&p, "s-future");
    CALL(&p.g, "s-drop-get", p.reader);
    assert_int_equal(CALL(&p.g, "s-put-future", p.writer, 0), DROPPED);
    CALL(&p.g, "s-drop-put", p.writer);
    close_pair(&p);
}

/* --- Hostile ------------------------------------------------------------------------------------
 */

static void handles_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t args[3];
        const char *why;
    } rows[] = {
        {"s-read", {0, 0, 1}, "unknown handle index"},
        {"s-read", {7, 0, 1}, "unknown handle index"},
        {"s-read", {UINT32_MAX, 0, 1}, "unknown handle index"},
        {"s-read", {2, 0, 1}, "handle index used with the wrong type"},
        {"s-write", {1, 0, 1}, "handle index used with the wrong type"},
        {"s-get-future", {1, 0}, "handle index used with the wrong type"},
        {"s-drop-write", {1}, "handle index used with the wrong type"},
        {"s-drop-get", {1}, "handle index used with the wrong type"},
        {"s-sub-drop", {1}, "handle index used with the wrong type"},
        {"s-set-drop", {1}, "handle index used with the wrong type"},
        {"s-read", {1, 65536, 1}, "pointer is out of bounds of memory"},
        {"s-read", {1, 1, 65536}, "pointer is out of bounds of memory"},
        {"s-read", {1, UINT32_MAX, (1 << 28) - 1}, "pointer is out of bounds of memory"},
        {"s-read", {1, UINT32_MAX, 1 << 28}, "stream read or write is too long"},
        {"s-write", {2, UINT32_MAX, (1 << 28) - 1}, "pointer is out of bounds of memory"},
        {"s-write", {2, 0, 1 << 28}, "stream read or write is too long"},
        {"s-cancel-read", {1}, "no read or write of this end is at work that could be cancelled"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct pair p;
        open_stream(&p);
        traps(&p.g, rows[i].why, rows[i].name, rows[i].args);
    }
}

static void an_end_that_copies_is_left_alone(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *why;
    } rows[] = {
        {"s-read", "a read or write of this end is at work already"},
        {"s-drop-read", "cannot drop an end while it reads or writes"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct pair p;
        open_stream(&p);
        assert_int_equal(read_into(&p, 200, 5), BLOCKED);
        TRAPS(&p.g, rows[i].why, rows[i].name, p.reader, 0, 1);
        open_stream(&p);
        assert_int_equal(read_into(&p, 200, 5), BLOCKED);
        assert_int_equal(write_from(&p, 100, 3), COMPLETED | 3 << 4); /* which is not told yet */
        TRAPS(&p.g, rows[i].why, rows[i].name, p.reader, 0, 1);
    }
    struct pair p;
    open_stream(&p);
    uint32_t set = (uint32_t)CALL(&p.g, "s-set-new", 0);
    CALL(&p.g, "s-join", p.writer, set);
    TRAPS(&p.g, "a waitable in a set cannot be waited for synchronously", "s-write-sync", p.writer,
          0, 1);
}

static void a_dropped_end_leaves_its_set(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    uint32_t set = (uint32_t)CALL(&p.g, "s-set-new", 0);
    CALL(&p.g, "s-join", p.reader, set);
    CALL(&p.g, "s-join", p.writer, set);
    CALL(&p.g, "s-drop-read", p.reader);
    assert_int_equal(write_from(&p, 0, 1), DROPPED);
    CALL(&p.g, "s-drop-write", p.writer);
    assert_int_equal(CALL(&p.g, "s-poll", set, 16), 0);
    CALL(&p.g, "s-set-drop", set);
    close_pair(&p);
}

static void events_follow_their_waitable(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    uint32_t first = (uint32_t)CALL(&p.g, "s-set-new", 0);
    uint32_t second = (uint32_t)CALL(&p.g, "s-set-new", 0);
    assert_int_equal(read_into(&p, 200, 5), BLOCKED);
    CALL(&p.g, "s-join", p.reader, first);
    write_from(&p, 100, 1);
    CALL(&p.g, "s-join", p.reader, second);
    assert_int_equal(CALL(&p.g, "s-poll", first, 16), 0);
    assert_int_equal(CALL(&p.g, "s-poll", second, 16), STREAM_READ);
    assert_int_equal(word(&p.g, 16), p.reader);
    assert_int_equal(word(&p.g, 20), COMPLETED | 1 << 4);
    assert_int_equal(CALL(&p.g, "s-poll", second, 16), 0);
    CALL(&p.g, "s-set-drop", first);
    close_pair(&p);
}

static void memory_comes_back(void **state)
{
    (void)state;
    struct pair p;
    open_stream(&p);
    size_t used = 0;
    for (unsigned i = 0; i < 2000; i++) {
        if (i == 1000)
            used = vm_heap(p.g.f.vm)->used;
        uint64_t ends = CALL(&p.g, i % 2 ? "s-stream" : "s-future", 0);
        uint32_t reader = (uint32_t)ends;
        uint32_t writer = (uint32_t)(ends >> 32);
        CALL(&p.g, i % 2 ? "s-drop-read" : "s-drop-get", reader);
        if (i % 2 == 0)
            CALL(&p.g, "s-put-future", writer, 0);
        CALL(&p.g, i % 2 ? "s-drop-write" : "s-drop-put", writer);
        CALL(&p.g, "s-set-drop", (uint32_t)CALL(&p.g, "s-set-new", 0));
    }
    assert_int_equal(vm_heap(p.g.f.vm)->used, used);
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_pass_to_who_waits),
        cmocka_unit_test(nothing_can_be_passed_too),
        cmocka_unit_test(dropping_is_told),
        cmocka_unit_test(cancelling_gives_the_buffer_back),
        cmocka_unit_test(a_writer_waits_by_itself),
        cmocka_unit_test(a_future_passes_once),
        cmocka_unit_test(a_future_must_be_written),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(an_end_that_copies_is_left_alone),
        cmocka_unit_test(a_dropped_end_leaves_its_set),
        cmocka_unit_test(events_follow_their_waitable),
        cmocka_unit_test(memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
