/* libFuzzer on strings between components: any bytes at any place, as a string of each encoding, to
 * a component of each encoding. A plain reference, scalar value by scalar value, says what arrives,
 * or that the string is wrong and traps. */
#include "tests/fuzz/choices.h"
#include "tests/unit/component_text.h"

#define TEXT_MAX  UINT32_C(4096)
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

/* --- One call -----------------------------------------------------------------------------------
 */

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
    build_texts(&b, from, to, build_memory);
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
