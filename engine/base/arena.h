/* The store arena: one reservation in which everything mutable of a cell lives, so that resetting
 * or imaging a cell means one range of addresses. From below it holds spans that may grow (linear
 * memories, tables, stacks), each with room after it; from above, blocks of fixed size (the heap).
 * It never asks the kernel for anything, and its size bounds even an engine that is owned.
 *
 * A span that can no longer grow in place is moved, so holders reload its address after anything
 * that may grow it. */
#ifndef CARREL_BASE_ARENA_H
#define CARREL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_PAGE_LOG2 12
#define ARENA_PAGE      (1u << ARENA_PAGE_LOG2)

/* A mark on a page tells that something was written that began there, and no piece of it, if it was
 * more than one page's, was longer than this: so much behind a marked page may differ, too. */
#define ARENA_STORE 16u

/* Owned and kept in place by whoever asked for it; linked in order of address. */
struct span {
    uint8_t *at;
    size_t size; /* bytes in use, zeroed when they became so; need not be whole pages */
    bool grows;
    bool marked; /* whoever writes there marks the pages */
    struct span *below;
    struct span *above;
};

struct arena {
    uint8_t *base;
    uint8_t *top; /* fixed blocks lie from here up to `end` */
    uint8_t *end;
    struct span *first;
    struct span *last;
    uintptr_t marks; /* as arena_mark takes them; 0: none are kept */
    bool moved;      /* what a span had was written to places that may have no mark */
};

/* `size` bytes at page-aligned `memory`, which must be zero. */
void arena_init(struct arena *arena, void *memory, size_t size);

/* What arena_mark takes where `marks` has a byte for each page. */
uintptr_t arena_marks(const struct arena *arena, const uint8_t *marks);

/* From now on pages are marked that are written: by the heap, and by whoever writes to spans that
 * are said to be marked. `marks` has a zeroed byte for each page. */
void arena_keep_marks(struct arena *arena, uint8_t *marks);

/* Marks the pages that `size` bytes at `at` lie in. */
static inline void arena_mark(uintptr_t marks, const void *at, size_t size)
{
    uintptr_t page = (uintptr_t)at >> ARENA_PAGE_LOG2;
    if (!marks || !size)
        return;
    for (uintptr_t last = ((uintptr_t)at + size - 1) >> ARENA_PAGE_LOG2; page <= last; page++)
        *(uint8_t *)(marks + page) = 1;
}

/* The first marked page at `from` or behind it, and `*ret_end` behind the last of those beside it;
 * `end` if there is none below it. Both are whole pages. */
const uint8_t *arena_marked(const struct arena *arena, const uint8_t *from, const uint8_t *end,
                            const uint8_t **ret_end);

/* Takes the marks off what lies from `from` to `end`, whole pages. */
void arena_unmark(const struct arena *arena, const uint8_t *from, const uint8_t *end);

/* Gives `span` its first `size` zeroed bytes, page-aligned, in a place where it may grow towards
 * `room` bytes. False if no gap holds `size`. A span of size 0 has an address too. */
bool arena_place(struct arena *arena, struct span *span, size_t size, size_t room);

/* Makes the span `size` bytes long, moving it if it must; new bytes are zero. False, and nothing
 * changed, if no gap is large enough. Never shrinks. */
bool arena_extend(struct arena *arena, struct span *span, size_t size);

/* The same, but only in place. */
bool arena_stretch(struct arena *arena, struct span *span, size_t size);

/* A move to a larger place that is done in steps. All zero: none is under way. */
struct arena_move {
    enum { MOVE_NONE, MOVE_COPIES, MOVE_CLEARS } state;
    struct span place; /* where the span goes; once it is there, where it came from */
    size_t done;       /* bytes of the state's work that are done, and of how many */
    size_t total;
};

/* arena_extend in steps that copy or clear at most `most` bytes. 1: done; 0: call it again with the
 * same size, and do not write to the span before; -1: no gap is large enough. `move` stays where it
 * is from the first step to the last. */
int arena_extend_step(struct arena *arena, struct span *span, struct arena_move *move, size_t size,
                      size_t most);

/* What was begun in steps will not be finished now, and the span may be written again. What is left
 * to clear is done by the steps of its next extension. */
void arena_abandon(struct arena_move *move);

/* Gives the span back. Its bytes are cleared, for whoever gets them next. */
void arena_release(struct arena *arena, struct span *span);

/* A zeroed block of whole pages that is never given back; NULL if there is no room. */
void *arena_block(struct arena *arena, size_t size);

#endif
