/* Register code as text: operators by name, operand words as they are. For looking at what the
 * translator made, not for assembling. */
#include "engine/wasm/listing.h"
#include "engine/wasm/wat.h"

#include <inttypes.h>

/* The operators that are no runs of others: names in one block, so that nothing needs relocation,
 * and the place of each in it. */
struct names {
#define XOP(name) char at_##name[sizeof #name];
#include "engine/wasm/xop_atomic.def"
#include "engine/wasm/xop_call.def"
#include "engine/wasm/xop_control.def"
#include "engine/wasm/xop_gc.def"
#include "engine/wasm/xop_mem.def"
#include "engine/wasm/xop_move.def"
#include "engine/wasm/xop_num.def"
#include "engine/wasm/xop_simd.def"
#include "engine/wasm/xop_simd_mem.def"
#include "engine/wasm/xop_store.def"
#undef XOP
};

static const struct names names = {
#define XOP(name) .at_##name = #name,
#include "engine/wasm/xop_atomic.def"
#include "engine/wasm/xop_call.def"
#include "engine/wasm/xop_control.def"
#include "engine/wasm/xop_gc.def"
#include "engine/wasm/xop_mem.def"
#include "engine/wasm/xop_move.def"
#include "engine/wasm/xop_num.def"
#include "engine/wasm/xop_simd.def"
#include "engine/wasm/xop_simd_mem.def"
#include "engine/wasm/xop_store.def"
#undef XOP
};

static const uint32_t places[] = {
#define XOP(name) [XOP_##name] = (uint32_t)offsetof(struct names, at_##name),
#include "engine/wasm/xop_atomic.def"
#include "engine/wasm/xop_call.def"
#include "engine/wasm/xop_control.def"
#include "engine/wasm/xop_gc.def"
#include "engine/wasm/xop_mem.def"
#include "engine/wasm/xop_move.def"
#include "engine/wasm/xop_num.def"
#include "engine/wasm/xop_simd.def"
#include "engine/wasm/xop_simd_mem.def"
#include "engine/wasm/xop_store.def"
#undef XOP
#undef XOP_POLLED
};

enum {
    RUNS = 0
#define FUSE2(...) +1
#define FUSE3(...) +1
#define FUSE4(...) +1
#include "engine/wasm/fuse.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4
};
_Static_assert(countof(places) + RUNS == XOP_COUNT, "a part of xop.def is missing here");

static const char *name_of(enum xop xop)
{
    return xop < countof(places) ? (const char *)&names + places[xop] : "?";
}

static void show_instruction(void *data, const struct code_shown *shown)
{
    enum { WORDS_SHOWN = 16 };
    const struct wat *wat = data;
    out_format(wat->out, "    ;; %5" PRIu64 " %s", shown->place, name_of(shown->xop));
    for (uint32_t i = 0; i < shown->count && i < WORDS_SHOWN; i++)
        out_format(wat->out, " %016" PRIx64, shown->operands[i]);
    if (shown->count > WORDS_SHOWN)
        out_format(wat->out, " and %u more", shown->count - WORDS_SHOWN);
    if (shown->run > 1)
        out_format(wat->out, " (%u in a row)", shown->run);
    out_char(wat->out, '\n');
}

void wat_registers(const struct wat *wat, uint32_t func, struct region *scratch)
{
    struct err err = {0};
    struct wat shown = *wat;
    if (translate_list(wat->module, func, scratch, show_instruction, &shown, &err)) {
        out_text(wat->out, "    ;; no register code: ");
        out_text(wat->out, err.text);
        out_char(wat->out, '\n');
    }
}
