/* Translation of validated function bodies to register code. One pass, linear in the size of the
 * body; deterministic, so that a second pass over the same body tells which instruction a word of
 * code came from. */
#ifndef CARREL_WASM_TRANSLATE_H
#define CARREL_WASM_TRANSLATE_H

#include "engine/wasm/code.h"

struct translation {
    const struct module *module;
    const handler_offset *handlers;
    /* For runs and instructions that neither lead back or into a function that calls others, nor
     * write where that is marked: nobody need be interrupted there. NULL: the same. */
    const handler_offset *onward;
    bool marks;  /* whatever writes marks its page */
    bool fuel;   /* count operators */
    bool single; /* every instruction is dispatched: no runs of fuse.def */
    bool traced; /* a TRACE before every operator */
    /* It is stopped (ERR_TIME) once *interrupt, which counts on, has reached interrupt_at. NULL:
     * never. */
    const volatile uint32_t *interrupt;
    uint32_t interrupt_at;
};

/* Gives a module its `struct code`, with every entry set to translate when it is first called.
 * -1: the region is full. */
int translate_prepare(const struct module *module, const handler_offset *handlers,
                      struct region *image, struct err *err);

/* Translates one function and sets its entry. The code is taken from `image`; the free rest of it
 * is used as scratch. -1 and nothing changed: it does not fit (ERR_MEMORY), has more of something
 * than is allowed (ERR_LIMIT), or was stopped (ERR_TIME). */
int translate_func(const struct translation *translation, uint32_t func, struct region *image,
                   struct err *err);

/* Translates all functions. */
int translate_all(const struct translation *translation, struct region *image, struct err *err);

/* The offset in the file of the wasm instruction that the code word at `pc` belongs to, which lies
 * in `func`; found by translating again into the scratch. UINT64_MAX if the scratch is too small.
 */
uint64_t translate_offset(const struct translation *translation, uint32_t func, const code_word *pc,
                          struct region *scratch);

/* The function whose code contains `pc`; UINT32_MAX if it is none of this module's. */
uint32_t code_find(const struct code *code, const code_word *pc);

#endif
