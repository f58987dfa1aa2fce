/* The opcode table and the ways into it; see op.h, op.def. Constant data only. */
#include "engine/wasm/op.h"

#include "engine/base/attr.h"
#include <stddef.h>

/* clang-format off */
const struct op_row op_rows[OP_COUNT] = {
#define OP(code, name, text, feature, imm, pops, pushes) \
    OP_SIZED(code, name, text, feature, imm, pops, pushes, 0)
#define OP_SIZED(code, name, text, feature, imm, pops, pushes, size) \
    [OP_##name] = {code, IMM_##imm, FEATURE_##feature, size, \
                   sizeof(pops) - 1, sizeof(pushes) - 1, pops, pushes},
#include "engine/wasm/op.def"
};
/* clang-format on */

/* Places in the table of opcodes: 256 one-byte ones, then a run for each prefix, as long as its
 * highest number demands. */
enum {
    PLACE_FB = 256,
    PLACE_FC = PLACE_FB + 0x1f,
    PLACE_FD = PLACE_FC + 0x17,
    PLACE_FE = PLACE_FD + 0x114,
    PLACES = PLACE_FE + 0x4f,
};

static const struct {
    uint8_t prefix;
    uint16_t place;
    uint16_t length;
} runs[] = {
    {0xfb, PLACE_FB, PLACE_FC - PLACE_FB},
    {0xfc, PLACE_FC, PLACE_FD - PLACE_FC},
    {0xfd, PLACE_FD, PLACE_FE - PLACE_FD},
    {0xfe, PLACE_FE, PLACES - PLACE_FE},
};

#define PLACE(code)                                                                                \
    (((code) >> 16 == 0xfb   ? PLACE_FB                                                            \
      : (code) >> 16 == 0xfc ? PLACE_FC                                                            \
      : (code) >> 16 == 0xfd ? PLACE_FD                                                            \
      : (code) >> 16 == 0xfe ? PLACE_FE                                                            \
                             : 0) +                                                                \
     ((code) & 0xffff))

const struct op_start op_starts[PLACES] = {
    [0xfb] = {OP_ILLEGAL, IMM_PREFIX},
    [0xfc] = {OP_ILLEGAL, IMM_PREFIX},
    [0xfd] = {OP_ILLEGAL, IMM_PREFIX},
    [0xfe] = {OP_ILLEGAL, IMM_PREFIX},
#define OP(code, name, text, feature, imm, pops, pushes) [PLACE(code)] = {OP_##name, IMM_##imm},
#include "engine/wasm/op.def"
};

enum op op_prefixed(uint8_t prefix, uint32_t number)
{
    for (size_t i = 0; i < countof(runs); i++)
        if (runs[i].prefix == prefix)
            return number < runs[i].length ? op_starts[runs[i].place + number].op : OP_ILLEGAL;
    return OP_ILLEGAL;
}

/* All names in one object, each found by its offset: no pointer, so nothing to relocate. */
static const struct names {
    char illegal[sizeof "illegal"];
#define OP(code, name, text, feature, imm, pops, pushes) char name[sizeof text];
#include "engine/wasm/op.def"
} names = {
    "illegal",
#define OP(code, name, text, feature, imm, pops, pushes) text,
#include "engine/wasm/op.def"
};

static const uint16_t name_offsets[OP_COUNT] = {
#define OP(code, name, text, feature, imm, pops, pushes) [OP_##name] = offsetof(struct names, name),
#include "engine/wasm/op.def"
};

const char *op_text(enum op op)
{
    return (const char *)&names + ((unsigned)op < OP_COUNT ? name_offsets[op] : 0);
}
