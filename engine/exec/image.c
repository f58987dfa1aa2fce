/* Images of stores; see image.h. A store's arena holds spans from below and blocks of the heap from
 * above (engine/base/arena.h); what lies between is zero, and has to be again.
 *
 * Where the arena keeps marks, what was not written is left alone: pages of memories, and what the
 * heap had not handed out. Everything else of the heap is small, and copied. */
#include "engine/exec/image.h"

#include "engine/exec/state.h"

/* Free parts of the heap that are looked at one by one; the others are copied. */
#define HOLES 64

enum run_kind {
    RUN_COPIED,
    RUN_MARKED, /* a memory: pages with a mark are copied */
    RUN_HOLE,   /* of the heap: not kept; what lies on pages with a mark becomes zero */
    RUN_STACK,  /* of a fiber that does not go on: not kept, and it need not be zero */
};

/* One run of bytes of the arena. */
struct run {
    uint8_t *at;
    size_t size;
    enum run_kind kind;
    const uint8_t *kept; /* in the image */
};

struct vm_image {
    uint32_t count; /* runs, in the order of their addresses: spans, and what the heap has */
    uint32_t spans; /* of them */
    struct run runs[];
};

/* --- Making -------------------------------------------------------------------------------------
 */

/* Does what lies on its stack mean anything? */
static bool goes_on(const struct fiber *fiber)
{
    return fiber->func && fiber->state != FIBER_DONE && fiber->state != FIBER_TRAPPED;
}

static enum run_kind kind_of(const struct vm *vm, const struct span *span)
{
    for (const struct fiber *fiber = vm->gc.fibers; fiber; fiber = fiber->all)
        if (span == &fiber->stack)
            return goes_on(fiber) ? RUN_COPIED : RUN_STACK;
    return span->marked ? RUN_MARKED : RUN_COPIED;
}

/* What the runs are written to, or only counted. */
struct listing {
    struct run *runs; /* or NULL */
    uint32_t count;
    size_t bytes; /* kept */
};

static void list(struct listing *listing, uint8_t *at, size_t size, enum run_kind kind)
{
    if (listing->runs)
        listing->runs[listing->count] = (struct run){at, size, kind, NULL};
    listing->count++;
    listing->bytes += kind == RUN_COPIED || kind == RUN_MARKED ? size : 0;
}

static void list_spans(struct listing *listing, const struct vm *vm)
{
    for (const struct span *span = vm->arena.first; span; span = span->above)
        list(listing, span->at, span->size, kind_of(vm, span));
}

static void list_heap(struct listing *listing, const struct vm *vm)
{
    struct heap_hole holes[HOLES];
    uint32_t count = vm->arena.marks ? heap_holes(&vm->heap, holes, HOLES) : 0;
    uint8_t *at = vm->arena.top;
    for (uint32_t i = 0; i < count; i++) {
        list(listing, at, (size_t)(holes[i].at - at), RUN_COPIED);
        list(listing, holes[i].at, holes[i].size, RUN_HOLE);
        at = holes[i].at + holes[i].size;
    }
    /* The vm lies on top; its last page is not used to its end. */
    list(listing, at, (size_t)((const uint8_t *)(vm + 1) - at), RUN_COPIED);
}

static size_t head_size(uint32_t count)
{
    return (sizeof(struct vm_image) + count * sizeof(struct run) + 15) & ~(size_t)15;
}

size_t vm_image_size(const struct vm *vm)
{
    struct listing listing = {0};
    list_spans(&listing, vm);
    list_heap(&listing, vm);
    return head_size(listing.count) + listing.bytes;
}

/* --- Pages --------------------------------------------------------------------------------------
 */

/* The end of the page that a run's last byte lies in, as spans begin with a page. */
static uint8_t *page_end(uint8_t *at, size_t size)
{
    return at + ((size + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1));
}

/* Zeroes what may have been written of `size` bytes: what lies on pages with a mark; all of it if
 * that is not `known`. */
static void clear(const struct arena *arena, uint8_t *at, size_t size, bool known)
{
    if (!known) {
        memset(at, 0, size);
        return;
    }
    size_t before = (uintptr_t)at & (ARENA_PAGE - 1);
    const uint8_t *end = page_end(at - before, before + size), *ends;
    const uint8_t *page = arena_marked(arena, at - before, end, &ends);
    while (page < end) {
        size_t from = page > at ? (size_t)(page - at) : 0, upto = (size_t)(ends - at);
        memset(at + from, 0, (upto < size ? upto : size) - from);
        page = ends < end ? arena_marked(arena, ends, end, &ends) : end;
    }
}

/* Brings back what lies from `from` to `end` of a span that has `run` for an image; what is beyond
 * that becomes zero. */
static void bring_back(const struct run *run, const struct span *span, size_t from, size_t end)
{
    if (end > span->size)
        end = span->size;
    size_t kept = end < run->size ? end : run->size;
    if (from < kept)
        memcpy(span->at + from, run->kept + from, kept - from);
    if (from < kept)
        from = kept;
    if (from < end)
        memset(span->at + from, 0, end - from);
}

/* The pages of a memory that have marks, and what a store may have written behind them. */
static void bring_pages(const struct arena *arena, const struct run *run, const struct span *span)
{
    const uint8_t *end = page_end(span->at, span->size), *ends;
    const uint8_t *page = arena_marked(arena, span->at, end, &ends);
    while (page < end) {
        bring_back(run, span, (size_t)(page - span->at), (size_t)(ends - span->at) + ARENA_STORE);
        page = ends < end ? arena_marked(arena, ends, end, &ends) : end;
    }
}

/* Copies the pages of a memory that have marks, and what a store may have written behind them. The
 * others are zero, there as here. */
static void keep_pages(const struct arena *arena, const struct run *run, uint8_t *to)
{
    const uint8_t *end = page_end(run->at, run->size), *ends;
    const uint8_t *page = arena_marked(arena, run->at, end, &ends);
    while (page < end) {
        size_t from = (size_t)(page - run->at), upto = (size_t)(ends - run->at) + ARENA_STORE;
        if (upto > run->size)
            upto = run->size;
        memcpy(to + from, page, upto - from);
        page = ends < end ? arena_marked(arena, ends, end, &ends) : end;
    }
}

static void unmark_spans(const struct arena *arena)
{
    for (const struct span *span = arena->first; span; span = span->above)
        if (span->marked)
            arena_unmark(arena, span->at, page_end(span->at, span->size));
}

struct vm_image *vm_image_make(struct vm *vm, void *memory)
{
    struct vm_image *image = memory;
    struct listing listing = {.runs = image->runs};
    bool known = vm->arena.marks && !vm->arena.moved;
    vm->arena.moved = false;
    list_spans(&listing, vm);
    image->spans = listing.count;
    list_heap(&listing, vm);
    image->count = listing.count;
    uint8_t *to = (uint8_t *)memory + head_size(image->count);
    for (uint32_t i = 0; i < image->count; i++) {
        struct run *run = &image->runs[i];
        if (run->kind == RUN_HOLE)
            clear(&vm->arena, run->at, run->size, /*known=*/true);
        if (run->kind == RUN_HOLE || run->kind == RUN_STACK)
            continue;
        if (run->kind == RUN_MARKED && known)
            keep_pages(&vm->arena, run, to);
        else
            memcpy(to, run->at, run->size);
        run->kept = to;
        to += run->size;
    }
    if (vm->arena.marks) {
        unmark_spans(&vm->arena);
        arena_unmark(&vm->arena, vm->arena.top, vm->arena.end);
    }
    return image;
}

/* --- Restoring ----------------------------------------------------------------------------------
 */

/* Clears what of `at`, of `size` bytes, is in no run: it was not in use, or held other things. */
static void clear_rest(const struct vm_image *image, uint8_t *at, size_t size)
{
    uint8_t *end = at + size;
    for (uint32_t i = 0; i < image->count && at < end; i++) {
        uint8_t *begins = image->runs[i].at, *ends = begins + image->runs[i].size;
        if (ends <= at)
            continue;
        if (begins >= end)
            break;
        if (begins > at)
            memset(at, 0, (size_t)(begins - at));
        at = ends;
    }
    if (at < end)
        memset(at, 0, (size_t)(end - at));
}

/* The image of a memory's span, where that has not moved. */
static const struct run *run_of(const struct vm_image *image, const struct span *span)
{
    for (uint32_t i = 0; i < image->spans; i++)
        if (image->runs[i].at == span->at)
            return &image->runs[i];
    return NULL;
}

/* All that spans have by now. `known`: marks tell what was written of memories. */
static void restore_spans(const struct arena *arena, const struct vm_image *image, bool known)
{
    for (const struct span *span = arena->first; span; span = span->above) {
        const struct run *run = known && span->marked ? run_of(image, span) : NULL;
        if (run && run->kind == RUN_MARKED)
            bring_pages(arena, run, span);
        else
            clear_rest(image, span->at, span->size);
    }
}

void vm_image_restore(struct vm *vm, const struct vm_image *image)
{
    const struct arena arena = vm->arena; /* which is overwritten, as the spans that it lists */
    const uint8_t *heap = image->runs[image->spans].at;
    bool known = arena.marks && !arena.moved;
    restore_spans(&arena, image, known);
    clear(&arena, arena.top, (size_t)(heap - arena.top), known);
    if (arena.marks)
        unmark_spans(&arena);
    for (uint32_t i = 0; i < image->count; i++) {
        const struct run *run = &image->runs[i];
        if (run->kind == RUN_HOLE)
            clear(&arena, run->at, run->size, known);
        else if (run->kind == RUN_COPIED || (run->kind == RUN_MARKED && !known))
            memcpy(run->at, run->kept, run->size);
    }
    if (arena.marks)
        arena_unmark(&arena, arena.top, arena.end);
}

void vm_translate_all(struct vm *vm)
{
    struct translation translation = vm->translation;
    struct err err = {0};
    for (struct instance *in = vm->gc.instances; in; in = in->next) {
        translation.module = in->module;
        if (translate_all(&translation, vm->image, &err))
            return;
    }
}
