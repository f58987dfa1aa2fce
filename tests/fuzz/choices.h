/* A fuzzer's bytes as choices: one after the other, zeros when they are used up. */
#ifndef CARREL_TESTS_FUZZ_CHOICES_H
#define CARREL_TESTS_FUZZ_CHOICES_H

#include <stddef.h>
#include <stdint.h>

struct choices {
    const uint8_t *at;
    size_t left;
};

/* A number below `count`. */
static inline uint32_t choose(struct choices *choices, uint32_t count)
{
    if (!choices->left)
        return 0;
    choices->left--;
    return *choices->at++ % count;
}

static inline uint64_t choose_bits(struct choices *choices)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits = bits << 8 | choose(choices, 256);
    return bits;
}

#endif
