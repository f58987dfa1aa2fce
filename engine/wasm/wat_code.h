/* Code as text, for wat_*.c alone. */
#ifndef CARREL_WASM_WAT_CODE_H
#define CARREL_WASM_WAT_CODE_H

#include "engine/wasm/insn.h"
#include "engine/wasm/wat.h"

/* An instruction, without its place. */
void wat_insn(const struct wat *wat, const struct insn *insn);

/* The instructions of a constant expression, each after a space. */
void wat_expression(const struct wat *wat, struct constexpr expression);

/* (;"name";), or nothing. */
void wat_comment_name(const struct wat *wat, struct str name);

static inline struct bytes wat_bytes(struct str text)
{
    return (struct bytes){(const uint8_t *)text.at, text.len};
}

static inline uint64_t wat_offset(const struct wat *wat, const uint8_t *at)
{
    return (uint64_t)(at - wat->module->file);
}

#endif
