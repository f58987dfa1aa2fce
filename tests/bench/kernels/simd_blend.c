/* Vectors of bytes and of 16-bit lanes: pictures laid over each other. */
#define ROUNDS 6000
#define RESULT 1219420113u
#include "kernel.h"

enum { SIZE = 16384 };
static uint8_t above[SIZE], below[SIZE], alpha[SIZE];

static uint32_t run(uint32_t rounds)
{
    for (int i = 0; i < SIZE; i++) {
        above[i] = (uint8_t)random32();
        below[i] = (uint8_t)random32();
        alpha[i] = (uint8_t)random32();
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < SIZE; i++) {
            uint16_t both = (uint16_t)(above[i] * alpha[i] + below[i] * (255 - alpha[i]) + 128);
            below[i] = (uint8_t)((both + (both >> 8)) >> 8);
        }
        above[round % SIZE] ^= (uint8_t)round;
    }
    uint32_t result = 0;
    for (int i = 0; i < SIZE; i++)
        result = result * 31 + below[i];
    return result;
}
