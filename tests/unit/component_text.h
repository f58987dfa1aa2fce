/* Two components, of which one gives the other a text that lies anywhere in its memory:
 *
 *   go: func(at: u32, units: u32)   of the giver: calls `take` with what lies there
 *   take: func(v: string)           of the taker: notes at GOT_AT where it came to lie */
#ifndef CARREL_TESTS_COMPONENT_TEXT_H
#define CARREL_TESTS_COMPONENT_TEXT_H

#include "tests/unit/component_echo.h"

#define TEXT_AT   UINT32_C(8192)
#define UTF16_TAG (UINT32_C(1) << 31)

#define GOT_AT UINT32_C(8) /* in the taker: where it lies, units as they are told */

#define SCRIPT_AT UINT32_C(16) /* in the taker: calls of realloc so far, then what each answers */

/* Texts in the encoding that they are given in. */
struct source {
    const char *bytes;
    uint32_t size;
    uint32_t units;
};

/* A memory whose realloc answers what the test has written. */
static inline struct build build_scripted(void)
{
    struct build b;
    begin_module(&b);
    SECTION_OF(&b, TYPES, 1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f);
    SECTION_OF(&b, FUNCTIONS, 1, 0);
    SECTION_OF(&b, MEMORIES, 1, 0, 0x80 | PAGES % 128, PAGES / 128);
    SECTION_OF(&b, EXPORTS, 2, 1, 'm', 2, 0, 1, 'r', 0, 0);
    SECTION_OF(&b, CODE, 1, 29, 1, 1, 0x7f, /* n = calls; calls = n + 1; answers[n] */
               0x41, SCRIPT_AT, 0x28, 2, 0, 0x21, 4, 0x41, SCRIPT_AT, 0x20, 4, 0x41, 1, 0x6a, 0x36,
               2, 0, 0x20, 4, 0x41, 2, 0x74, 0x28, 2, SCRIPT_AT + 4, 0x0b);
    return b;
}

/* Exports "go": (i32, i32) -> (), which calls "h" "e" with the same. */
static inline struct build build_send(void)
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
static inline struct build build_note(void)
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
static inline void build_taker(struct build *b, enum cm_encoding encoding,
                               struct build (*memory)(void))
{
    begin_component(b);
    SECTION_OF(b, TYPE, 1, 0x40, 1, 1, 'v', 0x73, 1, 0);
    put_memory_of(b, memory);
    struct build note = build_note();
    put_nested(b, CORE_MODULE, &note);
    SECTION_OF(b, CORE_INSTANCE, 1, 0, 1, 1, 1, 'h', 0x12, 0);
    SECTION_OF(b, ALIAS, 1, 0, 0, 1, 1, 2, 'g', 'o');
    put_lifted(b, "take", 1, 0, encoding, 0);
}

/* go: func(at: u32, units: u32), with an import take: func(v: string). */
static inline void build_giver(struct build *b, enum cm_encoding encoding)
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

static inline void build_texts(struct build *b, enum cm_encoding from, enum cm_encoding to,
                               struct build (*memory)(void))
{
    struct build taker;
    struct build giver;
    build_taker(&taker, to, memory);
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

/* --- Looking into memories ----------------------------------------------------------------------
 */

/* The memory of the component that an export comes from. */
static inline uint8_t *memory_of(const struct cm_instance *instance, const char *export,
                                 uint32_t at, uint64_t size)
{
    const struct cm_func *func = cm_export_func(instance, (struct str){0}, str_of(export));
    const struct linear_memory *memory = func->instance->spaces[SORT_CORE_MEMORY][0];
    return (uint8_t *)(uintptr_t)memory_at(memory, at, size);
}

static inline uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline void set_word(uint8_t *at, uint32_t word)
{
    memcpy(at, &word, sizeof word);
}

/* Gives the text that lies there; false: it trapped. */
static inline bool give(struct fixture *f, struct cm_instance *texts, uint32_t at, uint32_t units)
{
    const uint32_t args[2] = {at, units};
    const struct cm_func *go = cm_export_func(texts, (struct str){0}, str_of("go"));
    struct cm_call *call = cm_call_new(f->store, go, args);
    assert_non_null(call);
    fiber_begin(f->vm, f->fiber, cm_call_func(call));
    bool done = fiber_run(f->vm, f->fiber) == FIBER_DONE;
    cm_call_free(call);
    return done;
}

#endif
