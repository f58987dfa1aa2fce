/* Where notes lie; see notes.h. What is noted is in note_code.c. */
#include "engine/wasm/notes.h"

#define BLOCK_WORDS 16384u

struct notes *notes_new(struct region *region, uint32_t functions)
{
    struct notes *notes = region_new(region, struct notes);
    if (!notes)
        return NULL;
    notes->region = region;
    notes->starts = region_array(region, const uint32_t *, functions);
    return notes->starts ? notes : NULL;
}

uint32_t *notes_begin(struct notes *notes, uint32_t func, uint32_t size)
{
    if ((size_t)(notes->end - notes->at) <= size) {
        uint32_t words = size < BLOCK_WORDS ? BLOCK_WORDS : size + 1;
        uint32_t *block = region_array(notes->region, uint32_t, words);
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

const uint32_t *notes_of(const struct module *module, uint32_t func)
{
    struct notes *notes = module->notes;
    uint32_t own = func - module->imported_funcs;
    const struct function *function = &module->funcs[func];
    if (notes->starts[own])
        return notes->starts[own];
    if (!notes->steps) {
        notes->steps = region_new(notes->region, struct scan_steps);
        if (!notes->steps)
            return NULL;
        scan_prepare(notes->steps);
    }
    struct err err = {0};
    struct reader body =
        reader_of((struct bytes){function->body, function->body_len}, module->file, &err);
    uint32_t *note = notes_begin(notes, own, function->body_len);
    if (!note || scan_body(module, notes->steps, &body, &note))
        return notes->starts[own] = NULL;
    notes_end(notes, note);
    return notes->starts[own];
}
