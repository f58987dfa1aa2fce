/* Translation of exceptions: throw, throw_ref and try_table, and the form that came before it (try,
 * catch, rethrow, delegate).
 *
 * Nothing is executed for a try: which code lies in its body and where its catches are is written
 * down aside (code.h, struct try_map), and looked at when something is thrown. That brings the
 * values of the exception to the slots where the target expects them: for try_table these are the
 * slots of the label, so the label itself is where it goes on. */
#include "engine/wasm/tr.h"

/* --- Regions and landings
 * ------------------------------------------------------------------------- */

/* From here on `region` is the innermost one. Nothing that has been emitted is changed any more. */
static void begin_region(struct tr *tr, uint32_t region)
{
    struct tries *tries = &tr->tries;
    tr_label(tr);
    uint32_t at = (uint32_t)(tr->at - tr->start);
    if (tries->npoints && tries->points[tries->npoints - 1].at == at) {
        tries->points[tries->npoints - 1].what = region;
    } else if (tries->npoints == tries->points_most) {
        tr_full(tr, PART_TRY_POINTS);
    } else {
        tries->points[tries->npoints++] = (struct code_point){at, region};
    }
}

/* Makes the innermost block a region. */
static void make_region(struct tr *tr, struct control *control)
{
    struct tries *tries = &tr->tries;
    if (tries->nregions == tries->regions_most) {
        tr_full(tr, PART_TRY_REGIONS);
        return;
    }
    tries->regions[tries->nregions++] = (struct try_region){.outer = control->region};
    control->region = control->made = tries->nregions;
    begin_region(tr, control->made);
}

void tr_leave_region(struct tr *tr, const struct control *control)
{
    begin_region(tr, control[-1].region);
}

/* A new landing, the last one of `region`; NULL if there is no room. */
static struct try_landing *add_landing(struct tr *tr, uint32_t number, uint32_t tag)
{
    struct tries *tries = &tr->tries;
    if (tr->failed)
        return NULL;
    if (tries->nlandings == tries->landings_most) {
        tr_full(tr, PART_TRY_LANDINGS);
        return NULL;
    }
    struct try_landing *landing = &tries->landings[tries->nlandings++];
    *landing = (struct try_landing){.tag = tag, .values = NO_SLOT, .ref = NO_SLOT};
    struct try_region *region = &tries->regions[number - 1];
    if (region->last)
        tries->landings[region->last - 1].next = tries->nlandings;
    else
        region->first = tries->nlandings;
    region->last = tries->nlandings;
    return landing;
}

static const struct functype *tag_type(const struct tr *tr, uint32_t tag)
{
    return types_func(tr->module->types, tr->module->tags[tag]);
}

/* --- try_table
 * ------------------------------------------------------------------------------------ */

/* A clause leads to its label, with what that takes in the label's slots. */
static void land_at_label(struct tr *tr, uint32_t region, const struct catch_clause *clause)
{
    bool any = clause->kind == CATCH_ALL || clause->kind == CATCH_ALL_REF;
    struct try_landing *landing = add_landing(tr, region, any ? ANY_TAG : clause->tag);
    if (!landing)
        return;
    struct control *target = tr_control_at(tr, clause->label + 1); /* labels count from outside */
    uint32_t slot = target->op == OP_END ? 0 : target->slot;
    if (!any) {
        landing->values = slot;
        slot += tag_type(tr, clause->tag)->param_slots;
    }
    if (clause->kind == CATCH_REF || clause->kind == CATCH_ALL_REF)
        landing->ref = slot;
    if (target->op == OP_LOOP)
        tr_jump_to(tr, tr->start, &landing->at, target->head);
    else
        tr_jump_later(tr, tr->start, &landing->at, &target->fixups);
}

static void open_try_table(struct tr *tr)
{
    struct reader clauses = reader_of(tr->insn.try_table.clauses, tr->module->file, tr->err);
    uint32_t count = tr->insn.try_table.count;
    tr_settle_all(tr);
    struct control *control = tr_open_control(tr, OP_TRY_TABLE);
    if (count)
        make_region(tr, control);
    for (; count && !tr->failed; count--) {
        struct catch_clause clause = catch_read(&clauses);
        land_at_label(tr, control->made, &clause);
    }
}

/* --- try, catch, rethrow, delegate
 * ---------------------------------------------------------------- */

static void open_try(struct tr *tr)
{
    tr_settle_all(tr);
    make_region(tr, tr_open_control(tr, OP_TRY));
}

/* A catch begins with what it caught on the stack: the exception, for rethrow, and above it the
 * values. */
static void turn_catch(struct tr *tr, uint32_t tag)
{
    struct control *control = tr_control_at(tr, 0);
    tr_flow_out(tr);
    if (control->op == OP_TRY)
        tr_leave_region(tr, control);
    control->op = OP_CATCH;
    control->region = control[-1].region;
    tr_label(tr);
    tr_drop_to(tr, control->height);
    tr_push_slot(tr, VT_REF);
    struct try_landing *landing = add_landing(tr, control->made, tag);
    if (landing) {
        landing->ref = control->slot;
        tr_jump_to(tr, tr->start, &landing->at, tr->at);
    }
    if (tag != ANY_TAG) {
        const struct functype *type = tag_type(tr, tag);
        if (landing)
            landing->values = tr_next_slot(tr);
        for (uint32_t i = 0; i < type->nparams; i++)
            tr_push_slot(tr, vt_kind(type->params[i]));
    }
    tr->dead = false;
    tr_fuel(tr);
}

/* What is thrown in the body is handed to the regions that the label stands in. */
static void close_delegate(struct tr *tr, uint32_t label)
{
    const struct control *control = tr_control_at(tr, 0);
    const struct control *target = tr_control_at(tr, label + 1); /* counts from outside */
    if (!tr->failed)
        tr->tries.regions[control->made - 1].outer = target->region;
    tr_close_block(tr);
}

/* --- Throwing
 * ------------------------------------------------------------------------------------- */

/* [base32 tag32] */
static void throw_values(struct tr *tr, uint32_t tag)
{
    uint32_t count = tag_type(tr, tag)->nparams;
    tr_settle(tr, count);
    tr_clobber_all(tr);
    code_word *word = tr_emit(tr, XOP_THROW, 1);
    tr_put32(word, 0, count ? tr_top(tr, count - 1)->slot : tr_next_slot(tr));
    tr_put32(word, 1, tag);
    tr_safepoint(tr, word - 1);
    tr->dead = true;
}

/* [s32] */
static void throw_slot(struct tr *tr, uint32_t slot)
{
    code_word *word = tr_emit(tr, XOP_THROW_REF, 1);
    tr_put32(word, 0, slot);
    tr->dead = true;
}

static void throw_ref(struct tr *tr)
{
    struct entry entry = tr_pop(tr);
    throw_slot(tr, tr_operand_slot(tr, &entry));
}

void tr_try(struct tr *tr)
{
    const struct insn *in = &tr->insn;
    switch (in->op) {
    case OP_TRY_TABLE: open_try_table(tr); break;
    case OP_TRY: open_try(tr); break;
    case OP_CATCH: turn_catch(tr, in->x); break;
    case OP_CATCH_ALL: turn_catch(tr, ANY_TAG); break;
    case OP_DELEGATE: close_delegate(tr, in->x); break;
    case OP_THROW: throw_values(tr, in->x); break;
    case OP_THROW_REF: throw_ref(tr); break;
    case OP_RETHROW: throw_slot(tr, tr_control_at(tr, in->x)->slot); break;
    default: tr_unsupported(tr); break;
    }
}

/* --- Keeping what was written down
 * ---------------------------------------------------------------- */

/* Moves an array down to `*at`: the scratch that it lies in is behind the code. */
static const void *keep(uint8_t **at, const void *from, size_t size)
{
    void *to = *at;
    memmove(to, from, size);
    *at += (size + sizeof(code_word) - 1) & ~(sizeof(code_word) - 1);
    return to;
}

uint8_t *tr_try_keep(struct tr *tr, uint8_t *at, struct code_range *range)
{
    const struct tries *tries = &tr->tries;
    if (!tries->nregions)
        return at;
    struct try_map map = {.npoints = tries->npoints};
    uint8_t *place = at;
    at += sizeof map;
    map.points = keep(&at, tries->points, tries->npoints * sizeof *tries->points);
    map.regions = keep(&at, tries->regions, tries->nregions * sizeof *tries->regions);
    map.landings = keep(&at, tries->landings, tries->nlandings * sizeof *tries->landings);
    memcpy(place, &map, sizeof map);
    range->tries = (const struct try_map *)place;
    return at;
}
