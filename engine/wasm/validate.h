/* Validation of function bodies and constant expressions (core spec §3.3, §3.4, algorithm of
 * appendix §7.3). Every rule of the specification is checked in exactly one place: structure of the
 * binary in decode_*.c and insn.c, indices and limits of module parts in decode_*.c, code here. */
#ifndef CARREL_WASM_VALIDATE_H
#define CARREL_WASM_VALIDATE_H

#include "engine/base/reader.h"
#include "engine/wasm/module.h"

/* The stacks of the algorithm, kept from body to body. */
struct validator;

/* For code of `module`, whose parts may still be growing. Takes what it needs from `scratch`, now
 * and whenever a stack must grow; whoever gives the scratch back ends the validator with it. NULL
 * if the scratch is full. */
struct validator *validator_new(const struct module *module, struct region *scratch);

/* Checks one function body, locals included. `code` is the body; it is read to its end. Notes of it
 * (notes.h) are written at *note, which moves behind them; NULL: none are made. -1: the reader
 * failed, with its error set. */
int validate_body(struct validator *v, uint32_t func, struct reader *code, uint32_t **note);

/* Reads a constant expression up to and including its `end`, and checks that it gives a `type`.
 * Functions that it takes by ref.func are marked in `declared` (bits). -1: the reader failed. */
int validate_constexpr(struct validator *v, struct reader *r, valtype type, uint8_t *declared,
                       struct constexpr *ret);

#endif
