/* memcpy, memmove and memset for the engine. musl's are string instructions, which take longer to
 * begin than most copies of the engine take in all (values of calls, texts), and are slow where
 * source and target are not aligned alike. Here what is short is loaded as a whole before anything
 * is stored, and what is longer goes 64 bytes a step.
 *
 * engine/cell/copy.c makes the functions of these; tests do so under other names. */
#ifndef CARREL_BASE_COPY_H
#define CARREL_BASE_COPY_H

#include "engine/base/attr.h"

#include <stdint.h>

/* Any address will do, and whatever lies there. */
typedef uint64_t copy_block __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t copy_word __attribute__((aligned(1), may_alias));
typedef uint32_t copy_half __attribute__((aligned(1), may_alias));
typedef uint16_t copy_pair __attribute__((aligned(1), may_alias));

#define COPY_BLOCK sizeof(copy_block)
#define COPY_STEP  (4 * COPY_BLOCK)

INLINE copy_block block_at(const uint8_t *at)
{
    return *(const copy_block *)at;
}

INLINE void block_put(uint8_t *at, copy_block block)
{
    *(copy_block *)at = block;
}

/* Four blocks, which are in registers between load and store. */
struct copy_step {
    copy_block blocks[4];
};

INLINE struct copy_step step_at(const uint8_t *at)
{
    return (struct copy_step){
        {block_at(at), block_at(at + 16), block_at(at + 32), block_at(at + 48)}};
}

INLINE void step_put(uint8_t *at, struct copy_step step)
{
    block_put(at, step.blocks[0]);
    block_put(at + 16, step.blocks[1]);
    block_put(at + 32, step.blocks[2]);
    block_put(at + 48, step.blocks[3]);
}

/* Up to 16 bytes: two words of one size, from both ends. */
INLINE void copy_few(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 8) {
        copy_word first = *(const copy_word *)from;
        copy_word last = *(const copy_word *)(from + size - 8);
        *(copy_word *)to = first;
        *(copy_word *)(to + size - 8) = last;
    } else if (size >= 4) {
        copy_half first = *(const copy_half *)from;
        copy_half last = *(const copy_half *)(from + size - 4);
        *(copy_half *)to = first;
        *(copy_half *)(to + size - 4) = last;
    } else if (size >= 2) {
        copy_pair first = *(const copy_pair *)from;
        copy_pair last = *(const copy_pair *)(from + size - 2);
        *(copy_pair *)to = first;
        *(copy_pair *)(to + size - 2) = last;
    } else if (size) {
        *to = *from;
    }
}

/* Up to 128 bytes; may overlap. */
INLINE void copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size <= COPY_BLOCK) {
        copy_few(to, from, size);
    } else if (size <= 2 * COPY_BLOCK) {
        copy_block first = block_at(from);
        copy_block last = block_at(from + size - COPY_BLOCK);
        block_put(to, first);
        block_put(to + size - COPY_BLOCK, last);
    } else if (size <= COPY_STEP) {
        copy_block first[2] = {block_at(from), block_at(from + 16)};
        copy_block last[2] = {block_at(from + size - 32), block_at(from + size - 16)};
        block_put(to, first[0]);
        block_put(to + 16, first[1]);
        block_put(to + size - 32, last[0]);
        block_put(to + size - 16, last[1]);
    } else {
        struct copy_step first = step_at(from);
        struct copy_step last = step_at(from + size - COPY_STEP);
        step_put(to, first);
        step_put(to + size - COPY_STEP, last);
    }
}

/* More than 128 bytes; may overlap if `to` lies below `from`. */
INLINE void copy_upwards(uint8_t *to, const uint8_t *from, size_t size)
{
    copy_block first = block_at(from);
    struct copy_step last = step_at(from + size - COPY_STEP);
    for (size_t at = COPY_BLOCK - ((uintptr_t)to & (COPY_BLOCK - 1)); at < size - COPY_STEP;
         at += COPY_STEP)
        step_put(to + at, step_at(from + at));
    block_put(to, first);
    step_put(to + size - COPY_STEP, last);
}

/* More than 128 bytes; may overlap if `to` lies above `from`. */
INLINE void copy_downwards(uint8_t *to, const uint8_t *from, size_t size)
{
    struct copy_step first = step_at(from);
    copy_block last = block_at(from + size - COPY_BLOCK);
    for (size_t at = size - ((uintptr_t)(to + size) & (COPY_BLOCK - 1)); at > COPY_STEP;
         at -= COPY_STEP)
        step_put(to + at - COPY_STEP, step_at(from + at - COPY_STEP));
    step_put(to, first);
    block_put(to + size - COPY_BLOCK, last);
}

INLINE void copy_apart(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size <= 2 * COPY_STEP)
        copy_short(to, from, size);
    else
        copy_upwards(to, from, size);
}

INLINE void copy_moved(uint8_t *to, const uint8_t *from, size_t size)
{
    uintptr_t above = (uintptr_t)to - (uintptr_t)from;
    if (size <= 2 * COPY_STEP)
        copy_short(to, from, size);
    else if (above < size)
        copy_downwards(to, from, size);
    else
        copy_upwards(to, from, size);
}

INLINE void copy_filled(uint8_t *to, uint8_t byte, size_t size)
{
    uint64_t word = byte * UINT64_C(0x0101010101010101);
    copy_block block = {word, word};
    if (size < COPY_BLOCK) {
        if (size >= 8) {
            *(copy_word *)to = word;
            *(copy_word *)(to + size - 8) = word;
        } else if (size >= 4) {
            *(copy_half *)to = (uint32_t)word;
            *(copy_half *)(to + size - 4) = (uint32_t)word;
        } else if (size >= 2) {
            *(copy_pair *)to = (uint16_t)word;
            *(copy_pair *)(to + size - 2) = (uint16_t)word;
        } else if (size) {
            *to = byte;
        }
        return;
    }
    block_put(to, block);
    block_put(to + size - COPY_BLOCK, block);
    if (size <= 2 * COPY_BLOCK)
        return;
    size_t at = COPY_BLOCK - ((uintptr_t)to & (COPY_BLOCK - 1));
    for (; at + COPY_STEP <= size; at += COPY_STEP)
        step_put(to + at, (struct copy_step){{block, block, block, block}});
    for (; at + COPY_BLOCK <= size; at += COPY_BLOCK)
        block_put(to + at, block);
}

#endif
