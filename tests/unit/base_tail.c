/* Text that keeps its end: what is cut, where, and what is quoted. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/base/tail.h"

static char text[16];

static struct tail begin(void)
{
    memset(text, 'x', sizeof text);
    text[0] = '\0';
    return tail_of(text, sizeof text);
}

static void what_does_not_fit_is_cut_in_front(void **state)
{
    (void)state;
    struct tail tail = begin();
    tail_put(&tail, str_of("inner"));
    tail_put(&tail, str_of("middle/"));
    assert_string_equal(text, "middle/inner");
    tail_put(&tail, str_of(""));
    assert_string_equal(text, "middle/inner");
    tail_put(&tail, str_of("outer/"));
    assert_string_equal(text, "...middle/inner");
    tail_put(&tail, str_of("more/"));
    assert_string_equal(text, "...middle/inner");
    tail = tail_of(text, sizeof text);
    tail_put(&tail, str_of("x"));
    assert_string_equal(text, "...middle/inner");
    tail = begin();
    tail_put(&tail, str_of("0123456789abcdefghij"));
    assert_string_equal(text, "...89abcdefghij");
}

static void characters_stay_whole(void **state)
{
    (void)state;
    struct tail tail = begin();
    tail_put(&tail, str_of("a"));
    tail_put(&tail, str_of("éééééé"));
    assert_string_equal(text, "...éééééa");
    tail = begin();
    tail_put_name(&tail, str_of("ééééééa"));
    assert_string_equal(text, "...\"ééééa\"");
}

static void a_name_looks_like_nothing_else(void **state)
{
    (void)state;
    struct tail tail = begin();
    tail_put_name(&tail, str_of("[m]a.b/c:d#1"));
    assert_string_equal(text, "[m]a.b/c:d#1");
    static const struct {
        struct str name;
        const char *shown;
    } rows[] = {
        {{"f in g", 6}, "\"f in g\""},
        {{"f\"(b)", 5}, "\"f\"\"(b)\""},
        {{"a\\", 2}, "\"a\\\""},
        {{"...a", 4}, "\"...a\""},
        {{"f in g (byte)", 13}, "...\"n g (byte)\""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        tail = begin();
        tail_put_name(&tail, rows[i].name);
        assert_string_equal(text, rows[i].shown);
    }
    tail = begin();
    tail_put_name(&tail, (struct str){"a\0b", 3});
    assert_int_equal(tail.len, 5);
    assert_memory_equal(text, "\"a\0b\"", 6);
}

/* Whatever the room and what stands there: nothing is written behind it. */
static void nothing_is_written_behind_the_room(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof text; size++) {
        for (size_t len = 0; len < 20; len++) {
            struct tail tail = begin();
            tail.size = size;
            tail_put_name(&tail, (struct str){"abcdefghijklmnopqrst", len});
            tail_put_name(&tail, (struct str){"a \" efghij lmno qrst", len});
            tail_put_name(&tail, (struct str){"z", 1});
            assert_true(tail.len < size);
            assert_int_equal(text[tail.len], '\0');
            for (size_t i = size; i < sizeof text; i++)
                assert_int_equal(text[i], 'x');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_cut_in_front),
        cmocka_unit_test(characters_stay_whole),
        cmocka_unit_test(a_name_looks_like_nothing_else),
        cmocka_unit_test(nothing_is_written_behind_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
