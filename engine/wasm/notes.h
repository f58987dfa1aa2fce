/* Notes of what code leads to: calls, references of functions, uses of tables; made while it is
 * validated, when somebody asks for them (module_read_noted). A reader of demand follows them
 * (engine/component/reach.h).
 *
 * The notes of a function are 32-bit words, a kind in the upper four bits and an index, or a type's
 * id, in the lower ones; they end with 0. */
#ifndef CARREL_WASM_NOTES_H
#define CARREL_WASM_NOTES_H

#include "engine/wasm/module.h"

enum note_kind {
    NOTE_END,
    NOTE_CALL,          /* a function */
    NOTE_CALL_INDIRECT, /* a type; then a word: table * 2, plus 1 if the operand is a constant,
                           which is the word after that */
    NOTE_CALL_REF,      /* a type */
    NOTE_REF_FUNC,      /* a function whose reference is taken */
    NOTE_SEGMENT,       /* an element segment that is used */
    NOTE_TABLE_READ,    /* a table out of which references are taken */
    NOTE_TABLE_CHANGE,  /* a table that is written to */
};

#define NOTE_SHIFT     28
#define NOTE_OF(kind)  ((uint32_t)(kind) << NOTE_SHIFT)
#define NOTE_INDEX(at) ((at) & ((UINT32_C(1) << NOTE_SHIFT) - 1))
#define NOTE_KIND(at)  ((enum note_kind)((at) >> NOTE_SHIFT))

struct notes {
    const uint32_t **starts; /* of the module's own functions */
    uint32_t *at;            /* room for more */
    uint32_t *end;
};

/* Notes that are still empty, or NULL if the region is full. */
struct notes *notes_new(struct region *region, uint32_t functions);

/* Begins with the notes of function `func` of the module's own, whose body has `size` bytes: where
 * to write them. NULL if the region is full. Each instruction makes fewer words than it has bytes.
 */
uint32_t *notes_begin(struct notes *notes, struct region *region, uint32_t func, uint32_t size);

/* Ends them at `at`. */
void notes_end(struct notes *notes, uint32_t *at);

#endif
