/* The SHA-256 digest of a component, and its digits. */
#ifndef CARREL_POLICIES_DIGEST_H
#define CARREL_POLICIES_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE   32
#define DIGEST_DIGITS (2 * DIGEST_SIZE + 1) /* with their NUL */

/* Writes the digits, and returns them. */
static inline char *digest_text(const uint8_t digest[DIGEST_SIZE], char ret[DIGEST_DIGITS])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[DIGEST_DIGITS - 1] = '\0';
    return ret;
}

#endif
