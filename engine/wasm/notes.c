/* Where notes lie; see notes.h. What is noted is in note_code.c. */
#include "engine/wasm/notes.h"

#define BLOCK_WORDS 16384u

struct notes *notes_new(struct region *region, uint32_t functions)
{
    struct notes *notes = region_new(region, struct notes);
    if (notes)
        notes->starts = region_array(region, const uint32_t *, functions);
    return notes && notes->starts ? notes : NULL;
}

uint32_t *notes_begin(struct notes *notes, struct region *region, uint32_t func, uint32_t size)
{
    if ((size_t)(notes->end - notes->at) <= size) {
        uint32_t words = size < BLOCK_WORDS ? BLOCK_WORDS : size + 1;
        uint32_t *block = region_array(region, uint32_t, words);
        if (!block)
            return NULL;
        notes->at = block;
        notes->end = block + words;
    }
    notes->starts[func] = notes->at;
    return notes->at;
}

void notes_end(struct notes *notes, uint32_t *at)
{
    *at = NOTE_OF(NOTE_END);
    notes->at = at + 1;
}
