/* Strings into guest memory: the calls of realloc are exactly those of CanonicalABI.md, in all nine
 * pairs of encodings. */
#include "tests/unit/component_text.h"

/* A string's forms, and what lowering it asks of realloc: size before, alignment, size. */
#define CALLS 3

struct calls {
    uint32_t of[CALLS][3]; /* alignment 0: no more */
};

/* The texts, and for each the calls by form of the source and encoding of the target. A source of
 * latin1+utf16 is one or the other. */
enum { ASCII, LATIN, WIDE, EMPTY, TEXTS };

static const char *const texts[TEXTS] = {"abc", "café", "aĀ", ""};

/* clang-format off */
static const struct calls expected[TEXTS][3][3] = {
    [ASCII] = {
        [ENCODING_UTF8] = {{{{0, 1, 3}}}, {{{0, 2, 6}}}, {{{0, 2, 3}}}},
        [ENCODING_UTF16] = {{{{0, 1, 3}}}, {{{0, 2, 6}}}, {{{0, 2, 3}}}},
        [ENCODING_LATIN1_UTF16] = {{{{0, 1, 3}}}, {{{0, 2, 6}}}, {{{0, 2, 3}}}},
    },
    [LATIN] = {
        [ENCODING_UTF8] = {{{{0, 1, 5}}}, {{{0, 2, 10}, {10, 2, 8}}}, {{{0, 2, 5}, {5, 2, 4}}}},
        [ENCODING_UTF16] = {{{{0, 1, 4}, {4, 1, 12}, {12, 1, 5}}}, {{{0, 2, 8}}}, {{{0, 2, 4}}}},
        [ENCODING_LATIN1_UTF16] = {{{{0, 1, 4}, {4, 1, 8}, {8, 1, 5}}}, {{{0, 2, 8}}}, {{{0, 2, 4}}}},
    },
    [WIDE] = {
        [ENCODING_UTF8] = {{{{0, 1, 3}}}, {{{0, 2, 6}, {6, 2, 4}}}, {{{0, 2, 3}, {3, 2, 6}, {6, 2, 4}}}},
        [ENCODING_UTF16] = {{{{0, 1, 2}, {2, 1, 6}, {6, 1, 3}}}, {{{0, 2, 4}}}, {{{0, 2, 2}, {2, 2, 4}}}},
        [ENCODING_LATIN1_UTF16] = {{{{0, 1, 2}, {2, 1, 6}, {6, 1, 3}}}, {{{0, 2, 4}}}, {{{0, 2, 4}}}},
    },
    [EMPTY] = {
        [ENCODING_UTF8] = {{{{0, 1, 0}}}, {{{0, 2, 0}}}, {{{0, 2, 0}}}},
        [ENCODING_UTF16] = {{{{0, 1, 0}}}, {{{0, 2, 0}}}, {{{0, 2, 0}}}},
        [ENCODING_LATIN1_UTF16] = {{{{0, 1, 0}}}, {{{0, 2, 0}}}, {{{0, 2, 0}}}},
    },
};
/* clang-format on */

/* The log of realloc in an instance of put_memory. */
struct log {
    const uint8_t *at;
    uint32_t next;
};

static uint32_t logged_at(const struct log *log, uint32_t offset)
{
    uint32_t word;
    memcpy(&word, log->at + offset, sizeof word);
    return word;
}

static struct log log_of(const struct cm_instance *instance)
{
    const struct linear_memory *memory = instance->spaces[SORT_CORE_MEMORY][0];
    const uint8_t *at = memory_at(memory, LOG_AT, 4096);
    if (!at)
        abort();
    return (struct log){at, 0};
}

/* The next call is this one; gives the block that it was called with. */
static uint32_t expect_realloc(struct log *log, uint32_t old_size, uint32_t align, uint32_t size)
{
    uint32_t entry = 4 + 16 * log->next++;
    assert_in_range(log->next, 1, logged_at(log, 0));
    assert_int_equal(logged_at(log, entry + 4), old_size);
    assert_int_equal(logged_at(log, entry + 8), align);
    assert_int_equal(logged_at(log, entry + 12), size);
    return logged_at(log, entry);
}

static void expect_lowered(struct log *log, const struct calls *calls)
{
    for (unsigned i = 0; i < CALLS && calls->of[i][1]; i++) {
        const uint32_t *call = calls->of[i];
        uint32_t old = expect_realloc(log, call[0], call[1], call[2]);
        assert_int_equal(old == 0, i == 0);
    }
}

#define SPILL "u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8"

/* The function `echo` that an instance of build_caller imports. */
static const struct cm_func *imported_echo(const struct cm_instance *caller)
{
    const struct cm_exports *imported = caller->imports[0];
    for (uint32_t i = 0; i < imported->names->count; i++)
        if (str_is(imported->names->at[i].name->text, "echo"))
            return imported->items[i];
    fail();
    return NULL;
}

static void check_pair(int text, enum cm_encoding outer, enum cm_encoding inner)
{
    struct fixture f;
    open_fixture(&f);
    struct build b;
    build_pair(&b, wit_type(&f, "tuple<string, " SPILL ">"), outer, inner);
    struct cm_instance *pair = start_component(&f, &b, NULL);
    char result[200];
    char args[202];
    snprintf(result, sizeof result,
             "(\"%s\", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)", texts[text]);
    snprintf(args, sizeof args, "(%s)", result);
    expect_call(&f, pair, "go", args, result);
    const struct cm_func *go = cm_export_func(pair, (struct str){0}, str_of("go"));
    struct log log = log_of(go->instance);
    assert_int_equal(expect_realloc(&log, 0, 4, 28), 0); /* the spilt arguments */
    expect_lowered(&log, &expected[text][ENCODING_UTF8][outer]);
    expect_lowered(&log, &expected[text][inner][outer]);
    assert_int_equal(log.next, logged_at(&log, 0));
    log = log_of(imported_echo(go->instance)->instance);
    assert_int_equal(expect_realloc(&log, 0, 4, 28), 0);
    expect_lowered(&log, &expected[text][outer][inner]);
    assert_int_equal(log.next, logged_at(&log, 0));
    free(b.at);
    close_fixture(&f);
}

static void lowering_calls_realloc_as_specified(void **state)
{
    (void)state;
    for (int encodings = 0; encodings < 9; encodings++)
        for (int text = 0; text < TEXTS; text++)
            check_pair(text, (enum cm_encoding)(encodings / 3), (enum cm_encoding)(encodings % 3));
}

/* --- What realloc finds -------------------------------------------------------------------------
 */

/* A text on its way to another encoding, and what lies in each block that realloc has given when
 * the text has come to lie in the last one: blocks are full of dots before, and realloc moves
 * nothing. */
struct blocks {
    enum cm_encoding from;
    enum cm_encoding to;
    struct source source;
    const char *left[CALLS]; /* NULL: no more */
};

#define TEXT(bytes) (bytes), sizeof(bytes) - 1

/* clang-format off */
static const struct blocks blocks[] = {
    {ENCODING_UTF8, ENCODING_UTF16, {TEXT("a\xc3\xa9"), 3}, {"a\0\xe9\0....", "........"}},
    {ENCODING_UTF8, ENCODING_LATIN1_UTF16, {TEXT("a\xc3\xa9"), 3}, {"a\xe9......", "........"}},
    {ENCODING_UTF8, ENCODING_LATIN1_UTF16, {TEXT("a\xc4\x80"), 3}, {"a.......", ".\0\0\1....", "........"}},
    {ENCODING_UTF16, ENCODING_UTF8, {TEXT("a\0b\0"), 2}, {"ab......"}},
    {ENCODING_UTF16, ENCODING_UTF8, {TEXT("a\0\xe9\0b\0"), 3}, {"a.......", ".\xc3\xa9""b....", "........"}},
    {ENCODING_UTF16, ENCODING_UTF8, {TEXT("\x3d\xd8\0\xdez\0"), 3}, {"........", "\xf0\x9f\x98\x80z...", "........"}},
    {ENCODING_UTF16, ENCODING_LATIN1_UTF16, {TEXT("\xe9\0\0\1"), 2}, {"\xe9.......", ".\0\0\1...."}},
    {ENCODING_LATIN1_UTF16, ENCODING_UTF8, {TEXT("ab\xe9"), 3}, {"ab......", "..\xc3\xa9....", "........"}},
    {ENCODING_LATIN1_UTF16, ENCODING_UTF8, {TEXT("a\0\xe9\0"), 2 | UTF16_TAG}, {"a.......", ".\xc3\xa9.....", "........"}},
    {ENCODING_LATIN1_UTF16, ENCODING_LATIN1_UTF16, {TEXT("a\0\xe9\0"), 2 | UTF16_TAG}, {"a\xe9\xe9\0....", "........"}},
    {ENCODING_LATIN1_UTF16, ENCODING_LATIN1_UTF16, {TEXT("a\0\0\1"), 2 | UTF16_TAG}, {"a\0\0\1...."}},
};
/* clang-format on */

static void what_is_written_when_realloc_is_called_is_as_specified(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(blocks); i++) {
        const struct blocks *row = &blocks[i];
        struct fixture f;
        struct build b;
        open_fixture(&f);
        build_texts(&b, row->from, row->to, build_scripted);
        struct cm_instance *pair = start_component(&f, &b, NULL);
        memcpy(memory_of(pair, "go", TEXT_AT, row->source.size), row->source.bytes,
               row->source.size);
        uint8_t *script = memory_of(pair, "take", SCRIPT_AT, 64);
        uint8_t *room = memory_of(pair, "take", 1024, 1024);
        memset(room, '.', 1024);
        for (uint32_t call = 0; call < CALLS; call++)
            set_word(script + 4 + 4 * call, 1024 + 16 * call);
        assert_true(give(&f, pair, TEXT_AT, row->source.units));
        uint32_t calls = 0;
        for (; calls < CALLS && row->left[calls]; calls++)
            if (memcmp(room + (size_t)16 * calls, row->left[calls], 8) != 0)
                fail_msg("row %zu: block %u is not as expected", i, calls);
        assert_int_equal(word_at(script), calls);
        free(b.at);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowering_calls_realloc_as_specified),
        cmocka_unit_test(what_is_written_when_realloc_is_called_is_as_specified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
