/* Validation of function bodies and constant expressions (core spec §3.3, §3.4, algorithm of
 * appendix §7.3). Every rule of the specification is checked in exactly one place: structure of the
 * binary in decode.c and insn.c, indices and limits of module parts in decode.c, code here. */
#ifndef CARREL_WASM_VALIDATE_H
#define CARREL_WASM_VALIDATE_H

#include "engine/wasm/module.h"

/* Checks one function body against its type. `scratch` holds the operand and control stacks. */
int validate_body(const struct module *module, uint32_t func, struct region *scratch,
                  struct err *err);

#endif
