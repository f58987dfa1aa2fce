/* Generators and the keyed hash; see random.h. */
#include "engine/wasi/random.h"

#include "engine/base/attr.h"

#include <string.h>

/* --- ChaCha20 (RFC 8439 §2.1 to §2.3) -----------------------------------------------------------
 */

INLINE uint32_t rotate32(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

INLINE void quarter(uint32_t s[16], int a, int b, int c, int d)
{
    s[a] += s[b];
    s[d] = rotate32(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate32(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate32(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate32(s[b] ^ s[c], 7);
}

void chacha_block(const uint32_t key[8], uint64_t counter, uint8_t to[CHACHA_BLOCK])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(start + 4, key, 32);
    start[12] = (uint32_t)counter;
    start[13] = (uint32_t)(counter >> 32);
    uint32_t s[16];
    memcpy(s, start, sizeof s);
    for (int round = 0; round < 10; round++) {
        quarter(s, 0, 4, 8, 12);
        quarter(s, 1, 5, 9, 13);
        quarter(s, 2, 6, 10, 14);
        quarter(s, 3, 7, 11, 15);
        quarter(s, 0, 5, 10, 15);
        quarter(s, 1, 6, 11, 12);
        quarter(s, 2, 7, 8, 13);
        quarter(s, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        uint32_t word = s[i] + start[i];
        to[4 * i] = (uint8_t)word;
        to[4 * i + 1] = (uint8_t)(word >> 8);
        to[4 * i + 2] = (uint8_t)(word >> 16);
        to[4 * i + 3] = (uint8_t)(word >> 24);
    }
}

void chacha_seed(struct chacha *chacha, const uint8_t seed[RANDOM_SEED])
{
    memset(chacha, 0, sizeof *chacha);
    memcpy(chacha->key, seed, RANDOM_SEED);
}

/* New output; its first bytes become the key and are gone. */
static void refill(struct chacha *chacha)
{
    for (uint64_t i = 0; i < CHACHA_BLOCKS; i++)
        chacha_block(chacha->key, i, chacha->ready + i * CHACHA_BLOCK);
    memcpy(chacha->key, chacha->ready, RANDOM_SEED);
    memset(chacha->ready, 0, RANDOM_SEED);
    chacha->left = sizeof chacha->ready - RANDOM_SEED;
}

void chacha_bytes(struct chacha *chacha, void *to, size_t len)
{
    uint8_t *at = to;
    while (len) {
        if (!chacha->left)
            refill(chacha);
        size_t part = len < chacha->left ? len : chacha->left;
        uint8_t *from = chacha->ready + sizeof chacha->ready - chacha->left;
        memcpy(at, from, part);
        memset(from, 0, part);
        chacha->left -= part;
        at += part;
        len -= part;
    }
}

uint64_t chacha_u64(struct chacha *chacha)
{
    uint64_t value;
    chacha_bytes(chacha, &value, sizeof value);
    return value;
}

/* --- The insecure generator: xoshiro256** (Blackman, Vigna) -------------------------------------
 */

INLINE uint64_t rotate64(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

void mixer_seed(struct mixer *mixer, struct chacha *from)
{
    chacha_bytes(from, mixer->state, sizeof mixer->state);
    mixer->state[0] |= 1; /* all zero would stay so for ever */
}

uint64_t mixer_u64(struct mixer *mixer)
{
    uint64_t *s = mixer->state;
    uint64_t result = rotate64(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate64(s[3], 45);
    return result;
}

void mixer_bytes(struct mixer *mixer, void *to, size_t len)
{
    uint8_t *at = to;
    while (len) {
        uint64_t value = mixer_u64(mixer);
        size_t part = len < sizeof value ? len : sizeof value;
        memcpy(at, &value, part);
        at += part;
        len -= part;
    }
}

/* --- What an instance has -----------------------------------------------------------------------
 */

void generators_seed(struct generators *generators, const uint8_t seed[RANDOM_SEED])
{
    generators->made = false;
    memcpy(generators->seed, seed, RANDOM_SEED);
}

void generators_make(struct generators *generators)
{
    struct chacha *chacha = &generators->chacha;
    if (generators->made)
        return;
    generators->made = true;
    chacha_seed(chacha, generators->seed);
    memset(generators->seed, 0, RANDOM_SEED);
    mixer_seed(&generators->mixer, chacha);
    chacha_bytes(chacha, generators->insecure_seed, sizeof generators->insecure_seed);
    chacha_bytes(chacha, generators->hash_key, sizeof generators->hash_key);
}

/* --- SipHash-2-4-128 (Aumasson, Bernstein) ------------------------------------------------------
 */

INLINE void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate64(v[1], 13) ^ v[0];
    v[0] = rotate64(v[0], 32);
    v[2] += v[3];
    v[3] = rotate64(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate64(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate64(v[1], 17) ^ v[2];
    v[2] = rotate64(v[2], 32);
}

static void sip_rounds(uint64_t v[4], int count)
{
    while (count--)
        sip_round(v);
}

void siphash128(const uint64_t key[2], const void *data, size_t len, uint64_t ret_hash[2])
{
    const uint8_t *at = data;
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
                     key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    for (size_t left = len;; left -= 8, at += 8) {
        uint64_t word = 0;
        if (left < 8) {
            if (left)
                memcpy(&word, at, left);
            word |= (uint64_t)len << 56;
        } else {
            memcpy(&word, at, 8);
        }
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
        if (left < 8)
            break;
    }
    v[2] ^= 0xee;
    sip_rounds(v, 4);
    ret_hash[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    sip_rounds(v, 4);
    ret_hash[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}
