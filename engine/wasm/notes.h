/* Notes of what code leads to: calls, references of functions, uses of tables; made while it is
 * validated, or instead of that, when somebody asks for them (module_read_with, notes_of). A reader
 * of demand follows them (engine/component/reach.h).
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
    const uint32_t **starts; /* of the module's own functions; NULL: not made yet */
    uint32_t *at;            /* room for more */
    uint32_t *end;
    struct region *region;    /* where they lie */
    struct scan_steps *steps; /* NULL: no body was gone over */
};

/* What is done with the bodies of functions when a module is read. */
enum module_care {
    CARE_VALIDATE, /* module_read */
    CARE_NOTE,     /* module_read_noted */
    CARE_SCAN,     /* not looked at until its notes are asked for: for who asks what a module leads
                      to, and leaves the rest to another that will run it. Such a module must not be
                      instantiated. */
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
uint32_t *notes_begin(struct notes *notes, uint32_t func, uint32_t size);

/* Ends them at `at`. */
void notes_end(struct notes *notes, uint32_t *at);

/* How scan_body gets past instructions. */
struct scan_steps {
    uint8_t kinds[256];    /* by the first byte: what lies behind it */
    uint8_t lengths[1024]; /* by that and whether the next two are continued: how long it is; 0:
                              that is not enough to know */
};

/* To be called before scan_body. */
void scan_prepare(struct scan_steps *steps);

/* Goes over one function body, locals included, which is not validated: of good code it makes the
 * same notes as validation, and of bad code some whose indices are good. `note` is as for
 * validate_body. -1: the reader failed, with its error set. */
int scan_body(const struct module *module, const struct scan_steps *steps, struct reader *code,
              uint32_t **note);

/* The notes of function `func`, one of the module's own, which must have notes; where they were not
 * made yet, its body is gone over now. NULL: that is malformed, or the region is full. */
const uint32_t *notes_of(const struct module *module, uint32_t func);

#endif
