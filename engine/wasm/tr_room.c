/* The room in which a function is translated, and how it is divided (tr_part.def).
 *
 * How much a function takes of each part is known when it is translated. At first the shares are
 * those that nearly all functions get by with. When a part is full, the room is divided anew by
 * what the body has taken of each part up to there, and the body is translated again; what has been
 * full gets more than it had. So the parts are full together in the end, or it fits. */
#include "engine/wasm/tr.h"

#define ALIGN       ((size_t)16)
#define LEAST       ((size_t)256) /* bytes of a part: what one instruction does to it fits */
#define WORD_EACH   (sizeof(code_word) + sizeof(uint16_t)) /* and its operator */
#define WORDS_ALIGN ((size_t)8)                            /* so that both are aligned */
#define LOCAL_EACH  (sizeof(uint32_t) + sizeof(uint8_t))
#define SHARES      128
#define REST_LEAST  64 /* the fraction of the room that must be left to be divided */
#define LOWEST      16 /* nothing seems to want less than this fraction of its first share */

static const uint32_t shares[PARTS] = {
#define PART(name, array, count, most, share) [PART_##name] = (share),
#include "engine/wasm/tr_part.def"
#undef PART
    [PART_CODE] = SHARES
#define PART(name, array, count, most, share) -(share)
#include "engine/wasm/tr_part.def"
#undef PART
};

void tr_division_begin(struct division *division)
{
    *division = (struct division){0};
    for (unsigned i = 0; i < PARTS; i++)
        division->wanted[i] = shares[i];
}

/* Bytes for each part, of `room` bytes: what it needs for sure, and of the rest in proportion to
 * what it seems to need. False if that would be too little to try again. */
static bool divide(const struct division *division, size_t room, size_t sizes[PARTS])
{
    size_t least = room / REST_LEAST;
    uint64_t wanted = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        sizes[i] = division->needed[i] + LEAST;
        if (sizes[i] > room)
            return false;
        room -= sizes[i];
        wanted += division->wanted[i];
    }
    if (room < least)
        return false;
    for (unsigned i = 0; i < PARTS; i++) {
        sizes[i] += (size_t)((double)room * ((double)division->wanted[i] / (double)wanted));
        sizes[i] &= ~(ALIGN - 1);
    }
    return true;
}

bool tr_room_lay_out(struct tr *tr, struct region *image, size_t nlocals)
{
    uint8_t *at = (uint8_t *)(((uintptr_t)image->at + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    size_t locals = (nlocals * LOCAL_EACH + ALIGN - 1) & ~(ALIGN - 1);
    size_t left = at < image->end ? (size_t)(image->end - at) & ~(ALIGN - 1) : 0;
    size_t sizes[PARTS];
    if (left < locals || !divide(tr->division, left - locals, sizes))
        return false;
    tr->local_slots = (uint32_t *)(at + left - locals);
    tr->local_kinds = (uint8_t *)(tr->local_slots + nlocals);
    size_t words = sizes[PART_CODE] / WORD_EACH & ~(WORDS_ALIGN - 1);
    tr->start = tr->at = (code_word *)at;
    tr->limit = tr->start + words;
    tr->xops = (uint16_t *)tr->limit;
    at = (uint8_t *)(tr->xops + words);
#define PART(name, array, count, most, share)                                                      \
    tr->array = (void *)at;                                                                        \
    tr->most = (uint32_t)(sizes[PART_##name] / sizeof *tr->array);                                 \
    at += sizes[PART_##name];
#include "engine/wasm/tr_part.def"
#undef PART
    return true;
}

/* What each part would take in the end if the rest of the body were like what has been translated.
 */
static void extrapolate(const struct tr *tr, uint64_t taken[PARTS], uint64_t most[PARTS])
{
    const struct function *function = &tr->module->funcs[tr->func];
    uint64_t done = (uint64_t)(tr->reader.at - function->body) + 1;
    taken[PART_CODE] = (uint64_t)(tr->at - tr->start) * WORD_EACH;
    most[PART_CODE] = (uint64_t)(tr->limit - tr->start) * WORD_EACH;
#define PART(name, array, count, most_, share)                                                     \
    taken[PART_##name] = (uint64_t)tr->count * sizeof *tr->array;                                  \
    most[PART_##name] = (uint64_t)tr->most_ * sizeof *tr->array;
#include "engine/wasm/tr_part.def"
#undef PART
    for (unsigned i = 0; i < PARTS; i++)
        taken[i] = (uint64_t)((double)taken[i] * ((double)function->body_len / (double)done));
}

void tr_full(struct tr *tr, enum part part)
{
    struct division *division = tr->division;
    uint64_t taken[PARTS], most[PARTS], room = 0;
    if (tr->failed)
        return;
    extrapolate(tr, taken, most);
    for (unsigned i = 0; i < PARTS; i++)
        room += most[i];
    division->needed[part] = most[part];
    for (unsigned i = 0; i < PARTS; i++) {
        uint64_t lowest = i == part ? 2 * most[i] : room / SHARES * shares[i] / LOWEST;
        uint64_t wanted = taken[i] > lowest ? taken[i] : lowest;
        division->wanted[i] = wanted > division->needed[i] ? wanted - division->needed[i] : 1;
    }
    tr->full = part;
    tr_fail(tr, ERR_MEMORY, "no room");
}
