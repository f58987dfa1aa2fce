/* Maps of references for the collector: at every place where it may come, which slots of the frame
 * hold references (code.h, tr.h).
 *
 * Locals keep their types, so their runs are the same everywhere. Operands are a stack: what lies
 * below an entry does not change while it is there, so every run of operands leads to the one below
 * it, and the map of a place is the run of its topmost reference. A run is made once for an entry,
 * however many places see it: the maps of a function take space in proportion to its size. */
#include "engine/wasm/limits.h"
#include "engine/wasm/tr.h"

/* A run in front of `next`; 0 after a failure. */
static uint32_t add_run(struct tr *tr, uint32_t slot, uint32_t next)
{
    struct map *map = &tr->map;
    if (map->nruns == map->runs_most) {
        tr_full(tr, PART_MAP_RUNS);
        return 0;
    }
    map->runs[map->nruns++] = (struct map_run){slot, 1, next};
    return map->nruns;
}

void tr_map_local(struct tr *tr, uint32_t slot)
{
    struct map *map = &tr->map;
    struct map_run *last = map->locals.run ? &map->runs[map->locals.run - 1] : NULL;
    map->locals.references++;
    if (last && last->slot + last->count == slot)
        last->count++;
    else
        map->locals.run = add_run(tr, slot, map->locals.run);
}

/* The operand slot in which an entry's reference lies, or NOWHERE: it is null, or in a local. (What
 * a branch on null leaves may be said to be in a local, and lie among the operands.) */
static uint32_t slot_of(const struct tr *tr, const struct entry *entry)
{
    if (entry->kind == VT_REF && entry->place == IN_SLOT)
        return entry->slot;
    if (entry->kind == VT_REF && entry->place == IN_LOCAL && entry->local >= tr->operands)
        return entry->local;
    return NOWHERE;
}

/* Of all references at hand. */
static struct map_top top_of(struct tr *tr)
{
    struct map *map = &tr->map;
    struct map_top top = map->known ? map->tops[map->known - 1] : map->locals;
    for (; map->known < tr->nentries; map->known++) {
        if (map->known == map->tops_most) {
            tr_full(tr, PART_MAP_TOPS);
            break;
        }
        uint32_t slot = slot_of(tr, &tr->entries[map->known]);
        if (slot != NOWHERE)
            top = (struct map_top){add_run(tr, slot, top.run), top.references + 1};
        map->tops[map->known] = top;
    }
    return top;
}

void tr_safepoint(struct tr *tr, const code_word *word)
{
    struct map *map = &tr->map;
    struct map_top top = top_of(tr);
    if (top.references > LIMIT_FRAME_REFERENCES)
        tr->failed = !limit_check(&tr->reader, tr->insn.at, COUNT_FRAME_REFERENCES, top.references);
    uint32_t before = map->npoints ? map->points[map->npoints - 1].what : 0;
    if (top.run == before || tr->failed)
        return;
    if (map->npoints == map->points_most) {
        tr_full(tr, PART_MAP_POINTS);
        return;
    }
    map->points[map->npoints++] = (struct code_point){(uint32_t)(word - tr->start), top.run};
}

uint8_t *tr_map_keep(struct tr *tr, struct code_range *range)
{
    const struct map *map = &tr->map;
    uint8_t *at = (uint8_t *)tr->at;
    if (!map->npoints)
        return at;
    size_t points = map->npoints * sizeof *map->points;
    size_t runs = map->nruns * sizeof *map->runs;
    /* The scratch that both lie in is behind the code: they move down. */
    memmove(at, map->points, points);
    memmove(at + points, map->runs, runs);
    range->npoints = map->npoints;
    range->points = (const struct code_point *)at;
    range->runs = (const struct map_run *)(at + points);
    return at + ((points + runs + sizeof(code_word) - 1) & ~(sizeof(code_word) - 1));
}
