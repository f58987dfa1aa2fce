/* Spans and blocks of the store arena; see arena.h. */
#include "engine/base/arena.h"

#include <string.h>

/* Rounds up to whole pages; 0 for a size that no arena could hold. */
static size_t pages(size_t size)
{
    return size > SIZE_MAX - ARENA_PAGE ? 0 : (size + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
}

/* What a span occupies: at least a page, so that no two spans share an address. */
static size_t footprint(size_t size)
{
    return size ? pages(size) : ARENA_PAGE;
}

static uint8_t *span_end(const struct span *span)
{
    return span->at + footprint(span->size);
}

/* The free run directly above `below` (NULL: from the arena's base). */
static uint8_t *gap_start(const struct arena *arena, const struct span *below)
{
    return below ? span_end(below) : arena->base;
}

static uint8_t *gap_end(const struct arena *arena, const struct span *below)
{
    const struct span *above = below ? below->above : arena->first;
    return above ? above->at : arena->top;
}

/* The largest gap, named by the span below it. Gives its size, 0 if there is none. */
static size_t largest_gap(const struct arena *arena, struct span **ret_below)
{
    size_t best = 0;
    *ret_below = NULL;
    for (struct span *below = NULL;; below = below ? below->above : arena->first) {
        size_t gap = (size_t)(gap_end(arena, below) - gap_start(arena, below));
        if (gap > best) {
            best = gap;
            *ret_below = below;
        }
        if (below ? !below->above : !arena->first)
            return best;
    }
}

static void link_above(struct arena *arena, struct span *span, struct span *below)
{
    span->below = below;
    span->above = below ? below->above : arena->first;
    if (span->above)
        span->above->below = span;
    else
        arena->last = span;
    if (below)
        below->above = span;
    else
        arena->first = span;
}

static void unlink_span(struct arena *arena, struct span *span)
{
    if (span->below)
        span->below->above = span->above;
    else
        arena->first = span->above;
    if (span->above)
        span->above->below = span->below;
    else
        arena->last = span->below;
}

/* The part of a gap that a span of `need` bytes may lie in: in the one below the blocks, an eighth
 * is left to them, unless there is no other room. */
static size_t usable(const struct arena *arena, const struct span *below, size_t gap, size_t need)
{
    bool last = below ? !below->above : !arena->first;
    size_t kept = last ? gap / 8 & ~(size_t)(ARENA_PAGE - 1) : 0;
    return need > gap - kept ? gap : gap - kept;
}

/* Where in a gap a span goes. A neighbour below that may grow keeps at least half of the gap, and
 * all that the new one will never need. */
static uint8_t *place_in_gap(uint8_t *start, size_t gap, bool below_grows, size_t size, size_t room)
{
    if (!below_grows)
        return start;
    if (room < size)
        room = size;
    size_t skip = gap / 2 & ~(size_t)(ARENA_PAGE - 1);
    size_t want = footprint(room);
    if (want && want < gap - skip)
        skip = gap - want;
    if (skip > gap - footprint(size))
        skip = gap - footprint(size);
    return start + skip;
}

void arena_init(struct arena *arena, void *memory, size_t size)
{
    uint8_t *base = memory;
    uint8_t *end = base + (size & ~(size_t)(ARENA_PAGE - 1));
    *arena = (struct arena){.base = base, .top = end, .end = end};
}

/* --- Marks --------------------------------------------------------------------------------------
 */

uintptr_t arena_marks(const struct arena *arena, const uint8_t *marks)
{
    return (uintptr_t)marks - ((uintptr_t)arena->base >> ARENA_PAGE_LOG2);
}

void arena_keep_marks(struct arena *arena, uint8_t *marks)
{
    arena->marks = arena_marks(arena, marks);
}

static uint8_t *mark_of(const struct arena *arena, const uint8_t *page)
{
    return (uint8_t *)(arena->marks + ((uintptr_t)page >> ARENA_PAGE_LOG2));
}

/* The first mark from `at` on that is `wanted`, 1 or 0, or `end`; by eights where none is. */
static const uint8_t *find_mark(const uint8_t *at, const uint8_t *end, uint8_t wanted)
{
    const uint64_t others = wanted ? 0 : UINT64_C(0x0101010101010101);
    uint64_t eight;
    while (end - at >= (ptrdiff_t)sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        if (eight != others)
            break;
        at += sizeof eight;
    }
    while (at < end && *at != wanted)
        at++;
    return at;
}

const uint8_t *arena_marked(const struct arena *arena, const uint8_t *from, const uint8_t *end,
                            const uint8_t **ret_end)
{
    const uint8_t *first = mark_of(arena, from), *last = mark_of(arena, end);
    const uint8_t *begins = find_mark(first, last, 1), *ends = find_mark(begins, last, 0);
    *ret_end = from + (size_t)(ends - first) * ARENA_PAGE;
    return from + (size_t)(begins - first) * ARENA_PAGE;
}

void arena_unmark(const struct arena *arena, const uint8_t *from, const uint8_t *end)
{
    memset(mark_of(arena, from), 0, (size_t)(end - from) / ARENA_PAGE);
}

/* --- Spans --------------------------------------------------------------------------------------
 */

bool arena_place(struct arena *arena, struct span *span, size_t size, size_t room)
{
    struct span *below;
    size_t gap = largest_gap(arena, &below);
    size_t need = footprint(size);
    if (!need || need > gap)
        return false;
    gap = usable(arena, below, gap, need);
    span->at = place_in_gap(gap_start(arena, below), gap, below && below->grows, size, room);
    span->size = size;
    span->grows = room > size;
    link_above(arena, span, below);
    return true;
}

bool arena_stretch(struct arena *arena, struct span *span, size_t size)
{
    size_t need = footprint(size);
    if (size <= span->size)
        return true;
    if (!need || need > (size_t)(gap_end(arena, span) - span->at))
        return false;
    span->size = size;
    return true;
}

/* Links a span in the order of addresses. */
static void link_by_address(struct arena *arena, struct span *span)
{
    struct span *below = NULL;
    for (struct span *at = arena->first; at && at->at < span->at; at = at->above)
        below = at;
    link_above(arena, span, below);
}

/* Finds the place to move to. The old bytes stay until they are copied, so it is beside them. */
static bool begin_move(struct arena *arena, struct arena_move *move, size_t old, size_t size)
{
    size_t need = footprint(size);
    struct span *below;
    size_t gap = largest_gap(arena, &below);
    if (!need || need > gap)
        return false;
    *move = (struct arena_move){.state = MOVE_COPIES, .total = old};
    move->place.at = place_in_gap(gap_start(arena, below), gap, below && below->grows, size, size);
    move->place.size = size;
    link_above(arena, &move->place, below);
    arena->moved = true;
    return true;
}

/* The bytes are copied: the span is at its new place now, and its old place is to be cleared. */
static void arrive(struct arena *arena, struct span *span, struct arena_move *move)
{
    struct span *place = &move->place;
    uint8_t *at = place->at;
    size_t size = place->size;
    unlink_span(arena, span);
    unlink_span(arena, place);
    place->at = span->at;
    place->size = span->size;
    span->at = at;
    span->size = size;
    link_by_address(arena, span);
    link_by_address(arena, place);
    move->state = MOVE_CLEARS;
    move->done = 0;
}

/* The next piece of the state's work. True if that was the last. */
static bool move_step(const struct span *span, struct arena_move *move, size_t most)
{
    size_t left = move->total - move->done;
    size_t piece = left < most ? left : most;
    uint8_t *at = move->place.at + move->done;
    if (move->state == MOVE_COPIES)
        memcpy(at, span->at + move->done, piece);
    else
        memset(at, 0, piece);
    move->done += piece;
    return move->done == move->total;
}

int arena_extend_step(struct arena *arena, struct span *span, struct arena_move *move, size_t size,
                      size_t most)
{
    switch (move->state) {
    case MOVE_CLEARS:
        if (!move_step(span, move, most))
            return 0;
        unlink_span(arena, &move->place);
        *move = (struct arena_move){0};
        __attribute__((fallthrough));
    case MOVE_NONE:
        if (arena_stretch(arena, span, size))
            return 1;
        return begin_move(arena, move, span->size, size) ? 0 : -1;
    case MOVE_COPIES:
        if (move_step(span, move, most))
            arrive(arena, span, move);
        return 0;
    }
    return -1;
}

void arena_abandon(struct arena_move *move)
{
    if (move->state != MOVE_COPIES)
        return;
    move->state = MOVE_CLEARS;
    move->total = move->done;
    move->done = 0;
}

bool arena_extend(struct arena *arena, struct span *span, size_t size)
{
    struct arena_move move = {0};
    int step = 0;
    while (step == 0)
        step = arena_extend_step(arena, span, &move, size, SIZE_MAX);
    return step > 0;
}

void arena_release(struct arena *arena, struct span *span)
{
    unlink_span(arena, span);
    arena->moved = true;
    memset(span->at, 0, span->size);
    *span = (struct span){0};
}

void *arena_block(struct arena *arena, size_t size)
{
    size_t need = pages(size);
    if (!need || need > (size_t)(arena->top - gap_start(arena, arena->last)))
        return NULL;
    arena->top -= need;
    return arena->top;
}
