/* Fusing: replaces the handlers of instructions that begin a run of fuse.def. The last pass over a
 * function, when nothing is patched any more. */
#include "engine/wasm/fuse_rows.h"
#include "engine/wasm/tr.h"

#define RUN_MOST 4 /* instructions in a run */

/* The rows by their keys: open addressing. Written while carrel is built (engine/wasm/places), so
 * that no start fills it. */
static const uint16_t places[FUSE_PLACES] = {
#include "engine/wasm/fuse_places.inc"
};

/* The run of `first` and `next`, or XOP_COUNT. */
static uint32_t run_of(uint32_t first, uint32_t next)
{
    uint32_t key = FUSE_KEY(first, next);
    for (uint32_t at = fuse_place(key); places[at]; at = (at + 1) % FUSE_PLACES)
        if (fuse_rows[places[at] - 1].key == key)
            return fuse_rows[places[at] - 1].run;
    return XOP_COUNT;
}

/* 32-bit field of the instruction at `at`. */
static uint32_t field_of(const code_word *at, unsigned field)
{
    uint32_t value;
    memcpy(&value, (const char *)(at + 1) + field * sizeof value, sizeof value);
    return value;
}

/* Does the branch at `at` whose distance is in that field lead back? */
static bool leads_back(const code_word *at, unsigned field)
{
    return branch_target(at, field_of(at, field)) <= at;
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
    return (size_t)(branch_target(&tr->start[at], field_of(&tr->start[at], 0)) - tr->start);
}

/* Why operators have a second handler, for code that can be interrupted (xop.def). */
enum second { SECOND_NONE, SECOND_LOOKS, SECOND_MARKS };
static const uint8_t seconds[XOP_COUNT] = {
#define XOP(name)
#define XOP_POLLED(name) [XOP_##name] = SECOND_LOOKS,
#define XOP_MARKED(name) [XOP_##name] = SECOND_MARKS,
#include "engine/wasm/xop.def"
};

/* Does the instruction at `at` need it? What writes does, where that is marked, what may go back,
 * and what enters a function that calls others: whatever goes on for ever comes past one of these.
 */
static bool needs_second(const struct tr *tr, size_t at)
{
    const code_word *word = &tr->start[at];
    enum xop xop = (enum xop)tr->xops[at];
    if (seconds[xop] != SECOND_LOOKS)
        return seconds[xop] == SECOND_MARKS && tr->options->marks;
    switch (xop) {
    case XOP_ENTER:
    case XOP_ENTER0: return tr->calls;
    case XOP_BR: return leads_back(word, 0);
    case XOP_BR_TABLE_S:
    case XOP_BR_TABLE_A:
        for (uint32_t i = 0, count = field_of(word, 1); i <= count; i++)
            if (leads_back(word, 2 + i))
                return true;
        return false;
    default: return leads_back(word, 1);
    }
}

/* What choosing goes by. */
struct choice {
    size_t end;
    size_t behind[RUN_MOST]; /* the instructions that follow the one at hand in the code */
    uint16_t *left;          /* by word: instructions to dispatch from there on; 0 at the end */
    bool known;              /* `left` has that of an earlier pass for what lies before */
};

/* The handler of a run or an instruction, of the second set only where it has to be. */
static code_word word_of(const struct tr *tr, uint32_t run, bool second)
{
    const struct translation *options = tr->options;
    return handler_word(options->onward && !second ? options->onward : options->handlers, run);
}

/* Chooses the run that begins at `at`: that after which least is to be dispatched, of those the
 * longest. True if what lies before would have to be known. */
static bool choose(struct tr *tr, size_t at, const struct choice *choice)
{
    const uint16_t *xops = tr->xops;
    bool polled = tr->options->onward != NULL;
    bool back = false;
    bool jumped = false;
    bool second = false;
    uint32_t run = xops[at];
    uint32_t least = UINT16_MAX - 1;
    size_t last = at;
    for (unsigned length = 1;; length++) {
        size_t next = choice->behind[length - 1];
        second |= polled && needs_second(tr, last);
        jumped |= xops[last] == XOP_BR;
        if (unlikely(jumped)) {
            next = next_carried_out(tr, last, choice->end);
            if (next <= at) {
                back = true;
                if (!choice->known) {
                    tr->start[at] = word_of(tr, run, second);
                    least = 0;
                    break;
                }
            }
        }
        uint32_t rest = choice->left[next];
        if (rest <= least) {
            least = rest;
            tr->start[at] = word_of(tr, run, second);
        }
        if (length == RUN_MOST || (run = run_of(run, xops[next])) == XOP_COUNT)
            break; /* which is what run_of gives at the end, too: there is no operator */
        last = next;
    }
    /* From 0 again in the longest of functions: nearly all that is compared lies together. */
    choice->left[at] = (uint16_t)((least + 1) % UINT16_MAX);
    return back;
}

/* Chooses for the instructions at `last` and before, the last one first. Gives the first, that is
 * the highest, for which what lies before would have to be known; or NOWHERE. */
static size_t choose_all(struct tr *tr, struct choice *choice, size_t last)
{
    size_t back = NOWHERE;
    size_t next = last;
    for (unsigned i = 0; i < RUN_MOST; i++) {
        if (next < choice->end)
            next = next_instruction(tr->xops, next, choice->end);
        choice->behind[i] = next;
    }
    for (size_t at = last + 1; at-- > 0 && !tr->failed;) {
        if (tr->xops[at] == XOP_COUNT)
            continue;
        if (choose(tr, at, choice) && back == NOWHERE)
            back = at;
        tr_look(tr);
        memmove(choice->behind + 1, choice->behind, sizeof choice->behind - sizeof *choice->behind);
        choice->behind[0] = at;
    }
    return back;
}

void tr_fuse(struct tr *tr)
{
    /* In the room of what is done with: two bytes for each word of code. */
    struct choice choice = {.end = (size_t)(tr->at - tr->start), .left = (uint16_t *)tr->controls};
    size_t room = (size_t)((const uint8_t *)tr->map.points - (const uint8_t *)tr->controls);
    if (tr->options->single || room / sizeof *choice.left <= choice.end)
        return;
    choice.left[choice.end] = 0;
    size_t back = choose_all(tr, &choice, choice.end);
    if (back != NOWHERE) {
        choice.known = true;
        choose_all(tr, &choice, back);
    }
}
