/* The arithmetic of the canonical ABI, against rows that follow CanonicalABI.md's `alignment`,
 * `elem_size` and `flatten_type`; host layout against the C compiler. */
#include "tests/unit/component_fixture.h"

#include "engine/component/layout.h"

/* With 32-bit pointers: size, alignment, core types (i: i32, l: i64, f: f32, d: f64); then size and
 * alignment with 64-bit pointers. */
struct row {
    const char *type;
    uint32_t size;
    uint8_t align;
    const char *flat;
    uint32_t size64;
    uint8_t align64;
};

/* clang-format off */
static const struct row rows[] = {
    {"bool", 1, 1, "i", 1, 1},
    {"s8", 1, 1, "i", 1, 1},
    {"u8", 1, 1, "i", 1, 1},
    {"s16", 2, 2, "i", 2, 2},
    {"u16", 2, 2, "i", 2, 2},
    {"s32", 4, 4, "i", 4, 4},
    {"u32", 4, 4, "i", 4, 4},
    {"s64", 8, 8, "l", 8, 8},
    {"u64", 8, 8, "l", 8, 8},
    {"f32", 4, 4, "f", 4, 4},
    {"f64", 8, 8, "d", 8, 8},
    {"char", 4, 4, "i", 4, 4},
    {"string", 8, 4, "ii", 16, 8},
    {"list<u8>", 8, 4, "ii", 16, 8},
    {"list<tuple<u64, u8>>", 8, 4, "ii", 16, 8},
    {"record { a: u8 }", 1, 1, "i", 1, 1},
    {"record { a: u8, b: u16 }", 4, 2, "ii", 4, 2},
    {"record { a: u16, b: u8 }", 4, 2, "ii", 4, 2},
    {"record { a: u8, b: u32, c: u8 }", 12, 4, "iii", 12, 4},
    {"record { a: u8, b: u64 }", 16, 8, "il", 16, 8},
    {"record { a: u64, b: u8 }", 16, 8, "li", 16, 8},
    {"record { a: f32, b: f64, c: char, d: bool }", 24, 8, "fdii", 24, 8},
    {"record { a: string, b: u8 }", 12, 4, "iii", 24, 8},
    {"record { a: u8, b: string, c: list<u64> }", 20, 4, "iiiii", 40, 8},
    {"tuple<u8>", 1, 1, "i", 1, 1},
    {"tuple<u8, u8, u8>", 3, 1, "iii", 3, 1},
    {"tuple<u8, tuple<u8, u16>, u8>", 8, 2, "iiii", 8, 2},
    {"tuple<tuple<u32, u8>, u8>", 12, 4, "iii", 12, 4},
    {"option<u8>", 2, 1, "ii", 2, 1},
    {"option<u16>", 4, 2, "ii", 4, 2},
    {"option<u32>", 8, 4, "ii", 8, 4},
    {"option<u64>", 16, 8, "il", 16, 8},
    {"option<string>", 12, 4, "iii", 24, 8},
    {"option<option<u8>>", 3, 1, "iii", 3, 1},
    {"option<option<u64>>", 24, 8, "iil", 24, 8},
    {"option<f32>", 8, 4, "if", 8, 4},
    {"result", 1, 1, "i", 1, 1},
    {"result<u8>", 2, 1, "ii", 2, 1},
    {"result<_, u8>", 2, 1, "ii", 2, 1},
    {"result<u32, u8>", 8, 4, "ii", 8, 4},
    {"result<u8, u64>", 16, 8, "il", 16, 8},
    {"result<f32, u32>", 8, 4, "ii", 8, 4},
    {"result<f32, f32>", 8, 4, "if", 8, 4},
    {"result<f64, f64>", 16, 8, "id", 16, 8},
    {"result<f64, u64>", 16, 8, "il", 16, 8},
    {"result<u32, u64>", 16, 8, "il", 16, 8},
    {"result<f32, f64>", 16, 8, "il", 16, 8},
    {"result<f32, u64>", 16, 8, "il", 16, 8},
    {"result<u64, u8>", 16, 8, "il", 16, 8},
    {"result<string, u8>", 12, 4, "iii", 24, 8},
    {"result<list<u8>, f32>", 12, 4, "iii", 24, 8},
    {"result<tuple<u64, f32, string>, tuple<u32, f64>>", 32, 8, "illii", 40, 8},
    {"enum { a }", 1, 1, "i", 1, 1},
    {"enum { a, b }", 1, 1, "i", 1, 1},
    {"variant { a }", 1, 1, "i", 1, 1},
    {"variant { a, b(u8) }", 2, 1, "ii", 2, 1},
    {"variant { a(u8), b(u16), c(u32) }", 8, 4, "ii", 8, 4},
    {"variant { a(u64), b(tuple<u8, u8>) }", 16, 8, "ili", 16, 8},
    {"variant { a(f32), b(f64), c(u32), d(u64) }", 16, 8, "il", 16, 8},
    {"variant { a(tuple<f32, f32>), b(tuple<u32, f32>) }", 12, 4, "iif", 12, 4},
    {"variant { a(string), b(tuple<u64, u64>) }", 24, 8, "ill", 24, 8},
    {"flags { a }", 1, 1, "i", 1, 1},
    {"flags { a, b, c, d, e, f, g, h }", 1, 1, "i", 1, 1},
    {"flags { a, b, c, d, e, f, g, h, i }", 2, 2, "i", 2, 2},
    {"flags { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15 }", 2, 2, "i", 2, 2},
    {"flags { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16 }", 4, 4, "i", 4, 4},
    {"flags { a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31 }", 4, 4, "i", 4, 4},
    {"list<u8, 1>", 1, 1, "i", 1, 1},
    {"list<u16, 3>", 6, 2, "iii", 6, 2},
    {"list<u64, 2>", 16, 8, "ll", 16, 8},
    {"list<string, 2>", 16, 4, "iiii", 32, 8},
    {"list<tuple<u8, u16>, 3>", 12, 2, "iiiiii", 12, 2},
    {"tuple<u8, list<u8, 4>, u16>", 8, 2, "iiiiii", 8, 2},
    {"tuple<u64, u64, u64, u64, u64, u64, u64, u64>", 64, 8, "llllllll", 64, 8},
    {"tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8>", 16, 1, "iiiiiiiiiiiiiiii", 16, 1},
    {"tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8>", 17, 1, "iiiiiiiiiiiiiiiii", 17, 1},
};
/* clang-format on */

static uint8_t core_type(char letter)
{
    switch (letter) {
    case 'i': return VT_I32;
    case 'l': return VT_I64;
    case 'f': return VT_F32;
    default: return VT_F64;
    }
}

static void sizes_alignments_and_flattening(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    for (size_t i = 0; i < countof(rows); i++) {
        const struct row *row = &rows[i];
        const struct cm_layout *layout = &wit_type(&f, row->type)->layout;
        if (layout->size != row->size || layout->align != row->align ||
            layout->size64 != row->size64 || layout->align64 != row->align64)
            fail_msg("%s: %u, %u; %u, %u", row->type, layout->size, layout->align, layout->size64,
                     layout->align64);
        size_t nflat = strlen(row->flat);
        if (nflat > CM_FLAT_MAX) {
            assert_int_equal(layout->nflat, CM_FLAT_OVER);
            continue;
        }
        assert_int_equal(layout->nflat, nflat);
        for (size_t k = 0; k < nflat; k++)
            if (layout->flat[k] != core_type(row->flat[k]))
                fail_msg("%s: flat %zu", row->type, k);
    }
    close_fixture(&f);
}

/* An enum, or flags, of that many labels. */
static const struct cm_type *labelled(struct fixture *f, const char *kind, unsigned count)
{
    static char text[1 << 18];
    size_t len = (size_t)snprintf(text, sizeof text, "%s { ", kind);
    for (unsigned i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%sl%u", i ? ", " : "", i);
    snprintf(text + len, sizeof text - len, " }");
    return wit_type(f, text);
}

static void a_tag_is_as_wide_as_its_cases_need(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    static const struct {
        unsigned cases;
        uint32_t size;
    } tags[] = {{1, 1}, {2, 1}, {255, 1}, {256, 1}, {257, 2}, {10000, 2}};
    for (size_t i = 0; i < countof(tags); i++) {
        const struct cm_type *type = labelled(&f, "enum", tags[i].cases);
        assert_int_equal(type->layout.size, tags[i].size);
        assert_int_equal(type->layout.align, tags[i].size);
        assert_int_equal(type->layout.host_size, tags[i].size);
        assert_int_equal(type->tag_size, tags[i].size);
        assert_int_equal(type->layout.nflat, 1);
    }
    for (unsigned labels = 1; labels <= 32; labels++) {
        uint32_t size = labels <= 8 ? 1 : labels <= 16 ? 2 : 4;
        const struct cm_type *type = labelled(&f, "flags", labels);
        assert_int_equal(type->layout.size, size);
        assert_int_equal(type->layout.host_size, size);
    }
    close_fixture(&f);
}

/* --- Host layout --------------------------------------------------------------------------------
 */

struct times {
    uint64_t seconds;
    uint32_t nanoseconds;
};

struct stat {
    uint8_t type;
    uint64_t links;
    HOST_OPTION(struct times) changed;
    struct str name;
    bool last;
};

struct change {
    uint8_t tag;
    union {
        uint16_t some;
        struct times at;
        HOST_LIST(uint8_t) bytes;
    } of;
};

typedef HOST_RESULT(struct stat, uint8_t) stat_result;
typedef HOST_OPTION(uint8_t) maybe_byte;

static void host_layout_is_that_of_c(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    static const struct wit wits[] = {
        {"times", "record { seconds: u64, nanoseconds: u32 }"},
        {"kind", "enum { directory, file }"},
        {"stat", "record { kind: kind, links: u64, changed: option<times>, name: string, "
                 "last: bool }"},
        {"change", "variant { none-of-it, some-of-it(u16), at(times), bytes(list<u8>) }"},
        {"found", "result<stat, kind>"},
    };
    struct wits read = wits_of(&f, wits, countof(wits));
    const struct cm_type *type = read.types[2]->canon;
    assert_int_equal(type->layout.host_size, sizeof(struct stat));
    assert_int_equal(type->layout.host_align, _Alignof(struct stat));
    static const size_t offsets[] = {offsetof(struct stat, type), offsetof(struct stat, links),
                                     offsetof(struct stat, changed), offsetof(struct stat, name),
                                     offsetof(struct stat, last)};
    for (size_t i = 0; i < countof(offsets); i++)
        assert_int_equal(type->fields[i].host_offset, offsets[i]);
    static const uint32_t guest[] = {0, 8, 16, 40, 48};
    for (size_t i = 0; i < countof(guest); i++)
        assert_int_equal(type->fields[i].offset, guest[i]);
    type = read.types[3]->canon;
    assert_int_equal(type->layout.host_size, sizeof(struct change));
    assert_int_equal(type->host_payload, offsetof(struct change, of));
    assert_int_equal(type->payload, 8);
    type = read.types[4]->canon;
    assert_int_equal(type->layout.host_size, sizeof(stat_result));
    assert_int_equal(type->host_payload, offsetof(stat_result, ok));
    type = wit_type(&f, "option<u8>");
    assert_int_equal(type->layout.host_size, sizeof(maybe_byte));
    assert_int_equal(type->host_payload, offsetof(maybe_byte, of));
    close_fixture(&f);
}

static void plain_types_are_copied_as_bytes(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    static const char *const plain[] = {"u8",
                                        "s64",
                                        "tuple<u8, s8>",
                                        "record { a: u32, b: s32 }",
                                        "tuple<tuple<u16, u16>, u32>",
                                        "list<u16, 4>"};
    static const char *const other[] = {
        "bool",           "f32",      "char",        "tuple<u8, u16>", "string", "option<u8>",
        "tuple<u64, u8>", "list<u8>", "flags { a }", "result"};
    for (size_t i = 0; i < countof(plain); i++)
        if (!(wit_type(&f, plain[i])->flags & CM_PLAIN))
            fail_msg("%s is plain", plain[i]);
    for (size_t i = 0; i < countof(other); i++)
        if (wit_type(&f, other[i])->flags & CM_PLAIN)
            fail_msg("%s is not plain", other[i]);
    assert_true(wit_type(&f, "list<option<string>>")->flags & CM_POINTERS);
    assert_false(wit_type(&f, "tuple<option<u64>, char>")->flags & CM_POINTERS);
    close_fixture(&f);
}

/* elem_size below 2^28. */
static void a_value_may_not_be_too_large(void **state)
{
    (void)state;
    struct fixture f;
    open_types(&f);
    struct err err = {0};
    struct cm_type draft = {.kind = CM_FIXED_LIST, .element = cm_prim(f.types, CM_U8)};
    draft.length = CM_SIZE_LIMIT - 1;
    assert_non_null(cm_type_of(f.types, &draft, &err));
    draft.length = CM_SIZE_LIMIT;
    assert_null(cm_type_of(f.types, &draft, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    draft.element = cm_prim(f.types, CM_U64);
    draft.length = UINT32_MAX;
    err = (struct err){0};
    assert_null(cm_type_of(f.types, &draft, &err));
    assert_int_equal(err.kind, ERR_INVALID);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_alignments_and_flattening),
        cmocka_unit_test(a_tag_is_as_wide_as_its_cases_need),
        cmocka_unit_test(host_layout_is_that_of_c),
        cmocka_unit_test(plain_types_are_copied_as_bytes),
        cmocka_unit_test(a_value_may_not_be_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
