/* Translated code: its shape, and the shape of the frames that it runs in. Shared by the
 * translator, which emits it, and the interpreter, which runs it.
 *
 * A frame is an array of 8-byte slots that starts where the caller staged the arguments:
 *
 *   [0, A)          parameters, in their order; later the results
 *   [A, A+5)        the link: where to return
 *   [A+5, ...)      further locals, then operands by their height on the wasm stack
 *
 * A is the larger of the parameter and result slots, but at least LINK_NEAR. The next frame
 * overlaps this one's operands, so arguments are never copied. */
#ifndef CARREL_WASM_CODE_H
#define CARREL_WASM_CODE_H

#include "engine/wasm/module.h"

typedef uint64_t code_word;

/* Handlers by enum xop, each as its distance in bytes from the table: so the table is the same
 * wherever the program lies, and a cell need not write it when it starts. */
typedef int32_t handler_offset;

static inline code_word handler_word(const handler_offset *handlers, unsigned xop)
{
    return (code_word)((intptr_t)handlers + handlers[xop]);
}

/* A branch's 32-bit field: the distance from its instruction in bytes, and a bias. That is read by
 * adding zeros, which costs nothing, where a sign would cost a cycle of every turn of a loop. */
#define BRANCH_BIAS INT64_C(0x80000000)

static inline const code_word *branch_target(const code_word *from, uint32_t field)
{
    return (const code_word *)((const char *)from + ((int64_t)field - BRANCH_BIAS));
}

enum link {
    LINK_PC,       /* where to go on: a code_word pointer */
    LINK_FP,       /* the caller's frame */
    LINK_ACROSS,   /* if the call crossed instances LINK_PC points here, at an instruction: */
    LINK_CALLER,   /*   RETURN_ACROSS, the caller's pc, */
    LINK_INSTANCE, /*   the caller's instance */
    LINK_SLOTS
};

/* Where links lie of all functions but those with more parameters or results: these return by
 * handlers that need not read where (RET_FAR and the like do). */
#define LINK_NEAR 4u

/* Where the link of a frame of this type lies. */
static inline uint32_t frame_link(const struct functype *type)
{
    uint32_t slots =
        type->param_slots > type->result_slots ? type->param_slots : type->result_slots;
    return slots > LINK_NEAR ? slots : LINK_NEAR;
}

/* What holds from this word of a function's code on, up to the next point. */
struct code_point {
    uint32_t at;
    uint32_t what; /* 0: nothing */
};

/* What the last point at or before a word says; 0 before the first. */
static inline uint32_t code_point_at(const struct code_point *points, uint32_t count, uint32_t word)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (points[middle].at <= word)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? points[low - 1].what : 0;
}

/* Which slots of a frame hold references, for the collector: runs of slots, each followed by the
 * next one (one more than its place, 0: none). A point says the first run; points share the runs
 * that they have in common. They hold for the instructions that allocate, and for the last word of
 * those that call. */
struct map_run {
    uint32_t slot;
    uint32_t count;
    uint32_t next;
};

/* Who catches what is thrown in a function: a point says the innermost region. Nothing of it is
 * looked at until something is thrown.
 *
 * Regions are the bodies of try and try_table, numbered from 1 in the order in which they begin;
 * each has landings, in the order in which they are tried, and an outer region, which is tried when
 * none of them fits (0: none; of a delegate, the one that it names). */
struct try_region {
    uint32_t outer;
    uint32_t first; /* one more than the place of its first landing; 0: none */
    uint32_t last;
};

#define ANY_TAG UINT32_MAX
#define NO_SLOT UINT32_MAX

struct try_landing {
    uint32_t tag;    /* of the module, or ANY_TAG */
    uint32_t at;     /* where to go on: a branch from the start of the function */
    uint32_t values; /* the slot where the exception's values go, or NO_SLOT */
    uint32_t ref;    /* the slot where the exception itself goes, or NO_SLOT */
    uint32_t next;   /* as `first` of the region */
};

struct try_map {
    uint32_t npoints;
    const struct code_point *points;
    const struct try_region *regions; /* region n is regions[n - 1] */
    const struct try_landing *landings;
};

/* A translated function, for the way back from code to names and maps. */
struct code_range {
    const code_word *start;
    const code_word *end;
    uint32_t func;
    uint32_t npoints;
    const struct code_point *points;
    const struct map_run *runs;
    const struct try_map *tries; /* NULL: nothing is caught here */
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
