/* i32 shifts, rotations and xors in straight lines: FIPS 180-4's compression, the constants random.
 */
#define ROUNDS 80000
#define RESULT 676359418u
#include "kernel.h"

static uint32_t state[8], constants[64];

static uint32_t rotate(uint32_t a, int by)
{
    return a >> by | a << (32 - by);
}

static void compress(const uint32_t *block)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = block[i];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] +
               (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        uint32_t first = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                         ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
        uint32_t second = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + first;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static uint32_t run(uint32_t rounds)
{
    uint32_t block[16];
    for (int i = 0; i < 64; i++)
        constants[i] = random32();
    for (int i = 0; i < 16; i++)
        block[i] = random32();
    for (uint32_t round = 0; round < rounds; round++) {
        compress(block);
        block[round % 16] ^= state[round % 8];
    }
    return state[0];
}
