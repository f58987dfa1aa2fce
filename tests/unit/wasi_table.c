/* policies/wasi.def and the table made from it: complete, unambiguous, in order. */
#include "engine/wasi/table.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <string.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))

struct row {
    const char *interface;
    const char *name;
    const char *type;
    const char *since;
    const char *gate;
    bool provided;
};

#define IS_PROVIDED true
#define IS_LATER    false
static const struct row rows[] = {
#define FN(interface, id, name, type, since, gate, capability, rules, state)                       \
    {#interface, name, type, since, gate, IS_##state},
#include "policies/wasi.def"
};

static size_t count_kind(enum host_kind kind)
{
    size_t count = 0;
    for (uint32_t i = 0; i < wasi_table.nitems; i++)
        count += wasi_table.items[i].kind == kind;
    return count;
}

/* The numbers of the packages' WIT texts, without the two functions that are only exported. */
static void complete(void **state)
{
    (void)state;
    assert_int_equal(wasi_table.ninterfaces, 32);
    assert_int_equal(count_kind(HOST_FUNC), 179);
    assert_int_equal(count_kind(HOST_RESOURCE), 25);
    assert_int_equal(count_kind(HOST_TYPE), 41);
    assert_int_equal(countof(rows), 179);
}

static void provided_rows_have_functions(void **state)
{
    size_t provided = 0;
    (void)state;
    for (uint32_t i = 0; i < wasi_table.nitems; i++) {
        const struct host_item *item = &wasi_table.items[i];
        const char *interface = wasi_table.interfaces[item->interface].name;
        bool later =
            !strncmp(interface, "wasi:sockets/", 13) || !strncmp(interface, "wasi:http/", 10);
        if (item->kind == HOST_FUNC)
            assert_int_equal(item->fn == NULL, later);
        if (item->kind == HOST_RESOURCE)
            assert_int_equal(item->drop == NULL, later);
        provided += item->kind == HOST_FUNC && item->fn;
    }
    assert_int_equal(provided, 73);
    for (size_t i = 0; i < countof(rows); i++) {
        /* Stable since some release, or waiting for a feature; check-send has neither (WIT). */
        bool stable = rows[i].since[0] && !rows[i].gate[0];
        bool unstable = !rows[i].since[0] && rows[i].gate[0];
        assert_true(stable || unstable || strstr(rows[i].name, "check-send"));
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < wasi_table.nitems; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_false(wasi_table.items[i].interface == wasi_table.items[j].interface &&
                         !strcmp(wasi_table.items[i].name, wasi_table.items[j].name));
    for (uint32_t i = 0; i < wasi_table.ninterfaces; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(wasi_table.interfaces[i].name, wasi_table.interfaces[j].name);
}

/* Those of one interface stand together, in the order of the interfaces. */
static void in_order(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < wasi_table.nitems; i++)
        assert_in_range(wasi_table.items[i].interface, wasi_table.items[i - 1].interface,
                        wasi_table.ninterfaces - 1);
}

static const struct host_item *find(uint32_t before, uint16_t interface, const char *name,
                                    size_t len)
{
    for (uint32_t i = 0; i < before; i++) {
        const struct host_item *item = &wasi_table.items[i];
        if (item->interface == interface && item->kind != HOST_FUNC && strlen(item->name) == len &&
            !memcmp(item->name, name, len))
            return item;
    }
    return NULL;
}

/* A type of another interface is a type there, and that interface came before. */
static void uses_resolve(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < wasi_table.nitems; i++) {
        const struct host_item *item = &wasi_table.items[i];
        if (item->kind != HOST_USE)
            continue;
        bool found = false;
        for (uint16_t other = 0; other < item->interface; other++)
            found = found || (!strcmp(wasi_table.interfaces[other].name, item->type) &&
                              find(i, other, item->there, strlen(item->there)));
        if (!found)
            print_error("%s: %s of %s\n", item->name, item->there, item->type);
        assert_true(found);
    }
}

static bool builtin(const char *word, size_t len)
{
    static const char *const words[] = {
        "bool",   "u8",   "u16",    "u32",     "u64",  "s8",     "s16",    "s32",   "s64",
        "f32",    "f64",  "char",   "string",  "list", "option", "result", "tuple", "own",
        "borrow", "func", "record", "variant", "enum", "flags",  "_"};
    for (size_t i = 0; i < countof(words); i++)
        if (strlen(words[i]) == len && !memcmp(words[i], word, len))
            return true;
    return false;
}

/* Every word of a type that stands where a type may stand is built in, or a type of the interface
 * that came before. (The grammar as a whole is the component layer's, which reads it.) */
static void types_resolve(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < wasi_table.nitems; i++) {
        const struct host_item *item = &wasi_table.items[i];
        if (item->kind != HOST_FUNC && item->kind != HOST_TYPE)
            continue;
        const char *text = item->type;
        bool labels = !strncmp(text, "enum {", 6) || !strncmp(text, "flags {", 7);
        bool cases = !strncmp(text, "variant {", 9);
        int depth = 0;
        for (const char *at = text; *at;) {
            depth += *at == '(' || *at == '<';
            depth -= *at == ')' || (*at == '>' && at[-1] != '-');
            if (!isalnum((unsigned char)*at) && *at != '_') {
                at++;
                continue;
            }
            size_t len =
                strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
            bool label = at[len] == ':' || labels || (cases && depth == 0);
            if (!label && !builtin(at, len) && !find(i, item->interface, at, len)) {
                print_error("%s %s: %.*s\n", wasi_table.interfaces[item->interface].name,
                            item->name, (int)len, at);
                fail();
            }
            at += len;
        }
        assert_int_equal(depth, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete),         cmocka_unit_test(provided_rows_have_functions),
        cmocka_unit_test(names_are_unique), cmocka_unit_test(in_order),
        cmocka_unit_test(uses_resolve),     cmocka_unit_test(types_resolve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
