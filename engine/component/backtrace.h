/* Backtraces in a component's own words. The frame of a native function is a canonical definition
 * at work: a lowered function, a lifted one, a built-in; a call from one component to another is
 * two of them, as in CanonicalABI.md: `canon lower` of who calls, and `canon lift` of who is
 * called. */
#ifndef CARREL_COMPONENT_BACKTRACE_H
#define CARREL_COMPONENT_BACKTRACE_H

#include "engine/component/instance.h"

enum cm_frame_kind {
    FRAME_OF_CODE,    /* a function of a core module */
    FRAME_OF_NATIVE,  /* what carrel does for it; `name` is empty if that is no component's */
    FRAME_OF_CALLER,  /* no frame: who called the async function of the frame before */
    FRAME_OF_RESUMER, /* who resumed the thread of the frame before, and is native */
};

struct cm_frame {
    enum cm_frame_kind kind;
    const struct trap_frame *of;
    char name[184];  /* cut to its place, NULs behind it to the end; empty: there is none */
    char where[128]; /* the instance, likewise */
};

/* The frames of a trap, the innermost first, at most `most`. How many there are, if those are
 * counted that a trap does not record. */
uint32_t cm_backtrace(const struct trap *trap, struct cm_frame *to, uint32_t most,
                      uint32_t *ret_depth);

#endif
