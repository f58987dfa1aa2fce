/* Vectors of bytes compared and tested: lines and words of a text counted. */
#define ROUNDS 1500
#define RESULT 3108390303u
#include "kernel.h"

enum { SIZE = 32768 };
static uint8_t text[SIZE];

static uint32_t run(uint32_t rounds)
{
    for (int i = 0; i < SIZE; i++)
        text[i] = (uint8_t)"abcdefghijklmnop   \n"[random32() % 20];
    uint32_t result = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t lines = 0, words = 0;
        for (int i = 1; i < SIZE; i++) {
            lines += text[i] == '\n';
            words += text[i] > ' ' && text[i - 1] <= ' ';
        }
        result = result * 31 + lines + words;
        text[random32() % SIZE] ^= 1;
    }
    return result;
}
