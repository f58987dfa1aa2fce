/* The shapes of mistakes that others made in the canonical ABI (wasmtime's advisories of 2026):
 *
 *   GHSA-394w-hwhg-8vgm   writing where realloc says, unchecked
 *   GHSA-hx6p-xpx3-jvvv   reading code units as if they were bytes, beyond the end of memory
 *   GHSA-jxhv-7h78-9775   UTF-16 at odd addresses
 *   GHSA-m758-wjhj-p3jq   flags with bits that have no label */
#include "tests/unit/component_text.h"

#define MEMORY_END ((uint32_t)PAGES << 16)

/* Texts in the encoding that they are given in. */
/* clang-format off */
static const struct source sources[3][4] = {
    [ENCODING_UTF8] = {{"abc", 3, 3}, {"caf\xc3\xa9", 5, 5}, {"a\xc4\x80", 3, 3}, {"\xf0\x9f\x98\x80z", 5, 5}},
    [ENCODING_UTF16] = {{"a\0b\0", 4, 2}, {"a\0\xe9\0", 4, 2}, {"a\0\0\1", 4, 2}, {"\x3d\xd8\0\xde", 4, 2}},
    [ENCODING_LATIN1_UTF16] = {{"abc", 3, 3}, {"caf\xe9", 4, 4}, {"a\0\0\1", 4, 2 | UTF16_TAG}, {"a\0\xe9\0", 4, 2 | UTF16_TAG}},
};
/* clang-format on */

/* The realloc of the taker answers `answer` at call `which`, and well at the others. If that call
 * comes, it traps for this reason; else the text arrives. */
static void answer_badly(enum cm_encoding from, enum cm_encoding to, const struct source *source,
                         uint32_t which, uint32_t answer, const char *why)
{
    struct fixture f;
    struct build b;
    open_fixture(&f);
    build_texts(&b, from, to, build_scripted);
    struct cm_instance *texts = start_component(&f, &b, NULL);
    memcpy(memory_of(texts, "go", TEXT_AT, source->size), source->bytes, source->size);
    uint8_t *script = memory_of(texts, "take", SCRIPT_AT, 64);
    for (uint32_t i = 0; i < 4; i++)
        set_word(script + 4 + 4 * i, i == which ? answer : 1024 + 1024 * i);
    /* The page before the end, to see that nothing is written there. */
    const uint8_t *last = memory_of(texts, "take", MEMORY_END - 65536, 65536);
    bool done = give(&f, texts, TEXT_AT, source->units);
    uint32_t calls = word_at(script);
    bool tolerable = answer < MEMORY_END && to == ENCODING_UTF8; /* odd, and may be so */
    if (done != (calls <= which || tolerable))
        fail_msg("%d to %d, call %u answers %#x: %s", from, to, which, answer,
                 done ? "nothing is wrong" : vm_trap(f.vm)->text);
    if (!done && !strstr(vm_trap(f.vm)->text, why))
        fail_msg("%s", vm_trap(f.vm)->text);
    for (size_t i = 0; i < 65536; i++)
        assert_int_equal(last[i], 0);
    free(b.at);
    close_fixture(&f);
}

static void realloc_is_not_believed(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 9; pair++)
        for (unsigned text = 0; text < 4; text++)
            for (uint32_t which = 0; which < 3; which++) {
                enum cm_encoding from = (enum cm_encoding)(pair / 3);
                enum cm_encoding to = (enum cm_encoding)(pair % 3);
                const struct source *source = &sources[from][text];
                answer_badly(from, to, source, which, MEMORY_END, "out of bounds");
                answer_badly(from, to, source, which, UINT32_MAX - 1, "out of bounds");
            }
}

static void utf16_is_aligned_where_it_is_stored(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 9; pair++)
        for (unsigned text = 0; text < 4; text++) {
            enum cm_encoding from = (enum cm_encoding)(pair / 3);
            enum cm_encoding to = (enum cm_encoding)(pair % 3);
            answer_badly(from, to, &sources[from][text], 0, 1025, "not aligned");
        }
}

/* A text at `at` of `units` traps for this reason, in each encoding of the other side. */
static void refuse(enum cm_encoding from, uint32_t at, uint32_t units, const char *why)
{
    for (unsigned to = 0; to < 3; to++) {
        struct fixture f;
        struct build b;
        open_fixture(&f);
        build_texts(&b, from, (enum cm_encoding)to, build_memory);
        struct cm_instance *texts = start_component(&f, &b, NULL);
        assert_false(give(&f, texts, at, units));
        if (!strstr(vm_trap(f.vm)->text, why))
            fail_msg("%d to %u, %u at %#x: %s", from, to, units, at, vm_trap(f.vm)->text);
        assert_int_equal(word_at(memory_of(texts, "take", LOG_AT, 4)), 0); /* nobody was asked */
        free(b.at);
        close_fixture(&f);
    }
}

static void units_are_not_bytes(void **state)
{
    (void)state;
    refuse(ENCODING_UTF8, MEMORY_END - 4, 5, "out of bounds");
    refuse(ENCODING_UTF16, MEMORY_END - 4, 3, "out of bounds");
    refuse(ENCODING_UTF16, MEMORY_END / 2, MEMORY_END / 4 + 1, "out of bounds");
    refuse(ENCODING_LATIN1_UTF16, MEMORY_END - 4, 5, "out of bounds");
    refuse(ENCODING_LATIN1_UTF16, MEMORY_END - 4, 3 | UTF16_TAG, "out of bounds");
    refuse(ENCODING_UTF16, 0, UINT32_C(1) << 28, "too long");
    refuse(ENCODING_UTF16, 0, UINT32_MAX, "too long");
    refuse(ENCODING_UTF8, 0, UINT32_C(1) << 28, "too long");
    refuse(ENCODING_LATIN1_UTF16, 0, UINT32_C(1) << 27 | UTF16_TAG, "too long");
    refuse(ENCODING_UTF8, UINT32_MAX, 2, "out of bounds");
}

static void utf16_is_aligned_where_it_is_read(void **state)
{
    (void)state;
    refuse(ENCODING_UTF16, TEXT_AT + 1, 2, "not aligned");
    refuse(ENCODING_UTF16, TEXT_AT + 1, 0, "not aligned");
    refuse(ENCODING_LATIN1_UTF16, TEXT_AT + 1, 2, "not aligned");
    refuse(ENCODING_LATIN1_UTF16, TEXT_AT + 1, 2 | UTF16_TAG, "not aligned");
}

/* --- Flags --------------------------------------------------------------------------------------
 */

/* get: func() -> flags, which gives all bits. */
static void build_flags(struct build *b, const struct cm_type *flags)
{
    struct build all;
    begin_module(&all);
    SECTION_OF(&all, TYPES, 1, 0x60, 0, 1, 0x7f);
    SECTION_OF(&all, FUNCTIONS, 1, 0);
    SECTION_OF(&all, EXPORTS, 1, 3, 'g', 'e', 't', 0, 0);
    SECTION_OF(&all, CODE, 1, 4, 0, 0x41, 0x7f, 0x0b);
    begin_component(b);
    struct encoder e = {.to = b};
    uint32_t type = encode_type(&e, flags);
    size_t types = begin_section(b, TYPE);
    PUT(b, 1, 0x40, 0, 0, (uint8_t)type);
    end_part(b, types);
    put_nested(b, CORE_MODULE, &all);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 0, 0);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 0, 3, 'g', 'e', 't');
    SECTION_OF(b, CANON, 1, 0, 0, 0, 0, (uint8_t)(type + 1));
    SECTION_OF(b, EXPORT, 1, 0, 3, 'g', 'e', 't', 1, 0, 0);
}

static void bits_without_a_label_are_dropped(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 32; count++) {
        static const char names[] = "abcdefghijklmnopqrstuvwxyz";
        char text[400] = "flags { ";
        char expected[400] = "{";
        for (uint32_t i = 0; i < count; i++) {
            char label[8];
            snprintf(label, sizeof label, "%s%c%s", i ? ", " : "", names[i % 26],
                     i < 26 ? "" : "2");
            strcat(text, label);
            strcat(expected, label);
        }
        strcat(text, " }");
        strcat(expected, "}");
        struct fixture f;
        struct build b;
        open_fixture(&f);
        build_flags(&b, wit_type(&f, text));
        expect_call(&f, start_component(&f, &b, NULL), "get", "()", expected);
        free(b.at);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(realloc_is_not_believed),
        cmocka_unit_test(utf16_is_aligned_where_it_is_stored),
        cmocka_unit_test(units_are_not_bytes),
        cmocka_unit_test(utf16_is_aligned_where_it_is_read),
        cmocka_unit_test(bits_without_a_label_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
