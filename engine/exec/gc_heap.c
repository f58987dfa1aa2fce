/* The blocks of the collected heap: finding room, cutting objects from it, sweeping; see gc.h.
 *
 * The heap is a row of blocks without gaps: objects, free blocks, and fillers of one granule, which
 * is too small for a free block. Free blocks are in lists by size (as in base/heap.c, a bin for
 * every size up to 63 granules and eight to each power of two above), so that finding one takes
 * constant time. Small objects are cut from one free block after the other. What follows the last
 * block was never used; the span grows into it in place, up to the limits, and never moves. */
#include "engine/exec/state.h"

/* What `meta` says of a block that is no object; an object has its type and colour there. */
#define META_FREE   UINT32_C(0x02000000) /* a struct free_block */
#define META_FILLER UINT32_C(0x03000000) /* one granule */

struct free_block {
    uint32_t meta;
    uint32_t granules;
    uint32_t next, before; /* in its list; 0: none */
};

#define FIRST     2u                               /* granule 0 means none */
#define CHUNK     ((uint32_t)(16 << 10) / GRANULE) /* from which small objects are cut */
#define STEP      ((uint64_t)1 << 20)              /* bytes by which the span grows at least */
#define MOST_REST ((uint64_t)(4 << 20) / GRANULE)  /* between cycles, if little is alive */
#define SMALL     512u /* granules; larger objects get a block of their own */
#define TRIES     8    /* blocks looked at in a list whose sizes differ */

void gc_init(struct vm *vm)
{
    struct gc *gc = &vm->gc;
    uint64_t most = (uint64_t)UINT32_MAX * GRANULE;
    gc->limit = vm->limits.gc_bytes < most ? vm->limits.gc_bytes : most;
    gc->top = FIRST;
    gc->used = FIRST;
    gc_pace(vm);
}

/* --- Lists of free blocks ------------------------------------------------------------------------
 */

static unsigned bin_of(uint32_t granules)
{
    if (granules < 64)
        return granules;
    unsigned log2 = 31 - (unsigned)__builtin_clz(granules);
    return 64 + (log2 - 6) * 8 + (granules >> (log2 - 3) & 7);
}

static struct free_block *free_at(const struct gc *gc, uint32_t index)
{
    return gc_block(gc, index);
}

/* Makes `granules` granules at `index` free. */
static void put_free(struct gc *gc, uint32_t index, uint32_t granules)
{
    struct free_block *block = free_at(gc, index);
    if (granules == 1) {
        block->meta = META_FILLER;
        return;
    }
    unsigned bin = bin_of(granules);
    *block = (struct free_block){META_FREE, granules, gc->bins[bin], 0};
    if (block->next)
        free_at(gc, block->next)->before = index;
    gc->bins[bin] = index;
    gc->full[bin / 64] |= UINT64_C(1) << bin % 64;
}

static void take_free(struct gc *gc, uint32_t index)
{
    const struct free_block *block = free_at(gc, index);
    unsigned bin = bin_of(block->granules);
    if (block->next)
        free_at(gc, block->next)->before = block->before;
    if (block->before)
        free_at(gc, block->before)->next = block->next;
    else
        gc->bins[bin] = block->next;
    if (!gc->bins[bin])
        gc->full[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

/* The first bin from `bin` on that is not empty; GC_BINS if all are. */
static unsigned next_bin(const struct gc *gc, unsigned bin)
{
    if (bin >= GC_BINS)
        return GC_BINS;
    uint64_t bits = gc->full[bin / 64] & UINT64_MAX << bin % 64;
    for (unsigned word = bin / 64;;) {
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
        if (++word == sizeof gc->full / sizeof *gc->full)
            return GC_BINS;
        bits = gc->full[word];
    }
}

/* A free block of at least so many granules, taken off its list; 0: there is none. In the bin of
 * the size itself the blocks may be too small; only a few are looked at. */
static uint32_t find_free(struct gc *gc, uint32_t granules)
{
    unsigned bin = bin_of(granules);
    uint32_t index = gc->bins[bin];
    for (unsigned tries = 0; index && tries < TRIES; tries++) {
        if (free_at(gc, index)->granules >= granules) {
            take_free(gc, index);
            return index;
        }
        index = free_at(gc, index)->next;
    }
    bin = next_bin(gc, bin + 1);
    if (bin == GC_BINS)
        return 0;
    index = gc->bins[bin];
    take_free(gc, index);
    return index;
}

/* --- Room that was never used --------------------------------------------------------------------
 */

static bool grow_to(struct vm *vm, uint64_t size)
{
    struct gc *gc = &vm->gc;
    uint64_t more = size - gc->span.size;
    if (size > gc->limit || more > vm->limits.memory_bytes - vm->memory_bytes)
        return false;
    if (gc->base ? !arena_stretch(&vm->arena, &gc->span, size)
                 : !arena_place(&vm->arena, &gc->span, size, gc->limit))
        return false;
    gc->base = gc->span.at;
    gc->room = (uint32_t)(size / GRANULE);
    vm->memory_bytes += more;
    return true;
}

/* So many granules behind the last block, or as many as are left if `least` are; gives how many. */
static uint32_t extend(struct vm *vm, uint32_t least, uint32_t wanted)
{
    struct gc *gc = &vm->gc;
    uint64_t need = (uint64_t)gc->top + wanted;
    if (need > gc->room) {
        uint64_t generous = gc->span.size + gc->span.size / 4 + STEP;
        if (generous > gc->limit)
            generous = gc->limit & ~(uint64_t)(GRANULE - 1);
        if (generous < need * GRANULE || !grow_to(vm, generous))
            grow_to(vm, need * GRANULE);
        if (need > gc->room && (uint64_t)gc->top + least > gc->room)
            grow_to(vm, ((uint64_t)gc->top + least) * GRANULE);
    }
    uint64_t left = gc->room > gc->top ? gc->room - gc->top : 0;
    return left < least ? 0 : left < wanted ? (uint32_t)left : wanted;
}

/* --- Allocation ----------------------------------------------------------------------------------
 */

void gc_retire(struct gc *gc)
{
    uint32_t left = (uint32_t)((size_t)(gc->end - gc->at) / GRANULE);
    if (left) {
        put_free(gc, gc_index(gc, gc->at), left);
        gc->used -= left;
    }
    gc->at = gc->end = NULL;
}

static void account(struct gc *gc, uint64_t granules)
{
    gc->used += granules;
    if (gc->used >= gc->next)
        gc->due = true;
}

/* The first granule of a block of that size that belongs to nobody any more; 0: no room. Blocks are
 * larger than asked for by less than `slack` granules. */
static uint32_t take_block(struct vm *vm, uint32_t least, uint32_t wanted, uint32_t *ret_granules)
{
    struct gc *gc = &vm->gc;
    uint32_t index = find_free(gc, least);
    if (index) {
        uint32_t granules = free_at(gc, index)->granules;
        *ret_granules = granules < wanted ? granules : wanted;
        if (granules > wanted)
            put_free(gc, index + wanted, granules - wanted);
        return index;
    }
    *ret_granules = extend(vm, least, wanted);
    if (!*ret_granules)
        return 0;
    index = gc->top;
    gc->top += *ret_granules;
    return index;
}

static NOINLINE void *alloc_slow(struct vm *vm, uint32_t granules)
{
    struct gc *gc = &vm->gc;
    uint32_t got;
    if (granules > SMALL) {
        uint32_t index = take_block(vm, granules, granules, &got);
        if (!index)
            return NULL;
        account(gc, granules);
        return gc_block(gc, index);
    }
    if (gc->base)
        gc_retire(gc);
    uint32_t index = take_block(vm, granules, CHUNK, &got);
    if (!index)
        return NULL;
    account(gc, got);
    gc->at = gc_block(gc, index);
    gc->end = gc->at + (size_t)got * GRANULE;
    void *block = gc->at;
    gc->at += (size_t)granules * GRANULE;
    return block;
}

struct object *gc_alloc(struct vm *vm, uint32_t type, uint64_t bytes)
{
    struct gc *gc = &vm->gc;
    if (bytes > gc->limit)
        return NULL;
    uint64_t size = bytes < 2 * GRANULE ? 2 * GRANULE : (bytes + GRANULE - 1) & ~(GRANULE - 1ull);
    struct object *object;
    if (likely(size <= (size_t)(gc->end - gc->at))) {
        object = (struct object *)gc->at;
        gc->at += size;
    } else {
        object = alloc_slow(vm, (uint32_t)(size / GRANULE));
        if (!object)
            return NULL;
    }
    object->meta = type | gc->colour;
    gc->stuck = 0;
    return object;
}

/* --- Sweeping ------------------------------------------------------------------------------------
 */

uint64_t gc_object_size(const struct types *types, const struct object *object)
{
    const struct deftype *type = types_get(types, object_type(object));
    switch (type->kind) {
    case TYPE_STRUCT: return sizeof *object + type->structure.size;
    case TYPE_ARRAY:
        return sizeof(struct array) +
               (uint64_t)((const struct array *)object)->length * field_size(&type->element);
    case TYPE_FUNC:
        return sizeof(struct exception) + type->func.param_slots * (uint64_t)sizeof(union slot);
    }
    return 0;
}

static uint32_t object_granules(const struct types *types, const struct object *object)
{
    uint64_t size = gc_object_size(types, object);
    return size < 2 * GRANULE ? 2 : (uint32_t)((size + GRANULE - 1) / GRANULE);
}

void gc_sweep_begin(struct gc *gc)
{
    gc->phase = GC_SWEEP;
    gc->cursor = FIRST;
    gc->run = 0;
}

/* A run of free granules as the sweep finds it. */
struct run {
    uint32_t index;
    uint32_t granules; /* 0: none */
    bool listed;       /* it is one block, in its list */
};

static void add_to_run(struct gc *gc, struct run *run, uint32_t index, uint32_t granules,
                       bool listed)
{
    if (!run->granules) {
        *run = (struct run){index, granules, listed};
        return;
    }
    if (run->listed)
        take_free(gc, run->index);
    if (listed)
        take_free(gc, index);
    run->granules += granules;
    run->listed = false;
}

static void end_run(struct gc *gc, struct run *run)
{
    if (run->granules && !run->listed)
        put_free(gc, run->index, run->granules);
    gc->run = run->granules ? run->index : 0;
    run->granules = 0;
}

/* Adds the block at the cursor to the run if it is free or its object is dead, else ends the run;
 * gives its granules. */
static uint32_t sweep_block(struct vm *vm, struct run *run)
{
    struct gc *gc = &vm->gc;
    struct object *object = gc_block(gc, gc->cursor);
    if (object->meta == META_FREE) {
        uint32_t granules = free_at(gc, gc->cursor)->granules;
        add_to_run(gc, run, gc->cursor, granules, true);
        return granules;
    }
    if (object->meta == META_FILLER) {
        add_to_run(gc, run, gc->cursor, 1, false);
        return 1;
    }
    uint32_t granules = object_granules(vm->types, object);
    if ((object->meta & GC_COLOURS) == gc->colour) {
        end_run(gc, run);
        return granules;
    }
    if (gc->stress) /* whoever still uses it finds nothing that looks alive */
        memset(object, 0xee, (size_t)granules * GRANULE);
    gc->used -= granules;
    add_to_run(gc, run, gc->cursor, granules, false);
    return granules;
}

uint64_t gc_sweep(struct vm *vm, uint64_t units)
{
    struct gc *gc = &vm->gc;
    uint64_t done = 0;
    struct run run = {0};
    /* The run that ended at the cursor goes on, if it has not been used in the meantime. */
    if (gc->run) {
        const struct free_block *block = free_at(gc, gc->run);
        if (block->meta == META_FREE && gc->run + block->granules == gc->cursor)
            run = (struct run){gc->run, block->granules, true};
    }
    for (; gc->cursor < gc->top && done < units; done++)
        gc->cursor += sweep_block(vm, &run);
    if (gc->cursor < gc->top) {
        end_run(gc, &run);
        return done;
    }
    /* What is free at the end was never used, so to say. */
    if (run.granules) {
        if (run.listed)
            take_free(gc, run.index);
        gc->top = run.index;
    }
    gc->phase = GC_IDLE;
    gc->ended++;
    return done + 1;
}

void gc_pace(struct vm *vm)
{
    struct gc *gc = &vm->gc;
    gc->due = gc->stress;
    if (gc->phase != GC_IDLE) {
        gc->next = gc->used + CHUNK;
        return;
    }
    /* As much again as is alive, but no more than half of what is left; and some even if nothing
     * is. */
    uint64_t most = gc->limit / GRANULE;
    uint64_t least = most / 16 < MOST_REST ? most / 16 : MOST_REST;
    uint64_t left = most > gc->used ? (most - gc->used) / 2 : 0;
    uint64_t grow = gc->used < left ? gc->used : left;
    gc->next = gc->used + (grow > least ? grow : least);
}
