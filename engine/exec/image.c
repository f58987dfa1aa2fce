/* Images of stores; see image.h. A store's arena holds spans from below and blocks of the heap from
 * above (engine/base/arena.h); what lies between is zero, and has to be again. */
#include "engine/exec/image.h"

#include "engine/exec/state.h"

/* One run of bytes of the arena. */
struct run {
    uint8_t *at;
    size_t size;
    bool stack; /* not kept: nothing on it means anything, and it need not be zero */
};

struct vm_image {
    uint32_t count; /* runs, in the order of their addresses; the last is the heap's blocks */
    size_t bytes;   /* kept */
    struct run runs[];
};

static bool is_stack(const struct vm *vm, const struct span *span)
{
    for (const struct fiber *fiber = vm->gc.fibers; fiber; fiber = fiber->all)
        if (span == &fiber->stack)
            return true;
    return false;
}

static uint32_t count_runs(const struct vm *vm, size_t *ret_bytes)
{
    uint32_t count = 1;
    *ret_bytes = (size_t)(vm->arena.end - vm->arena.top);
    for (const struct span *span = vm->arena.first; span; span = span->above) {
        count++;
        *ret_bytes += is_stack(vm, span) ? 0 : span->size;
    }
    return count;
}

static size_t head_size(uint32_t count)
{
    return (sizeof(struct vm_image) + count * sizeof(struct run) + 15) & ~(size_t)15;
}

size_t vm_image_size(const struct vm *vm)
{
    size_t bytes;
    uint32_t count = count_runs(vm, &bytes);
    return head_size(count) + bytes;
}

size_t vm_image_bytes(const struct vm_image *image)
{
    return image->bytes;
}

struct vm_image *vm_image_make(const struct vm *vm, void *memory)
{
    struct vm_image *image = memory;
    uint32_t count = 0;
    image->count = count_runs(vm, &image->bytes);
    for (const struct span *span = vm->arena.first; span; span = span->above)
        image->runs[count++] = (struct run){span->at, span->size, is_stack(vm, span)};
    image->runs[count] =
        (struct run){vm->arena.top, (size_t)(vm->arena.end - vm->arena.top), false};
    uint8_t *to = (uint8_t *)memory + head_size(image->count);
    for (uint32_t i = 0; i < image->count; i++) {
        const struct run *run = &image->runs[i];
        if (run->stack)
            continue;
        memcpy(to, run->at, run->size);
        to += run->size;
    }
    return image;
}

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

void vm_image_restore(struct vm *vm, const struct vm_image *image)
{
    for (const struct span *span = vm->arena.first; span; span = span->above)
        clear_rest(image, span->at, span->size);
    const struct run *heap = &image->runs[image->count - 1];
    if (vm->arena.top < heap->at)
        memset(vm->arena.top, 0, (size_t)(heap->at - vm->arena.top));
    const uint8_t *from = (const uint8_t *)image + head_size(image->count);
    for (uint32_t i = 0; i < image->count; i++) {
        const struct run *run = &image->runs[i];
        if (run->stack)
            continue;
        memcpy(run->at, from, run->size);
        from += run->size;
    }
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
