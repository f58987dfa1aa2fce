/* Handle tables. */
#include "tests/unit/component_fixture.h"

static void places_are_given_again(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct heap *heap = vm_heap(f.vm);
    struct handle_table table = {0};
    assert_null(handle_at(&table, 0));
    assert_null(handle_at(&table, 1));
    for (uint32_t i = 1; i <= 1000; i++) {
        struct handle entry = {.kind = HANDLE_OWN, .rep = &table.at, .lends = i};
        assert_int_equal(handle_add(&table, heap, &entry), i);
    }
    assert_null(handle_at(&table, 0));
    assert_null(handle_at(&table, 1001));
    assert_null(handle_at(&table, UINT32_MAX));
    for (uint32_t i = 1; i <= 1000; i++)
        assert_int_equal(handle_at(&table, i)->lends, i);
    static const uint32_t freed[] = {7, 999, 1};
    for (size_t i = 0; i < countof(freed); i++)
        handle_remove(&table, freed[i]);
    for (size_t i = 0; i < countof(freed); i++)
        assert_null(handle_at(&table, freed[i]));
    /* The last one freed comes first. */
    for (size_t i = countof(freed); i-- > 0;)
        assert_int_equal(handle_add(&table, heap, &(struct handle){.kind = HANDLE_BORROW}),
                         freed[i]);
    assert_int_equal(handle_add(&table, heap, &(struct handle){.kind = HANDLE_OWN}), 1001);
    close_fixture(&f);
}

static void a_full_heap_is_told(void **state)
{
    (void)state;
    static const struct vm_limits limits = {.stack_bytes = 1 << 16, .heap_bytes = 1 << 16};
    struct fixture f;
    open_types(&f);
    f.arena = reserve(ARENA_SIZE);
    f.vm = vm_new(f.core.types, &f.core.image, f.arena, ARENA_SIZE, &limits);
    assert_non_null(f.vm);
    struct handle_table table = {0};
    uint32_t last = 0;
    for (uint32_t next; last < 1 << 20; last = next) {
        next =
            handle_add(&table, vm_heap(f.vm), &(struct handle){.kind = HANDLE_OWN, .lends = last});
        if (!next)
            break;
        assert_int_equal(next, last + 1);
    }
    assert_in_range(last, 100, (1 << 16) / sizeof(struct handle));
    for (uint32_t i = 1; i <= last; i++)
        assert_int_equal(handle_at(&table, i)->lends, i - 1);
    handle_remove(&table, 5);
    assert_int_equal(handle_add(&table, vm_heap(f.vm), &(struct handle){.kind = HANDLE_OWN}), 5);
    close_fixture(&f);
}

/* Table.MAX_LENGTH: the table is as if all that came before were in use. */
static void as_many_as_there_may_be(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    const size_t room = (size_t)HANDLE_MAX + 1;
    struct handle_table table = {
        .at = reserve(room * sizeof(struct handle)), .count = HANDLE_MAX, .room = HANDLE_MAX + 1};
    const struct handle entry = {.kind = HANDLE_OWN};
    assert_int_equal(handle_add(&table, vm_heap(f.vm), &entry), HANDLE_MAX);
    assert_int_equal(handle_add(&table, vm_heap(f.vm), &entry), 0);
    /* It is not the heap that refuses, whatever that did before. */
    vm_heap(f.vm)->at_limit = false;
    struct cm_instance instance = {.store = f.store, .handles = table};
    assert_int_equal(cm_handle_add(&instance, &entry), 0);
    assert_int_equal(vm_trap(f.vm)->kind, TRAP_HELD);
    assert_string_equal(vm_trap(f.vm)->text, "more than 268435455 handles, a fixed number");
    handle_remove(&table, HANDLE_MAX);
    assert_int_equal(handle_add(&table, vm_heap(f.vm), &entry), HANDLE_MAX);
    munmap(table.at, room * sizeof(struct handle));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_given_again),
        cmocka_unit_test(a_full_heap_is_told),
        cmocka_unit_test(as_many_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
