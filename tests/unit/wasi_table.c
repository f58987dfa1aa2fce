/* policies/wasi.def and the table made from it: complete, unambiguous, in order. */
#include "engine/component/host_table.h"
#include "engine/wasi/filesystem.h"
#include "tests/unit/wasi_fixture.h"

#include <ctype.h>

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

/* The numbers of the packages' WIT texts, without the two functions that are only exported: of
 * 0.2.12, and of the drafts of config and logging, and of keyvalue. */
static void complete(void **state)
{
    (void)state;
    assert_int_equal(wasi_table.ninterfaces, 32 + 2 + 1);
    assert_int_equal(count_kind(HOST_FUNC), 179 + 3 + 6);
    assert_int_equal(count_kind(HOST_RESOURCE), 25 + 1);
    assert_int_equal(count_kind(HOST_TYPE), 41 + 2 + 2);
    assert_int_equal(countof(rows), 179 + 3 + 6);
}

static void provided_rows_have_functions(void **state)
{
    size_t provided = 0;
    (void)state;
    for (uint32_t i = 0; i < wasi_table.nitems; i++) {
        const struct host_item *item = &wasi_table.items[i];
        if (item->kind == HOST_FUNC)
            assert_non_null(item->fn);
        if (item->kind == HOST_RESOURCE)
            assert_non_null(item->drop);
        provided += item->kind == HOST_FUNC;
    }
    assert_int_equal(provided, 179 + 3 + 6);
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

/* --- As the component layer reads it -------------------------------------------------------------
 */

struct reading {
    struct fixture f;
    void *scratch_memory;
    struct region scratch;
    struct cm_host *host;
};

static void reading_begin(struct reading *r)
{
    fixture_store(&r->f);
    r->scratch_memory = fixture_map(FIXTURE_IMAGE);
    r->scratch = region_of(r->scratch_memory, FIXTURE_IMAGE);
    r->f.store.types = cm_types_new(&r->f.image, vm_types(r->f.vm));
    assert_non_null(r->f.store.types);
    r->host = cm_host_new(&r->f.store, &r->scratch, &wasi_table);
    assert_non_null(r->host);
}

static void reading_end(struct reading *r)
{
    munmap(r->scratch_memory, FIXTURE_IMAGE);
    munmap(r->f.image_memory, FIXTURE_IMAGE);
    munmap(r->f.arena_memory, FIXTURE_ARENA);
}

static void every_type_is_read(void **state)
{
    struct reading r;
    struct err err = {0};
    (void)state;
    reading_begin(&r);
    for (uint32_t i = 0; i < wasi_table.nitems; i++) {
        const struct host_item *item = &wasi_table.items[i];
        const struct cm_type *type = cm_host_type(r.host, i, &r.scratch, &err);
        if (!type)
            print_error("%s %s: %s\n", wasi_table.interfaces[item->interface].name, item->name,
                        err.text);
        assert_non_null(type);
        assert_true(item->kind != HOST_FUNC || (type && type->kind == CM_FUNC));
    }
    reading_end(&r);
}

struct size {
    const char *interface;
    const char *name;
    size_t args;   /* of a type: its size */
    size_t result; /* 0: none, or a type */
};

#define ERROR_RESULT sizeof(struct unit_or_code)

static const struct size sizes[] = {
    {"wasi:clocks/wall-clock", "datetime", sizeof(struct datetime), 0},
    {"wasi:io/streams", "stream-error", sizeof(struct stream_error), 0},
    {"wasi:filesystem/types", "descriptor-stat", sizeof(struct descriptor_stat), 0},
    {"wasi:filesystem/types", "new-timestamp", sizeof(struct new_timestamp), 0},
    {"wasi:filesystem/types", "metadata-hash-value", sizeof(struct metadata_hash_value), 0},
    {"wasi:filesystem/types", "descriptor-flags", sizeof(uint8_t), 0},
    {"wasi:filesystem/types", "error-code", sizeof(uint8_t), 0},
    {"wasi:io/poll", "poll", sizeof(byte_list), sizeof(byte_list)},
    {"wasi:io/poll", "[method]pollable.ready", sizeof(void *), sizeof(bool)},
    {"wasi:io/streams", "[method]input-stream.read", 16,
     sizeof(HOST_RESULT(byte_list, struct stream_error))},
    {"wasi:io/streams", "[method]output-stream.write", sizeof(void *) + sizeof(byte_list),
     sizeof(struct {
         uint8_t tag;
         struct stream_error err;
     })},
    {"wasi:io/streams", "[method]output-stream.splice", 24,
     sizeof(HOST_RESULT(uint64_t, struct stream_error))},
    {"wasi:clocks/timezone", "display", sizeof(struct datetime), sizeof(struct {
         int32_t offset;
         struct str name;
         bool daylight;
     })},
    {"wasi:random/random", "get-random-bytes", 8, sizeof(byte_list)},
    {"wasi:random/insecure-seed", "insecure-seed", 0, 16},
    {"wasi:cli/environment", "initial-cwd", 0, sizeof(HOST_OPTION(struct str))},
    {"wasi:cli/exit", "exit", 1, 0},
    {"wasi:cli/exit", "exit-with-code", 1, 0},
    {"wasi:cli/terminal-stdin", "get-terminal-stdin", 0, sizeof(HOST_OPTION(void *))},
    {"wasi:filesystem/preopens", "get-directories", 0, sizeof(byte_list)},
    {"wasi:filesystem/types", "[method]descriptor.read", 24,
     sizeof(HOST_RESULT(
         struct {
             byte_list bytes;
             bool end;
         },
         uint8_t))},
    {"wasi:filesystem/types", "[method]descriptor.write", 8 + sizeof(byte_list) + 8,
     sizeof(HOST_RESULT(uint64_t, uint8_t))},
    {"wasi:filesystem/types", "[method]descriptor.advise", 32, ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.get-flags", 8, 2},
    {"wasi:filesystem/types", "[method]descriptor.get-type", 8, 2},
    {"wasi:filesystem/types", "[method]descriptor.set-times", 8 + 2 * sizeof(struct new_timestamp),
     ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.set-times-at",
     16 + sizeof(struct str) + 2 * sizeof(struct new_timestamp), ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.stat", 8, sizeof(stat_result)},
    {"wasi:filesystem/types", "[method]descriptor.stat-at", 32, sizeof(stat_result)},
    {"wasi:filesystem/types", "[method]descriptor.metadata-hash", 8, sizeof(hash_result)},
    {"wasi:filesystem/types", "[method]descriptor.link-at", 56, ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.rename-at", 48, ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.symlink-at", 40, ERROR_RESULT},
    {"wasi:filesystem/types", "[method]descriptor.readlink-at", 24,
     sizeof(HOST_RESULT(struct str, uint8_t))},
    {"wasi:filesystem/types", "[method]descriptor.open-at", sizeof(struct open_at),
     sizeof(handle_result)},
    {"wasi:filesystem/types", "[method]descriptor.is-same-object", 16, 1},
    {"wasi:filesystem/types", "[method]directory-entry-stream.read-directory-entry", 8,
     sizeof(HOST_RESULT(HOST_OPTION(struct {
                            uint8_t type;
                            struct str name;
                        }),
                        uint8_t))},
    {"wasi:filesystem/types", "filesystem-error-code", 8, sizeof(HOST_OPTION(uint8_t))},
};

/* The C structs of engine/wasi are what the component layer makes of the types. */
static void structs_are_host_layout(void **state)
{
    struct reading r;
    struct err err = {0};
    (void)state;
    reading_begin(&r);
    for (size_t i = 0; i < countof(sizes); i++) {
        uint32_t interface = cm_host_interface(r.host, str_of(sizes[i].interface), str_of("0.2.0"));
        assert_true(interface != HOST_ABSENT);
        uint32_t item = cm_host_item(r.host, interface, str_of(sizes[i].name));
        assert_true(item != HOST_ABSENT);
        const struct cm_type *type = cm_host_type(r.host, item, &r.scratch, &err);
        assert_non_null(type);
        size_t result = type->kind == CM_FUNC && type->result ? type->result->layout.host_size : 0;
        if (type->layout.host_size != sizes[i].args || result != sizes[i].result)
            print_error("%s %s: %u and %zu\n", sizes[i].interface, sizes[i].name,
                        type->layout.host_size, result);
        assert_int_equal(type->layout.host_size, sizes[i].args);
        assert_int_equal(result, sizes[i].result);
    }
    reading_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete),           cmocka_unit_test(provided_rows_have_functions),
        cmocka_unit_test(names_are_unique),   cmocka_unit_test(in_order),
        cmocka_unit_test(uses_resolve),       cmocka_unit_test(types_resolve),
        cmocka_unit_test(every_type_is_read), cmocka_unit_test(structs_are_host_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
