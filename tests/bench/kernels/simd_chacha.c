/* Vectors of 32-bit lanes: rounds of a stream cipher (RFC 8439), four lanes of the state at once.
 */
#define ROUNDS 250000
#define RESULT 2891605588u
#include "kernel.h"

typedef uint32_t lanes __attribute__((vector_size(16)));

static lanes rotate(lanes a, int by)
{
    return a << by | a >> (32 - by);
}

static void quarter(lanes *s)
{
    s[0] += s[1], s[3] = rotate(s[3] ^ s[0], 16);
    s[2] += s[3], s[1] = rotate(s[1] ^ s[2], 12);
    s[0] += s[1], s[3] = rotate(s[3] ^ s[0], 8);
    s[2] += s[3], s[1] = rotate(s[1] ^ s[2], 7);
}

static uint32_t run(uint32_t rounds)
{
    lanes start[4], sum = {0};
    for (int i = 0; i < 4; i++)
        start[i] = (lanes){random32(), random32(), random32(), random32()};
    for (uint32_t round = 0; round < rounds; round++) {
        lanes s[4] = {start[0], start[1], start[2], start[3]};
        for (int i = 0; i < 10; i++) {
            quarter(s);
            s[1] = __builtin_shufflevector(s[1], s[1], 1, 2, 3, 0);
            s[2] = __builtin_shufflevector(s[2], s[2], 2, 3, 0, 1);
            s[3] = __builtin_shufflevector(s[3], s[3], 3, 0, 1, 2);
            quarter(s);
            s[1] = __builtin_shufflevector(s[1], s[1], 3, 0, 1, 2);
            s[2] = __builtin_shufflevector(s[2], s[2], 2, 3, 0, 1);
            s[3] = __builtin_shufflevector(s[3], s[3], 1, 2, 3, 0);
        }
        for (int i = 0; i < 4; i++)
            sum ^= s[i] + start[i];
        start[3][0]++;
    }
    return sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
}
