/* Translation of function bodies; see translate.h and tr.h. */
#include "engine/wasm/listing.h"
#include "engine/wasm/tr.h"

/* Bytes that the translation of a body takes at most, but for rare ones, and for each of its bytes.
 */
#define LIKELY_ROOM  ((size_t)32 << 10)
#define LIKELY_TIMES 256

/* How often one body is translated at most: each time the room is divided better. */
#define TRIES_MOST 24

int translate_prepare(const struct module *module, const handler_offset *handlers,
                      struct region *image, struct err *err)
{
    if (*module->code)
        return 0;
    uint32_t nown = module->nfuncs - module->imported_funcs;
    struct code *code = region_new(image, struct code);
    if (code) {
        code->entries = region_array(image, const code_word *, module->nfuncs);
        code->ranges = region_array(image, struct code_range, nown);
    }
    if (!code || !code->entries || !code->ranges)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for the code of %u functions", nown);
    code->lazy[0] = handler_word(handlers, XOP_LAZY);
    for (uint32_t i = module->imported_funcs; i < module->nfuncs; i++)
        code->entries[i] = code->lazy;
    *module->code = code;
    return 0;
}

/* --- One function
 * ------------------------------------------------------------------------------------ */

/* A new local at `slot`. */
static void add_local(struct tr *tr, valtype type, uint32_t *slot)
{
    if (vt_is_ref(type))
        tr_map_local(tr, *slot);
    tr->local_slots[tr->nlocals] = *slot;
    tr->local_kinds[tr->nlocals++] = vt_kind(type);
    *slot += vt_slots(type);
}

/* Parameters and locals. */
static size_t count_locals(const struct tr *tr)
{
    size_t count = tr->type->nparams;
    struct reader reader = tr->reader;
    for (uint32_t groups = reader_u32(&reader); groups; groups--) {
        count += reader_u32(&reader);
        valtype_read(&reader, tr->module);
    }
    return count;
}

/* Parameters, link, the locals that the body declares, then operands. Gives the slots of the latter
 * locals, which start as zero. */
static uint32_t lay_out_frame(struct tr *tr)
{
    uint32_t slot = 0;
    for (uint32_t i = 0; i < tr->type->nparams; i++)
        add_local(tr, tr->type->params[i], &slot);
    tr->link = frame_link(tr->type);
    slot = tr->link + LINK_SLOTS;
    tr->scratch = slot;
    if (tr->wide)
        slot += SCRATCH;
    uint32_t first = slot;
    for (uint32_t groups = reader_u32(&tr->reader); groups; groups--) {
        uint32_t count = reader_u32(&tr->reader);
        valtype type = valtype_read(&tr->reader, tr->module);
        while (count--)
            add_local(tr, type, &slot);
    }
    tr->operands = slot;
    tr->frame = slot;
    return slot - first;
}

static void trace(struct tr *tr)
{
    code_word *word = tr_emit(tr, XOP_TRACE, 2);
    tr_put32(word, 0, tr->func);
    if (!tr->failed)
        word[1] = (uint64_t)(tr->insn.at - tr->module->file);
}

static void translate_insn(struct tr *tr)
{
    if (tr->options->traced && !tr->dead)
        trace(tr);
    if (tr->fuel && !tr->failed)
        ++*tr->fuel;
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_LOCAL_GET:
        tr_push_local(tr, tr->local_kinds[in->x], tr->local_slots[in->x], NOWHERE);
        break;
    case OP_I32_CONST: tr_push_bits(tr, VT_I32, (uint32_t)in->i32); break;
    case OP_UNREACHABLE:
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF:
    case OP_ELSE:
    case OP_END:
    case OP_BR:
    case OP_BR_IF:
    case OP_BR_TABLE:
    case OP_BR_ON_NULL:
    case OP_BR_ON_NON_NULL:
    case OP_BR_ON_CAST:
    case OP_BR_ON_CAST_FAIL:
    case OP_RETURN: tr_control(tr); break;
    case OP_TRY:
    case OP_CATCH:
    case OP_CATCH_ALL:
    case OP_DELEGATE:
    case OP_RETHROW:
    case OP_THROW:
    case OP_THROW_REF:
    case OP_TRY_TABLE: tr_try(tr); break;
    case OP_CALL:
    case OP_CALL_INDIRECT:
    case OP_CALL_REF:
    case OP_RETURN_CALL:
    case OP_RETURN_CALL_INDIRECT:
    case OP_RETURN_CALL_REF: tr_call(tr); break;
    default: tr_plain(tr); break;
    }
}

/* Translates one body into the free part of `image`, once. */
static void translate_once(struct tr *tr, struct region *image)
{
    const struct function *function = &tr->module->funcs[tr->func];
    tr->reader =
        reader_of((struct bytes){function->body, function->body_len}, tr->module->file, tr->err);
    tr->insn.at = function->body;
    if (!tr_room_lay_out(tr, image, count_locals(tr))) {
        tr_fail(tr, ERR_MEMORY, "no room");
        return;
    }
    uint32_t zeroed = lay_out_frame(tr);
    code_word *enter = tr_emit(tr, zeroed ? XOP_ENTER : XOP_ENTER0, zeroed ? 2 : 1);
    if (zeroed) {
        tr_put32(enter, 1, tr->operands - zeroed);
        enter[1] = zeroed;
    }
    tr_open_function(tr);
    tr_label(tr);
    tr_fuel(tr);
    while (tr->ncontrols && !tr->failed) {
        tr_look(tr);
        if (tr->dead)
            tr_skip_dead(tr);
        else
            insn_read(&tr->reader, tr->module, &tr->insn);
        translate_insn(tr);
    }
    if (tr->failed)
        return;
    tr_put32(enter, 0, tr->frame);
    tr_fuse(tr);
}

/* Translates a body, and again where that shows that it has a wide frame, or that the room is to be
 * divided in another way. At first in as much memory as nearly all bodies of this size take: what
 * is divided lies together then, which spares a process that starts, or is copied, pages and their
 * tables. Leaves the result in *tr. */
static int translate_body(struct tr *tr, const struct translation *options, uint32_t func,
                          struct region *image, uint64_t wanted, struct err *err)
{
    const struct function *function = &options->module->funcs[func];
    size_t likely = LIKELY_ROOM + LIKELY_TIMES * function->body_len;
    struct region near = *image;
    struct division division;
    struct err why = {0};
    bool wide = false;
    int failed = -1;
    if (likely < region_left(image))
        near.end = near.at + likely;
    tr_division_begin(&division);
    for (unsigned tries = TRIES_MOST; failed && tries; tries--) {
        why = (struct err){0};
        *tr = (struct tr){.options = options,
                          .module = options->module,
                          .type = types_func(options->module->types, function->type),
                          .func = func,
                          .err = &why,
                          .division = &division,
                          .full = PARTS,
                          .patience = LOOK_EACH,
                          .wide = wide,
                          .wanted = wanted,
                          .found = ERR_NOWHERE,
                          .acc_entry = {NOWHERE, NOWHERE},
                          .acc_slot = {NOWHERE, NOWHERE}};
        translate_once(tr, &near);
        failed = tr->failed ? -1 : 0;
        if (failed && tr->wants_wide)
            wide = true;
        else if (failed && near.end < image->end && why.kind == ERR_MEMORY)
            near.end = image->end;
        else if (tr->full == PARTS)
            break;
    }
    if (failed && why.kind == ERR_MEMORY)
        err_set(err, ERR_MEMORY, why.offset,
                "it takes more than the %zu KiB that are left for code", region_left(image) >> 10);
    else if (failed)
        err_set(err, why.kind, why.offset, "%s", why.text);
    if (near.end > image->top) /* it was touched as scratch */
        image->top = near.end;
    return failed;
}

int translate_func(const struct translation *translation, uint32_t func, struct region *image,
                   struct err *err)
{
    struct tr tr;
    int failed = translate_body(&tr, translation, func, image, UINT64_MAX, err);
    if (failed)
        return -1;
    struct code *code = *translation->module->code;
    struct code_range *range = &code->ranges[code->nranges++];
    *range = (struct code_range){.start = tr.start, .end = tr.at, .func = func};
    image->at = tr_try_keep(&tr, tr_map_keep(&tr, range), range);
    code->entries[func] = tr.start;
    return 0;
}

int translate_all(const struct translation *translation, struct region *image, struct err *err)
{
    const struct module *module = translation->module;
    const struct code *code = *module->code;
    for (uint32_t i = module->imported_funcs; i < module->nfuncs; i++)
        if (code->entries[i] == code->lazy && translate_func(translation, i, image, err))
            return -1;
    return 0;
}

/* --- To be shown
 * ------------------------------------------------------------------------------------ */

/* How many instructions a handler carries out. */
static uint32_t run_length(uint64_t xop)
{
    static const uint8_t lengths[XOP_COUNT] = {
#define FUSE2(a, b)       [XOP_##a##__##b] = 2,
#define FUSE3(a, b, c)    [XOP_##a##__##b##__##c] = 3,
#define FUSE4(a, b, c, d) [XOP_##a##__##b##__##c##__##d] = 4,
#include "engine/wasm/fuse.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4
    };
    return xop < XOP_COUNT && lengths[xop] ? lengths[xop] : 1;
}

int translate_list(const struct module *module, uint32_t func, struct region *scratch,
                   void (*show)(void *data, const struct code_shown *shown), void *data,
                   struct err *err)
{
    static handler_offset numbers[XOP_COUNT]; /* instead of handlers */
    for (int i = 0; i < XOP_COUNT; i++)
        numbers[i] = i;
    const struct translation translation = {.module = module, .handlers = numbers};
    struct tr tr;
    int failed = translate_body(&tr, &translation, func, scratch, UINT64_MAX, err);
    for (const code_word *at = tr.start, *next; !failed && at < tr.at; at = next) {
        next = at + 1;
        while (next < tr.at && tr.xops[next - tr.start] == XOP_COUNT)
            next++;
        const struct code_shown shown = {.place = (uint64_t)(at - tr.start),
                                         .xop = (enum xop)tr.xops[at - tr.start],
                                         .run = run_length(*at - handler_word(numbers, 0)),
                                         .operands = at + 1,
                                         .count = (uint32_t)(next - at - 1)};
        show(data, &shown);
    }
    return failed;
}

/* --- From code back to wasm
 * --------------------------------------------------------------------------- */

const struct code_range *code_range_find(const struct code *code, const code_word *pc)
{
    uint32_t low = 0;
    uint32_t high = code->nranges;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct code_range *range = &code->ranges[middle];
        if (pc < range->start)
            high = middle;
        else if (pc >= range->end)
            low = middle + 1;
        else
            return range;
    }
    return NULL;
}

uint32_t code_find(const struct code *code, const code_word *pc)
{
    const struct code_range *range = code_range_find(code, pc);
    return range ? range->func : UINT32_MAX;
}

uint64_t translate_offset(const struct translation *translation, uint32_t func, const code_word *pc,
                          struct region *scratch)
{
    const struct code_range *range = code_range_find(*translation->module->code, pc);
    struct tr tr;
    if (!range || range->func != func)
        return UINT64_MAX;
    uint64_t wanted = (uint64_t)(pc - range->start);
    int failed = translate_body(&tr, translation, func, scratch, wanted, NULL);
    return failed ? UINT64_MAX : tr.found;
}
