/* engine/exec/ops_atomic: what a narrow compare-and-exchange expects is wrapped to its width. */
#include "tests/unit/exec_fixture.h"

/* The narrow forms, by their codes after 0xfe. */
static const struct narrow {
    uint8_t code, align;
    bool wide; /* of i64 */
} narrow[] = {
    {0x4a, 0, false}, {0x4b, 1, false}, {0x4c, 0, true}, {0x4d, 1, true}, {0x4e, 2, true}};

/* Where all bits are set, -1 is found, however many bits of it are compared. */
static void test_expected_is_wrapped(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(narrow); i++) {
        uint8_t constant = narrow[i].wide ? 0x42 : 0x41;
        struct machine_room room;
        struct build b;
        begin_module(&b);
        SECTION_OF(&b, TYPES, 1, 0x60, 0, 1, 0x7e);
        SECTION_OF(&b, FUNCTIONS, 1, 0);
        SECTION_OF(&b, MEMORIES, 1, 0, 1);
        export_functions(&b, 1);
        size_t bodies = begin_bodies(&b, 1);
        BODY(&b, 0, 0x41, 0, 0x42, 0x7f, 0x37, 3, 0, /* i64.store of -1 */
             0x41, 0, constant, 0x7f, constant, 5,   /* expects -1, writes 5 */
             0xfe, narrow[i].code, narrow[i].align, 0, 0x1a, 0x41, 0, 0x29, 3, 0); /* i64.load */
        end_part(&b, bodies);
        open_room(&room, &usual_limits);
        struct instance *instance = instantiate(&room, &b, NULL, FIBER_DONE);
        uint64_t written = UINT64_MAX << (8u << narrow[i].align) | 5;
        assert_returns(&room, function(instance, 0), NULL, 0, written);
        close_room(&room);
        free(b.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expected_is_wrapped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
