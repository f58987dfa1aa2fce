/* Linear memories: making, growing, and the bulk operators (core spec §4.4.7, §4.2.8). */
#include "engine/exec/state.h"

#define NO_LIMIT UINT64_MAX

/* The most pages that a memory may have: its own maximum, and what its index type can address. */
static uint64_t most_pages(const struct memtype *type)
{
    unsigned address_bits = type->limits.is64 ? 64 : 32;
    uint64_t addressable = address_bits - type->page_log2 == 64
                               ? UINT64_MAX
                               : UINT64_C(1) << (address_bits - type->page_log2);
    return type->limits.has_max && type->limits.max < addressable ? type->limits.max : addressable;
}

/* Bytes of `pages`, or NO_LIMIT if they overflow. */
static uint64_t page_bytes(const struct memtype *type, uint64_t pages)
{
    uint64_t bytes;
    return __builtin_mul_overflow(pages, UINT64_C(1) << type->page_log2, &bytes) ? NO_LIMIT : bytes;
}

struct linear_memory *memory_new(struct vm *vm, const struct memtype *type)
{
    uint64_t bytes = page_bytes(type, type->limits.min);
    if (vm->nmemories >= vm->limits.memories || bytes > vm->limits.memory_bytes - vm->memory_bytes)
        return NULL;
    struct linear_memory *memory = heap_zeroed(&vm->heap, 1, sizeof *memory);
    if (!memory)
        return NULL;
    if (!arena_place(&vm->arena, &memory->span, bytes, page_bytes(type, most_pages(type)))) {
        heap_give(&vm->heap, memory);
        return NULL;
    }
    memory->span.marked = vm->arena.marks != 0;
    memory->marks = vm->arena.marks;
    memory->type = *type;
    memory->pages = type->limits.min;
    vm->memory_bytes += bytes;
    vm->nmemories++;
    return memory;
}

enum grow memory_grow(struct vm *vm, struct linear_memory *memory, uint64_t more, size_t most)
{
    uint64_t before = memory->pages;
    uint64_t limit = most_pages(&memory->type);
    if (more > limit || before > limit - more)
        return GROW_REFUSED;
    uint64_t bytes = page_bytes(&memory->type, before + more);
    uint64_t added = bytes - page_bytes(&memory->type, before);
    if (bytes == NO_LIMIT || added > vm->limits.memory_bytes - vm->memory_bytes)
        return GROW_REFUSED;
    int step = arena_extend_step(&vm->arena, &memory->span, &memory->move, bytes, most);
    if (step <= 0)
        return step ? GROW_REFUSED : GROW_MORE;
    memory->pages = before + more;
    vm->memory_bytes += added;
    return GROW_DONE;
}

void memory_grow_abandon(struct linear_memory *memory)
{
    arena_abandon(&memory->move);
    memory->span.size = page_bytes(&memory->type, memory->pages); /* it may have moved already */
}

enum trap_kind memory_fill(struct linear_memory *memory, uint64_t at, uint8_t byte, uint64_t len)
{
    uint8_t *to = memory_to(memory, at, len);
    if (!to)
        return TRAP_MEMORY_BOUNDS;
    memset(to, byte, len);
    return TRAP_NONE;
}

enum trap_kind memory_copy(struct linear_memory *to, uint64_t to_at, struct linear_memory *from,
                           uint64_t from_at, uint64_t len)
{
    uint8_t *target = memory_to(to, to_at, len);
    const uint8_t *source = memory_at(from, from_at, len);
    if (!target || !source)
        return TRAP_MEMORY_BOUNDS;
    memmove(target, source, len);
    return TRAP_NONE;
}

enum trap_kind memory_init(struct instance *instance, uint32_t data, struct linear_memory *to,
                           uint64_t to_at, uint64_t from_at, uint64_t len)
{
    struct bytes bytes = {0};
    if (!instance->dropped_datas[data])
        bytes = instance->module->datas[data].bytes;
    uint8_t *target = memory_to(to, to_at, len);
    if (!target || from_at > bytes.len || len > bytes.len - from_at)
        return TRAP_MEMORY_BOUNDS;
    if (len)
        memcpy(target, bytes.at + from_at, len);
    return TRAP_NONE;
}
