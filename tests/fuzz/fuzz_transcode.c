/* libFuzzer on strings between components: any bytes at any place, as a string of each encoding, to
 * a component of each encoding. A plain reference, scalar value by scalar value, says what arrives,
 * or that the string is wrong and traps. */
#include "tests/fuzz/choices.h"
#include "tests/unit/component_echo.h"

#define TEXT_AT   UINT32_C(8192)
#define TEXT_MAX  UINT32_C(4096)
#define GOT_AT    UINT32_C(8) /* in the callee: where it lies, units as they are told */
#define UTF16_TAG (UINT32_C(1) << 31)
#define WRONG     UINT32_MAX

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- The reference ------------------------------------------------------------------------------
 */

struct scalars {
    uint32_t at[TEXT_MAX];
    uint32_t count;
};

/* The next scalar value of UTF-8, by the table of the Unicode standard (3-7); WRONG. */
static uint32_t next_utf8(const uint8_t *at, size_t left, size_t *ret_size)
{
    static const struct {
        uint8_t first[2], second[2], size, bits;
    } rows[] = {{{0xc2, 0xdf}, {0x80, 0xbf}, 2, 0x1f}, {{0xe0, 0xe0}, {0xa0, 0xbf}, 3, 0x0f},
                {{0xe1, 0xec}, {0x80, 0xbf}, 3, 0x0f}, {{0xed, 0xed}, {0x80, 0x9f}, 3, 0x0f},
                {{0xee, 0xef}, {0x80, 0xbf}, 3, 0x0f}, {{0xf0, 0xf0}, {0x90, 0xbf}, 4, 0x07},
                {{0xf1, 0xf3}, {0x80, 0xbf}, 4, 0x07}, {{0xf4, 0xf4}, {0x80, 0x8f}, 4, 0x07}};
    *ret_size = 1;
    if (at[0] < 0x80)
        return at[0];
    for (size_t i = 0; i < countof(rows); i++) {
        if (at[0] < rows[i].first[0] || at[0] > rows[i].first[1])
            continue;
        if (left < rows[i].size || at[1] < rows[i].second[0] || at[1] > rows[i].second[1])
            return WRONG;
        uint32_t scalar = at[0] & rows[i].bits;
        for (unsigned k = 1; k < rows[i].size; k++) {
            if (at[k] < 0x80 || at[k] > 0xbf)
                return WRONG;
            scalar = scalar * 64 + at[k] % 64;
        }
        *ret_size = rows[i].size;
        return scalar;
    }
    return WRONG;
}

static uint32_t next_utf16(const uint8_t *at, size_t left, size_t *ret_size)
{
    uint32_t unit = at[0] + at[1] * 256u;
    *ret_size = 2;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    uint32_t low = left >= 4 ? at[2] + at[3] * 256u : 0;
    *ret_size = 4;
    return unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff
               ? 0x10000 + (unit - 0xd800) * 1024 + (low - 0xdc00)
               : WRONG;
}

enum form { FORM_UTF8, FORM_UTF16, FORM_LATIN1 };

static bool decode(const uint8_t *at, size_t size, enum form form, struct scalars *ret)
{
    ret->count = 0;
    while (size) {
        size_t used = 1;
        uint32_t scalar = at[0];
        if (form == FORM_UTF8)
            scalar = next_utf8(at, size, &used);
        else if (form == FORM_UTF16)
            scalar = next_utf16(at, size, &used);
        if (scalar == WRONG)
            return false;
        ret->at[ret->count++] = scalar;
        at += used;
        size -= used;
    }
    return true;
}

/* --- Two components -----------------------------------------------------------------------------
 */

/* Exports "go": (i32, i32) -> (), which calls "h" "e" with the same. */
static struct build build_send(void)
{
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 2, 0x7f, 0x7f, 0);
    SECTION_OF(&b, IMPORTS, 1, 1, 'h', 1, 'e', 0, 0);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, EXPORTS, 1, 2, 'g', 'o', 0, 1);
    SECTION_OF(&b, CODE, 1, 8, 0, 0x20, 0, 0x20, 1, 0x10, 0, 0x0b);
    return b;
}

/* Exports "go": (i32, i32) -> (), which notes both in the memory "h" "m". */
static struct build build_note(void)
{
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 2, 0x7f, 0x7f, 0);
    SECTION_OF(&b, IMPORTS, 1, 1, 'h', 1, 'm', 2, 0, 1);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, EXPORTS, 1, 2, 'g', 'o', 0, 0);
    SECTION_OF(&b, CODE, 1, 16, 0, 0x41, GOT_AT, 0x20, 0, 0x36, 2, 0, 0x41, GOT_AT, 0x20, 1, 0x36,
               2, 4, 0x0b);
    return b;
}

/* take: func(v: string) */
static void build_taker(struct build *b, enum cm_encoding encoding)
{
    begin_component(b);
    SECTION_OF(b, TYPE, 1, 0x40, 1, 1, 'v', 0x73, 1, 0);
    put_memory(b);
    struct build note = build_note();
    put_nested(b, CORE_MODULE, &note);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 1, 1, 1, 'h', 0x12, 0);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 1, 2, 'g', 'o');
    put_lifted(b, "take", 1, 0, encoding, 0);
}

/* go: func(at: u32, units: u32), with an import take: func(v: string). */
static void build_giver(struct build *b, enum cm_encoding encoding)
{
    begin_component(b);
    SECTION_OF(b, TYPE, 2, 0x40, 1, 1, 'v', 0x73, 1, 0, 0x40, 2, 2, 'a', 't', 0x79, 5, 'u', 'n',
               'i', 't', 's', 0x79, 1, 0);
    SECTION_OF(b, IMPORT, 1, 0, 4, 't', 'a', 'k', 'e', 1, 0);
    put_memory(b);
    size_t canon = begin_section(b, CANON);
    PUT(b, 1, 1, 0, 0);
    PUT_OPTIONS(b, encoding);
    end_part(b, canon);
    struct build send = build_send();
    put_nested(b, CORE_MODULE, &send);
    SECTION_OF(b, CORE_INSTANCE, 2, 1, 1, 1, 'e', 0, 1, 0, 1, 1, 1, 'h', 0x12, 1);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 2, 2, 'g', 'o');
    put_lifted(b, "go", 2, 1, encoding, 1);
}

static void build_both(struct build *b, enum cm_encoding from, enum cm_encoding to)
{
    struct build taker;
    struct build giver;
    build_taker(&taker, to);
    build_giver(&giver, from);
    begin_component(b);
    put_nested(b, COMPONENT, &taker);
    put_nested(b, COMPONENT, &giver);
    SECTION_OF(b, INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 1, 1, 0, 0, 4, 't', 'a', 'k', 'e');
    SECTION_OF(b, INSTANCE, 1, 0, 1, 1, 4, 't', 'a', 'k', 'e', 1, 0);
    SECTION_OF(b, ALIAS, 2, 1, 0, 1, 2, 'g', 'o', 1, 0, 0, 4, 't', 'a', 'k', 'e');
    SECTION_OF(b, EXPORT, 2, 0, 2, 'g', 'o', 1, 1, 0, 0, 4, 't', 'a', 'k', 'e', 1, 2, 0);
}

/* --- One call -----------------------------------------------------------------------------------
 */

static uint8_t *memory_of(const struct cm_instance *instance, const char *export, uint32_t at,
                          uint64_t size)
{
    const struct cm_func *func = cm_export_func(instance, (struct str){0}, str_of(export));
    const struct linear_memory *memory = func->instance->spaces[SORT_CORE_MEMORY][0];
    return (uint8_t *)(uintptr_t)memory_at(memory, at, size);
}

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "not so: %s\n", #condition);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What arrived is this text, in the form that the encoding has for it. */
static void check_arrived(const struct cm_instance *both, enum cm_encoding to,
                          const struct scalars *text)
{
    static struct scalars arrived;
    uint32_t units = word_at(memory_of(both, "take", GOT_AT + 4, 4));
    enum form form = to == ENCODING_UTF8 ? FORM_UTF8 : FORM_UTF16;
    bool latin1 = true;
    for (uint32_t i = 0; i < text->count; i++)
        latin1 = latin1 && text->at[i] < 256;
    if (to == ENCODING_LATIN1_UTF16) {
        EXPECT(latin1 == !(units & UTF16_TAG));
        form = latin1 ? FORM_LATIN1 : FORM_UTF16;
        units &= ~UTF16_TAG;
    }
    uint32_t size = units << (form == FORM_UTF16);
    uint32_t at = word_at(memory_of(both, "take", GOT_AT, 4));
    const uint8_t *bytes = memory_of(both, "take", at, size ? size : 1);
    EXPECT(bytes != NULL && (to == ENCODING_UTF8 || at % 2 == 0));
    EXPECT(units <= 3 * TEXT_MAX && decode(bytes, size, form, &arrived));
    EXPECT(arrived.count == text->count &&
           !memcmp(arrived.at, text->at, text->count * sizeof *text->at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scalars text;
    struct choices c = {data, size};
    enum cm_encoding from = (enum cm_encoding)choose(&c, 3);
    enum cm_encoding to = (enum cm_encoding)choose(&c, 3);
    bool tagged = from == ENCODING_LATIN1_UTF16 && choose(&c, 2);
    uint32_t odd = choose(&c, 8);
    enum form form = from == ENCODING_UTF8              ? FORM_UTF8
                     : from == ENCODING_UTF16 || tagged ? FORM_UTF16
                                                        : FORM_LATIN1;
    uint32_t units = (uint32_t)(c.left < TEXT_MAX ? c.left : TEXT_MAX) >> (form == FORM_UTF16);
    uint32_t bytes = units << (form == FORM_UTF16);
    struct fixture f;
    struct build b;
    open_fixture(&f);
    build_both(&b, from, to);
    struct cm_instance *both = start_component(&f, &b, NULL);
    uint32_t args[2] = {TEXT_AT + odd, units | (tagged ? UTF16_TAG : 0)};
    memcpy(memory_of(both, "go", TEXT_AT + odd, TEXT_MAX), c.at, bytes);
    const struct cm_func *go = cm_export_func(both, (struct str){0}, str_of("go"));
    struct cm_call *call = cm_call_new(f.store, go, args);
    assert_non_null(call);
    fiber_begin(f.vm, f.fiber, cm_call_func(call));
    bool done = fiber_run(f.vm, f.fiber) == FIBER_DONE;
    bool aligned = from == ENCODING_UTF8 || odd % 2 == 0;
    bool good = aligned && decode(c.at, bytes, form, &text);
    EXPECT(done == good);
    if (done)
        check_arrived(both, to, &text);
    cm_call_free(call);
    free(b.at);
    close_fixture(&f);
    return 0;
}
