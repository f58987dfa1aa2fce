/* A reader's answer may be anything: only the right form is taken, and nothing outside it is read.
 */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "policies/demand.h"
#include <stdlib.h>
#include <string.h>

static struct demand demand;
static union {
    struct demand_head head;
    uint8_t bytes[DEMAND_ANSWER_MAX + 1];
} answer;
static size_t length;

static void begin(void)
{
    memset(&answer, 0, sizeof answer);
    length = sizeof(struct demand_head);
    answer.head.rows[0] = DEMAND_ROWS;
}

static void name(unsigned list, const char *text)
{
    answer.bytes[length++] = (uint8_t)list;
    size_t size = strlen(text);
    answer.bytes[length++] = (uint8_t)size;
    memcpy(answer.bytes + length, text, size);
    length += size;
    if (list < DEMAND_LISTS)
        answer.head.totals[list]++;
}

/* Parses a copy of exactly that size, so that a sanitizer sees every byte too far. */
static int parse(size_t len, struct err *err)
{
    uint8_t *copy = malloc(len + 1);
    memcpy(copy, answer.bytes, len);
    uint8_t *exact = len ? realloc(copy, len) : copy;
    int failed = demand_parse((struct bytes){exact, len}, &demand, err);
    free(exact);
    return failed;
}

static void accepted(void)
{
    struct err err = {0};
    assert_int_equal(parse(length, &err), 0);
    assert_int_equal(err.kind, ERR_NONE);
}

static void refused(const char *because)
{
    struct err err = {0};
    assert_int_equal(parse(length, &err), -1);
    assert_int_equal(err.kind, ERR_FAULT);
    assert_non_null(strstr(err.text, because));
}

static void test_whole(void **state)
{
    (void)state;
    begin();
    answer.head.imported[0] = 0x81;
    answer.head.reachable[0] = 0x80;
    answer.head.facts[0] = DEMAND_IS_COMPONENT;
    answer.head.memory[0] = UINT64_MAX;
    name(DEMAND_UNKNOWN, "a:b/c#d");
    name(DEMAND_EXPORT, "\033[2J");
    answer.head.totals[DEMAND_UNKNOWN] = 1000000; /* the reader left some out */
    accepted();
    assert_true(demand_imports(&demand, (enum row)0));
    assert_false(demand_reaches(&demand, (enum row)0));
    assert_true(demand_reaches(&demand, (enum row)7));
    assert_true(demand_is(&demand, DEMAND_IS_COMPONENT));
    assert_false(demand_is(&demand, DEMAND_IS_PROXY));
    assert_int_equal(demand.name_count, 2);
    assert_true(str_is(demand.names[0].text, "a:b/c#d"));
    assert_int_equal(demand.names[1].list, DEMAND_EXPORT);
}

static void test_every_prefix(void **state)
{
    (void)state;
    begin();
    name(DEMAND_IMPORT, "wasi:io/streams@0.2.3");
    name(DEMAND_IMPORT, "x");
    for (size_t len = 0; len < length; len++) {
        struct err err = {0};
        bool whole = len == sizeof(struct demand_head) || len == length - 3;
        assert_int_equal(parse(len, &err), whole ? 0 : -1);
    }
    accepted();
}

static void test_lies(void **state)
{
    (void)state;
    begin();
    answer.head.rows[0]++;
    refused("other tables");
    begin();
    answer.head.facts[0] = 1u << 31;
    refused("unknown facts");
    begin();
    answer.head.reachable[3] = 1;
    refused("not imported");
    if (DEMAND_ROWS % 8) {
        begin();
        answer.head.imported[sizeof answer.head.imported - 1] = 0x80;
        refused("do not exist");
    }
    begin();
    name(DEMAND_LISTS, "x");
    refused("is none");
    begin();
    name(DEMAND_IMPORT, "");
    answer.bytes[length++] = 0;
    refused("is none");
    begin();
    name(DEMAND_IMPORT, "abc");
    answer.head.totals[DEMAND_IMPORT] = 0;
    refused("more names");
    begin();
    name(DEMAND_IMPORT, "abc");
    answer.bytes[sizeof(struct demand_head) + 1] = 4;
    refused("is none");
}

static void test_sizes(void **state)
{
    (void)state;
    char text[DEMAND_NAME_MAX + 2];
    memset(text, 'n', sizeof text);
    text[DEMAND_NAME_MAX] = '\0';
    begin();
    name(DEMAND_IMPORT, text);
    accepted();
    begin();
    name(DEMAND_IMPORT, text);
    answer.bytes[sizeof(struct demand_head) + 1]++;
    answer.bytes[length++] = 'n';
    refused("is none");
    begin();
    while (length + 3 <= DEMAND_ANSWER_MAX)
        name(DEMAND_UNKNOWN, "n");
    accepted();
    assert_int_equal(demand.name_count, DEMAND_NAMES_MAX);
    length = DEMAND_ANSWER_MAX + 1;
    refused("too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
