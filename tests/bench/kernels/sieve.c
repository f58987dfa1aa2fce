/* Byte stores in short loops: the sieve of Eratosthenes. */
#define ROUNDS 40
#define RESULT 1354400u
#include "kernel.h"

enum { COUNT = 400000 };
static uint8_t composite[COUNT];

static uint32_t run(uint32_t rounds)
{
    uint32_t primes = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < COUNT; i++)
            composite[i] = 0;
        for (uint32_t i = 2; i < COUNT; i++) {
            if (composite[i])
                continue;
            primes++;
            for (uint32_t k = i * 2; k < COUNT; k += i)
                composite[k] = 1;
        }
    }
    return primes;
}
