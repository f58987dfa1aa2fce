/* What code gets to: bodies of functions, segments and initial values of modules; see reach.h.
 *
 * Of bodies there are notes, made when they were validated or now. Where code turns out to be
 * malformed the search gives up: who runs it will say what is wrong. */
#include "engine/component/reach.h"

#include "engine/wasm/insn.h"
#include "engine/wasm/notes.h"

/* Constant expressions at work. */
struct walk {
    struct reach *r;
    struct reach_core *core;
    struct reader code;
};

/* --- Function types -----------------------------------------------------------------------------
 */

static bool has_type(const struct reach_types *types, uint32_t id)
{
    return types->bits && types->bits[id / 8] >> id % 8 & 1;
}

/* False if it is there already, or the search gave up. */
static bool add_type(struct reach *r, struct reach_types *types, uint32_t id)
{
    if (has_type(types, id) || r->gave_up)
        return false;
    if (!types->bits)
        types->bits = REACH_ARRAY(r, uint8_t, types_count(r->types) / 8 + 1);
    if (!types->bits || !grow_room(&types->list, r->scratch)) {
        r->gave_up = true;
        return false;
    }
    types->bits[id / 8] |= (uint8_t)(1u << id % 8);
    grow_push(&types->list, id);
    return true;
}

static bool is_callable(const struct reach *r, const struct reach_func *func, uint32_t type)
{
    return types_id_matches(r->types, func->type, type);
}

/* --- References ---------------------------------------------------------------------------------
 */

void reach_taken(struct reach *r, struct reach_func *func)
{
    if (func->taken || !reach_work(r, 1 + r->opened.list.count))
        return;
    func->taken = true;
    if (!grow_room(&r->taken, r->scratch)) {
        r->gave_up = true;
        return;
    }
    grow_push(&r->taken, func);
    for (uint32_t i = 0; i < r->opened.list.count; i++)
        if (is_callable(r, func, r->opened.list.at[i]))
            reach_func(r, func);
}

void reach_type(struct reach *r, uint32_t type)
{
    if (!add_type(r, &r->opened, type) || !reach_work(r, r->taken.count))
        return;
    for (uint32_t i = 0; i < r->taken.count; i++)
        if (is_callable(r, r->taken.at[i], type))
            reach_func(r, r->taken.at[i]);
}

/* --- Tables -------------------------------------------------------------------------------------
 */

static void change_table(struct reach *r, struct reach_table *table)
{
    if (table->changed)
        return;
    table->changed = true;
    for (uint32_t i = 0; i < table->called.list.count; i++)
        reach_type(r, table->called.list.at[i]);
    for (uint32_t i = 0; i < table->fixed.list.count; i++)
        reach_type(r, table->fixed.list.at[i]);
}

static void read_table(struct reach *r, struct reach_table *table)
{
    if (table->read)
        return;
    table->read = true;
    for (uint32_t i = 0; i < table->slots.count; i++)
        reach_taken(r, table->slots.at[i].func);
}

/* A call of this type through what lies at `slot`. */
static void call_slot(struct reach *r, struct reach_table *table, uint32_t type, uint64_t slot)
{
    if (!reach_work(r, table->slots.count))
        return;
    for (uint32_t i = 0; i < table->slots.count; i++) {
        const struct reach_slot *at = &table->slots.at[i];
        bool here = slot == REACH_ANYWHERE || at->slot == REACH_ANYWHERE || at->slot == slot;
        if (here && is_callable(r, at->func, type))
            reach_func(r, at->func);
    }
}

static void call_table(struct reach *r, struct reach_table *table, uint32_t type, uint64_t slot)
{
    bool fixed = slot != REACH_ANYWHERE;
    bool first = add_type(r, fixed ? &table->fixed : &table->called, type);
    if (has_type(&table->called, type) && fixed)
        return; /* all of the type were reached */
    if (first || fixed)
        call_slot(r, table, type, slot);
    if (first && table->changed)
        reach_type(r, type);
}

/* --- Segments -----------------------------------------------------------------------------------
 */

static struct walk walk_of(struct reach *r, struct reach_core *core, const uint8_t *at, size_t len,
                           struct err *err)
{
    struct walk walk = {.r = r, .core = core};
    walk.code = reader_of((struct bytes){at, len}, core->module->file, err);
    return walk;
}

/* What a constant expression gives: a function's reference alone goes to *ret_func. Others that are
 * taken in it are at large. False if it may give yet another reference. */
static bool read_constant(struct walk *w, struct reach_func **ret_func)
{
    struct insn insn = {0};
    struct reach_func *func = NULL;
    unsigned count = 0;
    bool only = true;
    for (;;) {
        insn_read(&w->code, w->core->module, &insn);
        if (!reader_ok(&w->code)) {
            w->r->gave_up = true;
            return true;
        }
        if (insn.op == OP_END)
            break;
        count++;
        if (func)
            reach_taken(w->r, func);
        func = insn.op == OP_REF_FUNC ? reach_func_at(w->core, insn.x) : NULL;
        only = func || insn.op == OP_REF_NULL;
    }
    if (count != 1 && func)
        reach_taken(w->r, func);
    *ret_func = count == 1 ? func : NULL;
    return count == 1 && only;
}

/* What a segment holds: in a table from `slot` on, or at large if there is none. */
static void put_segment(struct reach *r, struct reach_core *core, const struct elemsegment *segment,
                        struct reach_table *table, uint64_t slot)
{
    struct err err;
    struct walk w = walk_of(r, core, segment->items, segment->items_len, &err);
    if (!reach_work(r, segment->count))
        return;
    for (uint32_t i = 0; i < segment->count && !r->gave_up; i++) {
        struct reach_func *func = NULL;
        if (segment->are_functions)
            func = reach_func_at(core, reader_u32(&w.code));
        else if (!read_constant(&w, &func) && table)
            change_table(r, table);
        if (!func)
            continue;
        if (!table) {
            reach_taken(r, func);
            continue;
        }
        uint64_t at = slot == REACH_ANYWHERE ? slot : slot + i;
        if (!grow_room(&table->slots, r->scratch)) {
            r->gave_up = true;
            return;
        }
        grow_push(&table->slots, ((struct reach_slot){at, func}));
    }
}

/* Where an active segment begins: a plain constant, or anywhere. */
static uint64_t segment_slot(struct reach *r, struct reach_core *core, struct constexpr offset)
{
    struct err err;
    struct insn insn = {0};
    struct insn end = {0};
    struct walk w = walk_of(r, core, offset.at, offset.len, &err);
    insn_read(&w.code, core->module, &insn);
    insn_read(&w.code, core->module, &end);
    if (!reader_ok(&w.code) || end.op != OP_END)
        return REACH_ANYWHERE;
    if (insn.op == OP_I32_CONST)
        return (uint32_t)insn.i32;
    /* From 2^32 on a 64-bit table has no slots. */
    return insn.op == OP_I64_CONST && insn.i64 >= 0 && insn.i64 <= UINT32_MAX ? (uint64_t)insn.i64
                                                                              : REACH_ANYWHERE;
}

static void take_segment(struct reach *r, struct reach_core *core, uint32_t index)
{
    if (core->taken_segments[index / 8] >> index % 8 & 1)
        return;
    core->taken_segments[index / 8] |= (uint8_t)(1u << index % 8);
    put_segment(r, core, &core->module->elems[index], NULL, 0);
}

/* --- Modules ------------------------------------------------------------------------------------
 */

struct reach_func *reach_func_at(struct reach_core *core, uint32_t index)
{
    uint32_t imported = core->module->imported_funcs;
    return index < imported ? core->imported[index] : &core->funcs[index - imported];
}

/* References in an initial value are at large. */
static void initial_value(struct reach *r, struct reach_core *core, struct constexpr init)
{
    struct err err;
    struct reach_func *func = NULL;
    struct walk w = walk_of(r, core, init.at, init.len, &err);
    read_constant(&w, &func);
    if (func)
        reach_taken(r, func);
}

/* What fills a table is in all of its slots. */
static void initial_slots(struct reach *r, struct reach_core *core, uint32_t index)
{
    initial_value(r, core, core->module->tables[index].init);
    change_table(r, core->tables[index]);
}

void reach_instantiated(struct reach *r, struct reach_core *core)
{
    const struct module *module = core->module;
    for (uint32_t i = module->imported_globals; i < module->nglobals; i++)
        if (vt_is_ref(module->globals[i].type.type))
            initial_value(r, core, module->globals[i].init);
    for (uint32_t i = module->imported_tables; i < module->ntables; i++)
        if (module->tables[i].init.at)
            initial_slots(r, core, i);
    for (uint32_t i = 0; i < module->nelems; i++) {
        const struct elemsegment *segment = &module->elems[i];
        if (segment->mode == SEGMENT_ACTIVE)
            put_segment(r, core, segment, core->tables[segment->table],
                        segment_slot(r, core, segment->offset));
    }
    if (module->has_start)
        reach_func(r, reach_func_at(core, module->start));
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

/* An indirect call: its type, and its other words, which `at` moves over. */
static const uint32_t *follow_indirect(struct reach *r, struct reach_core *core, uint32_t type,
                                       const uint32_t *at)
{
    struct reach_table *table = core->tables[*at / 2];
    bool fixed = *at++ % 2;
    call_table(r, table, type, fixed ? *at : REACH_ANYWHERE);
    return at + fixed;
}

void reach_body(struct reach *r, struct reach_core *core, uint32_t index)
{
    const struct module *module = core->module;
    const uint32_t *at = notes_of(module, index);
    const uint32_t *start = at;
    r->gave_up = r->gave_up || !at;
    while (!r->gave_up) {
        uint32_t is = NOTE_INDEX(*at);
        switch (NOTE_KIND(*at++)) {
        case NOTE_END: reach_work(r, (uint64_t)(at - start)); return;
        case NOTE_CALL: reach_func(r, reach_func_at(core, is)); break;
        case NOTE_CALL_INDIRECT: at = follow_indirect(r, core, is, at); break;
        case NOTE_CALL_REF: reach_type(r, is); break;
        case NOTE_REF_FUNC: reach_taken(r, reach_func_at(core, is)); break;
        case NOTE_SEGMENT: take_segment(r, core, is); break;
        case NOTE_TABLE_READ: read_table(r, core->tables[is]); break;
        case NOTE_TABLE_CHANGE: change_table(r, core->tables[is]); break;
        }
    }
}
