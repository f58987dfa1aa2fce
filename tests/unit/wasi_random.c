/* engine/wasi/random: published vectors, and what the generators promise. */
#include "engine/wasi/random.h"
#include "tests/unit/unit.h"

#include <string.h>

/* The keystream of a zero key, nonce and counter, and the next block (RFC 8439 A.1, vectors 1 and
 * 2; with a zero nonce the counter's width does not matter). */
static void chacha_vectors(void **state)
{
    static const uint8_t first[16] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                      0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const uint8_t second[16] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                       0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    const uint32_t key[8] = {0};
    uint8_t block[CHACHA_BLOCK];
    (void)state;
    chacha_block(key, 0, block);
    assert_memory_equal(block, first, sizeof first);
    chacha_block(key, 1, block);
    assert_memory_equal(block, second, sizeof second);
}

/* Output is the same however it is cut, differs between seeds, and is gone once given. */
static void chacha_stream(void **state)
{
    uint8_t seed[RANDOM_SEED] = {1, 2, 3};
    uint8_t whole[3000];
    uint8_t parts[3000];
    struct chacha a;
    struct chacha b;
    (void)state;
    chacha_seed(&a, seed);
    chacha_seed(&b, seed);
    chacha_bytes(&a, whole, sizeof whole);
    for (size_t at = 0, len = 1; at < sizeof parts; at += len, len = len % 97 + 1) {
        if (len > sizeof parts - at)
            len = sizeof parts - at;
        chacha_bytes(&b, parts + at, len);
    }
    assert_memory_equal(whole, parts, sizeof whole);
    for (size_t i = 0; i + 16 <= sizeof a.ready; i++)
        assert_true(memcmp(a.ready + i, whole + sizeof whole - 16, 16) != 0);
    seed[31] = 1;
    chacha_seed(&b, seed);
    chacha_bytes(&b, parts, sizeof parts);
    assert_true(memcmp(whole, parts, sizeof whole) != 0);
}

/* Whatever is asked for first, each number is what it is; and the seed is gone once they are made.
 */
static void generators_of_one_seed(void **state)
{
    uint8_t seed[RANDOM_SEED] = {4, 5, 6};
    struct generators whole = {0}, again = {0};
    (void)state;
    generators_seed(&whole, seed);
    generators_make(&whole);
    uint64_t first = chacha_u64(&whole.chacha), mixed = mixer_u64(&whole.mixer);
    assert_true(whole.hash_key[0] && whole.insecure_seed[0] != whole.hash_key[0]);
    for (size_t i = 0; i < sizeof seed; i++)
        assert_int_equal(whole.seed[i], 0);
    generators_make(&whole);
    assert_true(chacha_u64(&whole.chacha) != first);
    generators_seed(&whole, seed);
    generators_seed(&again, seed);
    generators_make(&whole);
    generators_make(&again);
    assert_int_equal(mixer_u64(&again.mixer), mixed);
    assert_int_equal(chacha_u64(&again.chacha), first);
    assert_memory_equal(whole.hash_key, again.hash_key, sizeof again.hash_key);
    seed[31] = 1;
    generators_seed(&again, seed);
    generators_make(&again);
    assert_true(chacha_u64(&again.chacha) != first && mixer_u64(&again.mixer) != mixed);
}

static void spread(const uint8_t *bytes, size_t len)
{
    unsigned counts[256] = {0};
    for (size_t i = 0; i < len; i++)
        counts[bytes[i]]++;
    for (int i = 0; i < 256; i++) /* 256 of each expected; 6 sigma are 96 */
        assert_in_range(counts[i], 256 - 96, 256 + 96);
}

static void evenly_spread(void **state)
{
    static uint8_t bytes[65536];
    uint8_t seed[RANDOM_SEED] = {9};
    struct chacha chacha;
    struct mixer mixer;
    (void)state;
    chacha_seed(&chacha, seed);
    chacha_bytes(&chacha, bytes, sizeof bytes);
    spread(bytes, sizeof bytes);
    mixer_seed(&mixer, &chacha);
    mixer_bytes(&mixer, bytes, sizeof bytes);
    spread(bytes, sizeof bytes);
    assert_true(mixer_u64(&mixer) != mixer_u64(&mixer));
    assert_true(chacha_u64(&chacha) != chacha_u64(&chacha));
}

/* The first vectors of the authors' list: key 00..0f, messages 00, 00 01, ... */
static void siphash_vectors(void **state)
{
    static const uint8_t expected[][16] = {
        {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02,
         0x93},
        {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc,
         0x45},
    };
    uint8_t key_bytes[16];
    uint64_t key[2];
    uint8_t message[64];
    uint64_t hash[2];
    (void)state;
    for (int i = 0; i < 16; i++)
        key_bytes[i] = (uint8_t)i;
    memcpy(key, key_bytes, sizeof key);
    for (int i = 0; i < 64; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        siphash128(key, message, i, hash);
        assert_memory_equal(hash, expected[i], sizeof hash);
    }
    uint64_t longer[2];
    siphash128(key, message, 64, hash);
    siphash128(key, message, 63, longer);
    assert_true(hash[0] != longer[0] && hash[1] != longer[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chacha_vectors),         cmocka_unit_test(chacha_stream),
        cmocka_unit_test(generators_of_one_seed), cmocka_unit_test(evenly_spread),
        cmocka_unit_test(siphash_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
