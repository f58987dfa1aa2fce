/* Register code to be looked at: `carrel inspect --registers`. */
#ifndef CARREL_WASM_LISTING_H
#define CARREL_WASM_LISTING_H

#include "engine/wasm/translate.h"
#include "engine/wasm/xop.h"

/* One instruction of register code, `place` words from the function's start. Its handler carries
 * out so many instructions, from this one on. */
struct code_shown {
    uint64_t place;
    enum xop xop;
    uint32_t run;
    const code_word *operands;
    uint32_t count;
};

/* Translates a function of a prepared module for showing it, and keeps nothing. The scratch takes
 * the code while it is shown. -1: it does not fit. */
int translate_list(const struct module *module, uint32_t func, struct region *scratch,
                   void (*show)(void *data, const struct code_shown *shown), void *data,
                   struct err *err);

#endif
