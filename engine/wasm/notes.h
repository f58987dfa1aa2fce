/* Notes of what code leads to: calls, references of functions, uses of tables; made while it is
 * validated, or instead of that, when somebody asks for them (module_read_with). A reader of demand
 * follows them (engine/component/reach.h).
 *
 * The notes of a function are 32-bit words, a kind in the upper four bits and an index, or a type's
 * id, in the lower ones; they end with 0. */
#ifndef CARREL_WASM_NOTES_H
#define CARREL_WASM_NOTES_H

#include "engine/base/reader.h"
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
    uint8_t steps[256]; /* of scan_body: how to get past an instruction, by its first byte */
};

/* What is done with the bodies of functions when a module is read. */
enum module_care {
    CARE_VALIDATE, /* module_read */
    CARE_NOTE,     /* module_read_noted */
    CARE_SCAN,     /* noted, and not validated: for who asks what a module leads to, and leaves the
                      rest to another that will run it. Such a module must not be instantiated. */
};
struct module *module_read_with(enum module_care care, struct bytes bytes, const uint8_t *file,
                                struct types *types, struct region *image, struct region *scratch,
                                struct err *err);

/* Notes of one function while they are made. */
struct noting {
    uint32_t *at;                /* where the next one goes; NULL: none are made */
    const uint8_t *constant_end; /* behind the last i32.const that was noted, */
    uint32_t constant_value;     /* and what it gives */
};

/* Notes that are still empty, or NULL if the region is full. */
struct notes *notes_new(struct region *region, uint32_t functions);

/* Begins with the notes of function `func` of the module's own, whose body has `size` bytes: where
 * to write them. NULL if the region is full. Each instruction makes fewer words than it has bytes.
 */
uint32_t *notes_begin(struct notes *notes, struct region *region, uint32_t func, uint32_t size);

/* Ends them at `at`. */
void notes_end(struct notes *notes, uint32_t *at);

/* To be called before scan_body, once for a module. */
void scan_prepare(struct notes *notes);

/* Goes over one function body, locals included, which is not validated: of good code it makes the
 * same notes as validation, and of bad code some whose indices are good. `note` is as for
 * validate_body. -1: the reader failed, with its error set. */
int scan_body(const struct module *module, struct reader *code, uint32_t **note);

#endif
