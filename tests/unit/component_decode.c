/* Decoding and validation of components. The conformance suite covers the rules one by one
 * (tests/spec), component_limits.c the limits; here are places and messages, and input that is cut
 * short or damaged. */
#include "tests/unit/component_echo.h"

static void a_component_may_be_empty(void **state)
{
    (void)state;
    struct fixture f;
    struct build b;
    open_types(&f);
    begin_component(&b);
    const struct component *component = good_component(&f, &b);
    assert_int_equal(component->ndefs, 0);
    assert_int_equal(component->type->imports.count, 0);
    assert_int_equal(component->type->exports.count, 0);
    assert_int_equal(component_name(component).len, 0);
    assert_true(component_is((struct bytes){b.at, b.len}));
    b.at[4] = 1; /* a module's version and layer */
    b.at[6] = 0;
    assert_false(component_is((struct bytes){b.at, b.len}));
    assert_null(read_component(&f, &b));
    assert_int_equal(f.err.kind, ERR_MALFORMED);
    assert_int_equal(f.err.offset, 4);
    free(b.at);
    close_fixture(&f);
}

/* --- Rules --------------------------------------------------------------------------------------
 */

#define BYTES(...)                                                                                 \
    sizeof((uint8_t[]){__VA_ARGS__}),                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Bytes behind the preamble (8 bytes), and what is said of them. */
/* clang-format off */
static const struct {
    enum err_kind kind;
    uint64_t offset;
    const char *text;
    uint8_t len;
    uint8_t bytes[64];
} rules[] = {
    {ERR_MALFORMED, 8, "malformed section id 13", BYTES(13, 0)},
    {ERR_MALFORMED, 10, "types", BYTES(TYPE, 5, 0)},
    {ERR_MALFORMED, 11, "types", BYTES(TYPE, 2, 0, 0)},
    {ERR_MALFORMED, 11, "0x00 does not begin a type", BYTES(TYPE, 2, 1, 0x00)},
    {ERR_INVALID, 12, "type index out of bounds: 3, there are 0", BYTES(TYPE, 3, 1, 0x6b, 3)},
    {ERR_INVALID, 16, "'A' conflicts", BYTES(TYPE, 8, 1, 0x72, 2, 1, 'a', 0x7d, 1, 'A')},
    {ERR_INVALID, 12, "at least one", BYTES(TYPE, 3, 1, 0x72, 0)},
    {ERR_INVALID, 12, "at least one", BYTES(TYPE, 3, 1, 0x6e, 0)},
    {ERR_INVALID, 15, "kebab", BYTES(TYPE, 2, 1, 0x7d, EXPORT, 8, 1, 0, 2, 'a', '_', 3, 0, 0)},
    {ERR_INVALID, 0, "index", BYTES(EXPORT, 7, 1, 0, 1, 'a', 1, 0, 0)},
    {ERR_INVALID, 8, "gated", BYTES(9, 0)},
    {ERR_MALFORMED, 0, "alias", BYTES(ALIAS, 4, 1, 3, 9, 0)},
    {ERR_INVALID, 0, "outer", BYTES(ALIAS, 5, 1, 3, 2, 1, 0)},
    {ERR_INVALID, 0, "component", BYTES(INSTANCE, 4, 1, 0, 0, 0)},
    {ERR_INVALID, 0, "module", BYTES(CORE_INSTANCE, 4, 1, 0, 0, 0)},
    {ERR_MALFORMED, 0, "canon", BYTES(CANON, 2, 1, 0x7f)},
    {ERR_INVALID, 0, "function", BYTES(CANON, 5, 1, 1, 0, 0, 0)},
    {ERR_INVALID, 0, "resource", BYTES(TYPE, 2, 1, 0x7d, CANON, 3, 1, 2, 0)},
};
/* clang-format on */

static void failures_say_what_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(rules); i++) {
        struct fixture f;
        struct build b;
        open_types(&f);
        begin_component(&b);
        put_bytes(&b, rules[i].bytes, rules[i].len);
        assert_null(read_component(&f, &b));
        if (f.err.kind != rules[i].kind || !strstr(f.err.text, rules[i].text) ||
            (rules[i].offset && f.err.offset != rules[i].offset))
            fail_msg("%zu: %s at %d: %s", i, err_word(f.err.kind), (int)f.err.offset, f.err.text);
        assert_in_range(f.err.offset, 8, b.len);
        free(b.at);
        close_fixture(&f);
    }
}

/* --- Sizes --------------------------------------------------------------------------------------
 */

static enum err_kind verdict(const struct build *b)
{
    struct fixture f;
    open_types(&f);
    read_component(&f, b);
    enum err_kind kind = f.err.kind;
    free(b->at);
    close_fixture(&f);
    return kind;
}

/* More flags than a word has bits belong to a gated feature. */
static void flags_are_at_most_32(void **state)
{
    (void)state;
    for (unsigned count = 32; count <= 33; count++) {
        struct build b;
        begin_component(&b);
        size_t section = begin_section(&b, TYPE);
        PUT(&b, 1, 0x6e, (uint8_t)count);
        for (unsigned i = 0; i < count; i++) {
            char name[12];
            snprintf(name, sizeof name, "a%u", i);
            put_name(&b, name);
        }
        end_part(&b, section);
        assert_int_equal(verdict(&b), count == 32 ? ERR_NONE : ERR_INVALID);
    }
}

/* A tree of types that doubles at each level costs nothing; twice as deep, it is refused. */
static void shared_types_are_not_unfolded(void **state)
{
    (void)state;
    for (unsigned levels = 10; levels <= 40; levels += 30) {
        struct build b;
        begin_component(&b);
        size_t section = begin_section(&b, TYPE);
        put_u32(&b, levels);
        for (unsigned i = 0; i < levels; i++) {
            PUT(&b, 0x6f, 2);
            for (int k = 0; k < 2; k++)
                put_value(&b, i ? (int64_t)i - 1 : -0x7d);
        }
        end_part(&b, section);
        assert_int_equal(verdict(&b), levels == 10 ? ERR_NONE : ERR_LIMIT);
    }
}

/* --- Damage -------------------------------------------------------------------------------------
 */

/* A component with most of what there is: nested ones, modules, types, lifts and lowers. */
static struct build whole(void)
{
    static const struct wit rows[] = {
        {"point", "record { x: s32, y: f64 }"},
        {"shape", "variant { dot(point), path(list<point>), nothing }"},
        {"access", "flags { a, b, c }"},
        {"v", "tuple<shape, string, option<char>, access, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, "
              "u8, u8>"},
    };
    struct fixture f;
    struct build b;
    open_types(&f);
    struct wits wits = wits_of(&f, rows, countof(rows));
    build_pair(&b, wits.types[3], ENCODING_UTF16, ENCODING_LATIN1_UTF16);
    assert_non_null(good_component(&f, &b));
    close_fixture(&f);
    return b;
}

/* Reads bytes that end where memory does. */
static enum err_kind read_at_end(struct fixture *f, const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, at, len);
    region_release(&f->core.image, f->core.image.base);
    f->err = (struct err){0};
    struct cm_types *types = cm_types_new(&f->core.image, types_new(&f->core.image));
    const struct component *component =
        component_read((struct bytes){copy, len}, copy, types, &f->core.scratch, &f->err);
    assert_int_equal(component == NULL, f->err.kind != ERR_NONE);
    assert_ptr_equal(f->core.scratch.at, f->core.scratch.base);
    if (!component) {
        assert_in_range(f->err.offset, 0, len);
        assert_int_not_equal(f->err.kind, ERR_FAULT);
        assert_int_not_equal(f->err.text[0], 0);
    }
    free(copy);
    return f->err.kind;
}

static void every_prefix(void **state)
{
    (void)state;
    struct fixture f;
    struct build b = whole();
    unsigned whole_ones = 0;
    open_types(&f);
    for (size_t len = 0; len < b.len; len++) {
        enum err_kind kind = read_at_end(&f, b.at, len);
        assert_int_not_equal(kind, ERR_LIMIT);
        whole_ones += kind == ERR_NONE;
    }
    assert_in_range(whole_ones, 3, 20); /* the cut was between sections */
    free(b.at);
    close_fixture(&f);
}

static void every_byte_is_changed(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x80, 0x7f, 0xff};
    struct fixture f;
    struct build b = whole();
    open_types(&f);
    for (size_t at = 0; at < b.len; at++) {
        for (size_t i = 0; i < countof(flips); i++) {
            b.at[at] ^= flips[i];
            read_at_end(&f, b.at, b.len);
            b.at[at] ^= flips[i];
        }
    }
    assert_int_equal(read_at_end(&f, b.at, b.len), ERR_NONE);
    free(b.at);
    close_fixture(&f);
}

/* Memory may run out at any place. */
static void memory_runs_out(void **state)
{
    (void)state;
    struct fixture f;
    struct build b = whole();
    open_types(&f);
    uint8_t *end = f.core.image.end;
    size_t room = 4096;
    for (unsigned failures = 0;; failures++, room += 256) {
        region_release(&f.core.image, f.core.image.base);
        f.core.image.end = f.core.image.base + room;
        struct types *core = types_new(&f.core.image);
        struct cm_types *types = core ? cm_types_new(&f.core.image, core) : NULL;
        f.err = (struct err){0};
        if (types &&
            component_read((struct bytes){b.at, b.len}, b.at, types, &f.core.scratch, &f.err)) {
            assert_in_range(failures, 10, 10000);
            break;
        }
        if (types)
            assert_int_equal(f.err.kind, ERR_MEMORY);
        assert_ptr_equal(f.core.scratch.at, f.core.scratch.base);
    }
    f.core.image.end = end;
    free(b.at);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_component_may_be_empty),
        cmocka_unit_test(failures_say_what_and_where),
        cmocka_unit_test(flags_are_at_most_32),
        cmocka_unit_test(shared_types_are_not_unfolded),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_byte_is_changed),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
