/* Random numbers without a system call: everything comes from one seed that the shim gives, and
 * that no two cells share.
 *
 *   chacha   a cryptographic generator: ChaCha20 (RFC 8439 §2.3) that replaces its own key with
 *            every refill, so what it gave cannot be found in memory afterwards
 *   mixer    a fast generator for the insecure interfaces; seeded from the other's output, so
 *            watching it says nothing about the other */
#ifndef CARREL_WASI_RANDOM_H
#define CARREL_WASI_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANDOM_SEED   32
#define CHACHA_BLOCK  64
#define CHACHA_BLOCKS 8

struct chacha {
    uint32_t key[8];
    uint8_t ready[CHACHA_BLOCK * CHACHA_BLOCKS]; /* output not given yet: the last `left` bytes */
    size_t left;
};

struct mixer {
    uint64_t state[4];
};

/* One block of the ChaCha20 function with a zero nonce. */
void chacha_block(const uint32_t key[8], uint64_t counter, uint8_t to[CHACHA_BLOCK]);

void chacha_seed(struct chacha *chacha, const uint8_t seed[RANDOM_SEED]);
void chacha_bytes(struct chacha *chacha, void *to, size_t len);
uint64_t chacha_u64(struct chacha *chacha);

void mixer_seed(struct mixer *mixer, struct chacha *from);
void mixer_bytes(struct mixer *mixer, void *to, size_t len);
uint64_t mixer_u64(struct mixer *mixer);

/* All that one instance has, from one seed of its own. They are made when the first number is asked
 * for: most requests of a server ask for none, and to make them takes as long as to read a head. */
struct generators {
    bool made;
    uint8_t seed[RANDOM_SEED]; /* until then */
    struct chacha chacha;
    struct mixer mixer;
    uint64_t insecure_seed[2];
    uint64_t hash_key[2];
};

/* Starts them anew: nothing follows from what they gave before. */
void generators_seed(struct generators *generators, const uint8_t seed[RANDOM_SEED]);

/* Makes them, unless they are. */
void generators_make(struct generators *generators);

/* A keyed hash of 128 bits: SipHash-2-4 with the long output. */
void siphash128(const uint64_t key[2], const void *data, size_t len, uint64_t ret_hash[2]);

#endif
