/* What a guest gives is checked: a component whose `get` gives bytes that the test chose. */
#include "tests/unit/component_echo.h"

#define AT 16 /* where the bytes lie */

/* get: func() -> T, with these bytes in memory; what has one flat value is this constant. */
static void build_get(struct build *b, const struct cm_type *value, enum cm_encoding encoding,
                      struct bytes bytes, uint8_t constant)
{
    const struct cm_layout *layout = &value->canon->layout;
    begin_component(b);
    struct encoder e = {.to = b};
    uint32_t v = export_type(&e, "v", encode_type(&e, value));
    size_t func = begin_type(&e);
    PUT(b, 0x40, 0, 0);
    put_value(b, v);
    uint32_t get = end_type(&e, func);
    struct build module;
    begin_module(&module);
    SECTION_OF(&module, TYPES, 1, 0x60, 0, 1, layout->nflat > 1 ? 0x7f : layout->flat[0]);
    SECTION_OF(&module, FUNCTIONS, 1, 0);
    SECTION_OF(&module, MEMORIES, 1, 0, 1);
    SECTION_OF(&module, EXPORTS, 2, 1, 'm', 2, 0, 1, 'g', 0, 0);
    SECTION_OF(&module, CODE, 1, 5, 0, 0x41, constant | 0x80, 0, 0x0b);
    size_t data = begin_section(&module, DATA);
    PUT(&module, 1, 0, 0x41, AT, 0x0b);
    put_u32(&module, (uint32_t)bytes.len);
    put_bytes(&module, bytes.at, bytes.len);
    end_part(&module, data);
    put_nested(b, CORE_MODULE, &module);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 2, 0, 2, 1, 0, 1, 'm', 0, 0, 1, 0, 1, 'g');
    size_t canon = begin_section(b, CANON);
    PUT(b, 1, 0, 0, 0, 2, (uint8_t)encoding, 3, 0);
    put_u32(b, get);
    end_part(b, canon);
    SECTION_OF(b, EXPORT, 1, 0, 3, 'g', 'e', 't', 1, 0, 0);
}

/* Bytes, or a constant, and what they are lifted to: a value, or a trap with this text. */
struct subject {
    const char *type;
    const char *bytes;
    size_t len;
    const char *is;
    const char *trap;
    enum cm_encoding encoding;
    uint8_t constant;
};

#define BYTES(text) (text), sizeof(text) - 1

#define MISALIGNED "pointer is not aligned"
#define OUTSIDE    "pointer is out of bounds of memory"
#define NO_CASE    "variant has no such case"
#define NO_CHAR    "char is no Unicode scalar value"
#define NOT_UTF8   "string is not well-formed UTF-8"
#define NOT_UTF16  "string is not well-formed UTF-16"
#define LATIN1     ENCODING_LATIN1_UTF16

/* clang-format off */
static const struct subject subjects[] = {
    /* Flat values; what does not fit is cut off, or refused. */
    {"bool", NULL, 0, "true", NULL, 0, 2},
    {"bool", NULL, 0, "false", NULL, 0, 0},
    {"u8", NULL, 0, "127", NULL, 0, 127},
    {"char", NULL, 0, "'A'", NULL, 0, 65},
    {"enum { a, b }", NULL, 0, "b", NULL, 0, 1},
    {"enum { a, b }", NULL, 0, NULL, NO_CASE, 0, 2},
    {"flags { a, b }", NULL, 0, "{a, b}", NULL, 0, 127},
    {"result", NULL, 0, "err", NULL, 0, 1},
    {"result", NULL, 0, NULL, NO_CASE, 0, 2},
    /* From memory. The bytes lie at 16. */
    {"tuple<bool, bool>", BYTES("\x00\x80"), "(false, true)", NULL, 0, AT},
    {"tuple<bool, u64>", BYTES("\x01.......\x02\0\0\0\0\0\0\x80"), "(true, 9223372036854775810)", NULL, 0, AT},
    {"tuple<char, u8>", BYTES("\xff\xd7\0\0\x07"), "('\xed\x9f\xbf', 7)", NULL, 0, AT},
    {"tuple<char, u8>", BYTES("\0\xd8\0\0\x07"), NULL, NO_CHAR, 0, AT},
    {"tuple<char, u8>", BYTES("\xff\xdf\0\0\x07"), NULL, NO_CHAR, 0, AT},
    {"tuple<char, u8>", BYTES("\0\0\x11\0\x07"), NULL, NO_CHAR, 0, AT},
    {"tuple<char, u8>", BYTES("\x41\0\0\x80\x07"), NULL, NO_CHAR, 0, AT},
    {"tuple<s8, s16, s32>", BYTES("\xff.\xfe\xff\xfd\xff\xff\xff"), "(-1, -2, -3)", NULL, 0, AT},
    {"tuple<f32, f32>", BYTES("\x01\0\x80\x7f\xff\xff\xff\xff"), "(nan, nan)", NULL, 0, AT},
    {"option<u8>", BYTES("\x01\x09"), "some(9)", NULL, 0, AT},
    {"option<u8>", BYTES("\x00\x09"), "none", NULL, 0, AT},
    {"option<u8>", BYTES("\x02\x09"), NULL, NO_CASE, 0, AT},
    {"variant { a, b(u32), c(u64) }", BYTES("\x01.......\x05\0\0\0"), "b(5)", NULL, 0, AT},
    {"variant { a, b(u32), c(u64) }", BYTES("\x03"), NULL, NO_CASE, 0, AT},
    {"flags { a0, a1, a2, a3, a4, a5, a6, a7, a8 }", NULL, 0, "{a0}", NULL, 0, 1},
    {"tuple<u8, u8>", BYTES("\x01\x02"), "(1, 2)", NULL, 0, AT},
    {"tuple<u8, u16>", BYTES("\x01\x02\x03\x04"), NULL, MISALIGNED, 0, AT + 1},
    {"tuple<u64, u8>", BYTES("\x01\x02\x03\x04"), NULL, MISALIGNED, 0, AT + 4},
    /* Lists: pointer, length. */
    {"list<u8>", BYTES("\x1c\0\0\0\x02\0\0\0....\x05\x06"), "[5, 6]", NULL, 0, AT},
    {"list<u8>", BYTES("\x00\0\x01\0\0\0\0\0"), "[]", NULL, 0, AT},
    {"list<u8>", BYTES("\x01\0\x01\0\0\0\0\0"), NULL, OUTSIDE, 0, AT},
    {"list<u8>", BYTES("\xff\xff\0\0\x02\0\0\0"), NULL, OUTSIDE, 0, AT},
    {"list<u8>", BYTES("\x1c\0\0\0\xff\xff\xff\x0f"), NULL, OUTSIDE, 0, AT},
    {"list<u8>", BYTES("\x1c\0\0\0\0\0\0\x10"), NULL, "list is too long", 0, AT},
    {"list<u64>", BYTES("\x1c\0\0\0\x01\0\0\0"), NULL, MISALIGNED, 0, AT},
    {"list<u64>", BYTES("\x1c\0\0\0\0\0\0\0"), NULL, MISALIGNED, 0, AT},
    {"list<u64>", BYTES("\x18\0\0\0\xff\xff\xff\x01"), NULL, OUTSIDE, 0, AT},
    {"list<u64>", BYTES("\x18\0\0\0\0\0\0\x02"), NULL, "list is too long", 0, AT},
    {"list<u64>", BYTES("\x18\0\0\0\x01\0\0\x20"), NULL, "list is too long", 0, AT},
    {"list<bool>", BYTES("\x18\0\0\0\x02\0\0\0\x02\0"), "[true, false]", NULL, 0, AT},
    {"list<option<u8>>", BYTES("\x18\0\0\0\x02\0\0\0\x00\x01\x02\x01"), NULL, NO_CASE, 0, AT},
    /* Strings. */
    {"string", BYTES("\x18\0\0\0\x03\0\0\0a\xc3\xa9"), "\"aé\"", NULL, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\0a\xc3\xa9"), NULL, NOT_UTF8, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\0\xc0\x80"), NULL, NOT_UTF8, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\x03\0\0\0\xed\xa0\x80"), NULL, NOT_UTF8, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\x04\0\0\0\xf4\x90\x80\x80"), NULL, NOT_UTF8, ENCODING_UTF8, AT},
    {"string", BYTES("\x00\0\x01\0\0\0\0\0"), "\"\"", NULL, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\0\0\x01\0"), NULL, OUTSIDE, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\xff\xff\xff\x0f"), NULL, OUTSIDE, ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\0\0\0\x10"), NULL, "string is too long", ENCODING_UTF8, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\0\x3d\xd8\0\xde"), "\"😀\"", NULL, ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\0\x3d\xd8\x3d\xd8"), NULL, NOT_UTF16, ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\x01\0\0\0\x3d\xd8\0\xde"), NULL, NOT_UTF16, ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\x01\0\0\0\0\xde"), NULL, NOT_UTF16, ENCODING_UTF16, AT},
    {"string", BYTES("\x19\0\0\0\x01\0\0\0...."), NULL, MISALIGNED, ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\xff\xff\xff\x07"), NULL, OUTSIDE, ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\0\0\0\x08"), NULL, "string is too long", ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\x01\0\0\x80.."), NULL, "string is too long", ENCODING_UTF16, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\0\xe9\xff"), "\"éÿ\"", NULL, LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\x02\0\0\x80\xe9\0\x41\0"), "\"éA\"", NULL, LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\x01\0\0\x80\0\xd8"), NULL, NOT_UTF16, LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\xff\xff\xff\x0f"), NULL, OUTSIDE, LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\0\0\0\x10"), NULL, "string is too long", LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\xff\xff\xff\x87"), NULL, OUTSIDE, LATIN1, AT},
    {"string", BYTES("\x18\0\0\0\0\0\0\x88"), NULL, "string is too long", LATIN1, AT},
    {"string", BYTES("\x19\0\0\0\x01\0\0\0a"), NULL, MISALIGNED, LATIN1, AT},
};
/* clang-format on */

static void check(const struct subject *subject)
{
    static struct shown shown;
    struct fixture f;
    open_fixture(&f);
    struct build b;
    build_get(&b, wit_type(&f, subject->type), subject->encoding,
              (struct bytes){(const uint8_t *)subject->bytes, subject->len}, subject->constant);
    struct cm_instance *instance = start_component(&f, &b, NULL);
    enum fiber_state state = call_text(&f, instance, "get", "()", &shown);
    const struct trap *trap = vm_trap(f.vm);
    if (subject->is) {
        if (state != FIBER_DONE)
            fail_msg("%s: %s %s", subject->type, trap_text(trap->kind), trap->text);
        assert_string_equal(shown.text, subject->is);
    } else {
        assert_int_equal(state, FIBER_TRAPPED);
        assert_int_equal(trap->kind, TRAP_COMPONENT);
        assert_string_equal(trap->text, subject->trap);
        assert_memory_equal(trap->value, "result", 6);
        /* What trapped is not entered again. */
        assert_int_equal(call_text(&f, instance, "get", "()", &shown), FIBER_TRAPPED);
        assert_string_equal(vm_trap(f.vm)->text, "cannot enter component instance");
    }
    free(b.at);
    close_fixture(&f);
}

static void what_a_guest_gives_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(subjects); i++)
        check(&subjects[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_guest_gives_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
