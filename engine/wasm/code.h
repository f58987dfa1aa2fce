/* Translated code: its shape, and the shape of the frames that it runs in. Shared by the
 * translator, which emits it, and the interpreter, which runs it.
 *
 * A frame is an array of 8-byte slots that starts where the caller staged the arguments:
 *
 *   [0, A)          parameters, in their order; later the results
 *   [A, A+5)        the link: where to return
 *   [A+5, ...)      further locals, then operands by their height on the wasm stack
 *
 * A is the larger of the parameter and result slots. The next frame overlaps this one's operands,
 * so arguments are never copied. */
#ifndef CARREL_WASM_CODE_H
#define CARREL_WASM_CODE_H

#include "engine/wasm/module.h"

typedef uint64_t code_word;

enum link {
    LINK_PC,       /* where to go on: a code_word pointer */
    LINK_FP,       /* the caller's frame */
    LINK_ACROSS,   /* if the call crossed instances LINK_PC points here, at an instruction: */
    LINK_CALLER,   /*   RETURN_ACROSS, the caller's pc, */
    LINK_INSTANCE, /*   the caller's instance */
    LINK_SLOTS
};

/* Where the link of a frame of this type lies. */
static inline uint32_t frame_link(const struct functype *type)
{
    return type->param_slots > type->result_slots ? type->param_slots : type->result_slots;
}

/* Which slots of a frame hold references, for the collector: runs of slots, each followed by the
 * next one (one more than its place, 0: none). Points share the runs that they have in common. */
struct map_run {
    uint32_t slot;
    uint32_t count;
    uint32_t next;
};

/* How many slots of a frame may have to be looked at: a frame is scanned in one piece. */
#define MAP_SLOTS_MOST 65536u

/* From this word of a function's code on, up to the next point: the first run, or 0. It holds for
 * the instructions that allocate, and for the last word of those that call. */
struct map_point {
    uint32_t at;
    uint32_t run;
};

/* A translated function, for the way back from code to names and maps. */
struct code_range {
    const code_word *start;
    const code_word *end;
    uint32_t func;
    uint32_t npoints;
    const struct map_point *points;
    const struct map_run *runs;
};

/* The code of one module. `entries` is indexed by function (imports have none) and holds what a
 * call jumps to: at first a word that translates. */
struct code {
    const code_word **entries;
    struct code_range *ranges; /* in the order of translation, which is that of addresses */
    uint32_t nranges;
    code_word lazy[1]; /* the LAZY instruction */
};

/* The function whose code contains `pc`; NULL if it is none of this module's. */
const struct code_range *code_range_find(const struct code *code, const code_word *pc);

#endif
