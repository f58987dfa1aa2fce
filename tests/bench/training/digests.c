/* Hashes and ciphers on words of 32 and 64 bits: SHA-1, MD4's steps, BLAKE2b's mixing, SipHash, a
 * Feistel cipher, CRC without and with a table, FNV, Adler. */
#include "training.h"

static uint8_t text[2048];

static uint32_t left(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}
static uint64_t right64(uint64_t x, int by)
{
    return x >> by | x << (64 - by);
}

static void sha1(uint32_t *h, const uint8_t *block)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999u
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1u
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu
                              : (b ^ c ^ d) + 0xca62c1d6u;
        uint32_t next = left(a, 5) + f + e + w[i];
        e = d, d = c, c = left(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void md4(uint32_t *h, const uint32_t *x)
{
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3];
    for (int i = 0; i < 16; i++) {
        uint32_t next = left(a + ((b & c) | (~b & d)) + x[i], "\3\7\13\23"[i & 3]);
        a = d, d = c, c = b, b = next;
    }
    for (int i = 0; i < 16; i++) {
        uint32_t next =
            left(a + ((b & c) | (b & d) | (c & d)) + x[(i & 3) * 4 + i / 4] + 0x5a827999u,
                 "\3\5\11\15"[i & 3]);
        a = d, d = c, c = b, b = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d;
}

static void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x, v[d] = right64(v[d] ^ v[a], 32);
    v[c] += v[d], v[b] = right64(v[b] ^ v[c], 24);
    v[a] += v[b] + y, v[d] = right64(v[d] ^ v[a], 16);
    v[c] += v[d], v[b] = right64(v[b] ^ v[c], 63);
}

static void blake(uint64_t *h, const uint64_t *m)
{
    uint64_t v[16];
    for (int i = 0; i < 16; i++)
        v[i] = h[i & 7] ^ (uint64_t)i * 0x6a09e667f3bcc908u;
    for (int k = 0; k < 12; k++)
        for (int i = 0; i < 8; i++)
            mix(v, i & 3, 4 + ((i + i / 4) & 3), 8 + ((i + 2 * (i / 4)) & 3),
                12 + ((i + 3 * (i / 4)) & 3), m[(i * 2 + k * 3) & 15], m[(i * 5 + k + 1) & 15]);
    for (int i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

static uint64_t siphash(const uint8_t *bytes, uint32_t count)
{
    uint64_t a = 0x736f6d6570736575u, b = 0x646f72616e646f6du, c = 0x6c7967656e657261u,
             d = 0x7465646279746573u;
    for (uint32_t at = 0; at + 8 <= count; at += 8) {
        uint64_t m = 0;
        for (int i = 7; i >= 0; i--)
            m = m << 8 | bytes[at + (uint32_t)i];
        d ^= m;
        for (int k = 0; k < 2; k++) {
            a += b, b = right64(b, 51) ^ a, a = right64(a, 32);
            c += d, d = right64(d, 48) ^ c;
            a += d, d = right64(d, 43) ^ a;
            c += b, b = right64(b, 47) ^ c, c = right64(c, 32);
        }
        a ^= m;
    }
    return a ^ b ^ c ^ d;
}

static void feistel(uint32_t *pair, const uint32_t *key)
{
    uint32_t x = pair[0], y = pair[1], sum = 0;
    for (int i = 0; i < 32; i++) {
        x += ((y << 4 ^ y >> 5) + y) ^ (sum + key[sum & 3]);
        sum += 0x9e3779b9u;
        y += ((x << 4 ^ x >> 5) + x) ^ (sum + key[sum >> 11 & 3]);
    }
    pair[0] = x, pair[1] = y;
}

static uint32_t table[256];

static uint32_t checksums(const uint8_t *bytes, uint32_t count)
{
    uint32_t slow = ~0u, quick = ~0u, fnv = 2166136261u, low = 1, high = 0;
    for (uint32_t i = 0; i < count; i++) {
        slow ^= bytes[i];
        for (int k = 0; k < 8; k++)
            slow = slow >> 1 ^ (-(slow & 1) & 0xedb88320u);
        quick = table[(quick ^ bytes[i]) & 255] ^ quick >> 8;
        fnv = (fnv ^ bytes[i]) * 16777619u;
        low = (low + bytes[i]) % 65521, high = (high + low) % 65521;
    }
    return slow ^ quick ^ fnv ^ (high << 16 | low);
}

static uint32_t run(void)
{
    uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u},
             g[4] = {1, 2, 3, 4}, pair[2] = {5, 6}, words[16];
    uint64_t wide[8] = {1, 2, 3, 4, 5, 6, 7, 8}, message[16];
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(number() >> 5);
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320u : table[i] >> 1;
    }
    for (uint32_t at = 0; at < sizeof text; at += 64) {
        sha1(h, text + at);
        __builtin_memcpy(words, text + at, sizeof words);
        md4(g, words);
        for (int i = 0; i < 16; i++)
            message[i] = number() | (uint64_t)text[at] << 40;
        blake(wide, message);
        feistel(pair, g);
    }
    return h[0] ^ g[1] ^ (uint32_t)wide[2] ^ pair[0] ^ (uint32_t)siphash(text, sizeof text) ^
           checksums(text, sizeof text);
}
