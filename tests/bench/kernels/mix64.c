/* i64 multiplications, rotations and xors: a hash of eight-byte words, and a table of counts. */
#define ROUNDS 4000
#define RESULT 1688043528u
#include "kernel.h"

enum { WORDS = 4096, PLACES = 1024 };
static uint64_t words[WORDS];
static uint32_t counts[PLACES];

static uint64_t mix(uint64_t hash, uint64_t word)
{
    word *= UINT64_C(0x87c37b91114253d5);
    word = word << 31 | word >> 33;
    hash ^= word * UINT64_C(0x4cf5ad432745937f);
    hash = hash << 27 | hash >> 37;
    return hash * 5 + 0x52dce729;
}

static uint32_t run(uint32_t rounds)
{
    uint64_t hash = 1;
    for (int i = 0; i < WORDS; i++)
        words[i] = (uint64_t)random32() << 32 | random32();
    for (uint32_t round = 0; round < rounds; round++)
        for (int i = 0; i < WORDS; i++) {
            hash = mix(hash, words[i]);
            counts[hash >> 54]++;
        }
    uint32_t most = 0;
    for (int i = 0; i < PLACES; i++)
        if (counts[i] > most)
            most = counts[i];
    return (uint32_t)hash ^ most;
}
