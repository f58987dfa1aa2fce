/* The tables of handlers, by enum xop (engine/wasm/code.h). In assembly, for C has no constant that
 * is the distance between two things. */
#include "engine/exec/interp.h"

#define TABLE(name)                                                                                \
    ".balign 4\n.globl " name "\n.hidden " name "\n.type " name ", %object\n" name ":\n"

__asm__(".pushsection .rodata\n" TABLE("interp_handlers")
#define XOP(name) "    .long xop_" #name " - interp_handlers\n"
#include "engine/wasm/xop.def"
            TABLE("interp_polled_handlers")
#define XOP(name)        "    .long xop_" #name " - interp_polled_handlers\n"
#define XOP_POLLED(name) "    .long polled_" #name " - interp_polled_handlers\n"
#include "engine/wasm/xop.def"
                ".popsection\n");
