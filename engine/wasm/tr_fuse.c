/* Fusing: replaces the handlers of instructions that begin a run of fuse.def. The last pass over a
 * function, when nothing is patched any more. */
#include "engine/wasm/tr.h"

/* A run so far, what follows, and the run that they make. */
struct row {
    uint16_t first;
    uint16_t next;
    uint16_t run;
};

static const struct row rows[] = {
#define FUSE2(a, b)       {XOP_##a, XOP_##b, XOP_##a##__##b},
#define FUSE3(a, b, c)    {XOP_##a##__##b, XOP_##c, XOP_##a##__##b##__##c},
#define FUSE4(a, b, c, d) {XOP_##a##__##b##__##c, XOP_##d, XOP_##a##__##b##__##c##__##d},
#include "engine/wasm/fuse.def"
#undef FUSE2
#undef FUSE3
#undef FUSE4
};

/* The rows by first and next: open addressing, filled when the first function is translated. */
#define PLACES 8192u
static uint16_t places[PLACES]; /* index into rows, from 1; 0: empty */
_Static_assert(countof(rows) * 2 < PLACES, "fuse.def has outgrown its index");

static uint32_t place_of(uint32_t first, uint32_t next)
{
    return ((first << 16 | next) * UINT32_C(0x9e3779b1)) >> 19;
}

static void fill_places(void)
{
    for (uint16_t i = 0; i < countof(rows); i++) {
        uint32_t at = place_of(rows[i].first, rows[i].next);
        while (places[at])
            at = (at + 1) % PLACES;
        places[at] = (uint16_t)(i + 1);
    }
}

/* The run of `first` and `next`, or XOP_COUNT. */
static uint32_t run_of(uint32_t first, uint32_t next)
{
    for (uint32_t at = place_of(first, next); places[at]; at = (at + 1) % PLACES) {
        const struct row *row = &rows[places[at] - 1];
        if (row->first == first && row->next == next)
            return row->run;
    }
    return XOP_COUNT;
}

/* The instruction behind the one at `at`; `end` if there is none. */
static size_t next_instruction(const uint16_t *xops, size_t at, size_t end)
{
    do
        at++;
    while (at < end && xops[at] == XOP_COUNT);
    return at;
}

/* The instruction that is carried out after the one at `at`, whose operator is not a condition. */
static size_t next_carried_out(const struct tr *tr, size_t at, size_t end)
{
    if (tr->xops[at] != XOP_BR)
        return next_instruction(tr->xops, at, end);
    int32_t distance;
    memcpy(&distance, &tr->start[at + 1], sizeof distance);
    return at + (size_t)(ptrdiff_t)distance;
}

/* Chooses the run that begins at `at`: that after which least is to be dispatched, of those the
 * longest. `left` has that number for what lies behind, and of an earlier pass for what lies
 * before; `known` is whether there was one. True if it would have been needed. */
static bool choose(struct tr *tr, size_t at, size_t end, uint16_t *left, bool known)
{
    bool back = false;
    uint32_t run = tr->xops[at];
    uint32_t best = run;
    uint32_t least = UINT16_MAX - 1;
    for (size_t last = at;;) {
        size_t next = next_carried_out(tr, last, end);
        if (next <= at) {
            back = true;
            if (!known) {
                best = run;
                least = 0;
                break;
            }
        }
        uint32_t rest = next < end ? left[next] : 0;
        if (rest <= least) {
            least = rest;
            best = run;
        }
        if (next >= end || (run = run_of(run, tr->xops[next])) == XOP_COUNT)
            break;
        last = next;
    }
    left[at] = (uint16_t)(least + 1);
    tr->start[at] = (code_word)(uintptr_t)tr->options->handlers[best];
    return back;
}

void tr_fuse(struct tr *tr)
{
    size_t end = (size_t)(tr->at - tr->start);
    /* The room of the fixups, which are done with: two bytes for each word of code. */
    uint16_t *left = (uint16_t *)(void *)tr->fixups;
    if (tr->options->single || tr->fixups_most * sizeof *tr->fixups / sizeof *left < end)
        return;
    if (!places[place_of(rows[0].first, rows[0].next)])
        fill_places();
    bool again = true;
    for (int pass = 0; pass < 2 && again; pass++) {
        again = false;
        for (size_t at = end; at-- > 0;)
            if (tr->xops[at] != XOP_COUNT)
                again |= choose(tr, at, end, left, pass > 0);
    }
}
