/* A compressor: matches found through a hash table, copied back again. */
#define ROUNDS 100
#define RESULT 9128491u
#include "kernel.h"

enum { SIZE = 1 << 16, PLACES = 1 << 12 };
static uint8_t text[SIZE], packed[SIZE + SIZE / 8], unpacked[SIZE];
static uint32_t places[PLACES];

static uint32_t four_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A literal is a byte 0 and the byte; a match is its length and its distance in two bytes. */
static uint32_t pack(void)
{
    uint32_t to = 0;
    for (uint32_t i = 0; i < PLACES; i++)
        places[i] = SIZE;
    for (uint32_t at = 0; at < SIZE;) {
        uint32_t length = 0, from = SIZE;
        if (at + 4 <= SIZE) {
            uint32_t place = four_at(text + at) * 2654435761u >> 20;
            from = places[place];
            places[place] = at;
        }
        if (from < at && at - from < 65536)
            while (length < 255 && at + length < SIZE && text[from + length] == text[at + length])
                length++;
        if (length < 4) {
            packed[to++] = 0;
            packed[to++] = text[at++];
        } else {
            packed[to++] = (uint8_t)length;
            packed[to++] = (uint8_t)(at - from);
            packed[to++] = (uint8_t)((at - from) >> 8);
            at += length;
        }
    }
    return to;
}

static uint32_t unpack(uint32_t size)
{
    uint32_t to = 0;
    for (uint32_t at = 0; at < size;) {
        uint32_t length = packed[at++];
        if (!length) {
            unpacked[to++] = packed[at++];
            continue;
        }
        uint32_t from = to - (packed[at] | (uint32_t)packed[at + 1] << 8);
        at += 2;
        while (length--)
            unpacked[to++] = unpacked[from++];
    }
    return to;
}

static uint32_t run(uint32_t rounds)
{
    static const char words[] = "the quick brown fox jumps over a lazy dog and runs away from it ";
    for (uint32_t i = 0; i < SIZE;) {
        uint32_t from = random32() % 40, length = 3 + random32() % 20;
        while (length-- && i < SIZE)
            text[i++] = (uint8_t)words[from++];
    }
    uint32_t result = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t size = pack();
        result += size + unpack(size);
        for (uint32_t i = 0; i < SIZE; i++)
            result += (uint32_t)(unpacked[i] != text[i]) << 20;
        text[random32() % SIZE] ^= 1;
    }
    return result;
}
