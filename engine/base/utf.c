/* Unicode encodings; see utf.h. */
#include "engine/base/utf.h"

uint32_t utf8_next(const uint8_t **at)
{
    const uint8_t *p = *at;
    uint32_t scalar = *p++;
    if (scalar >= 0xf0) {
        scalar = (scalar & 7) << 18 | (uint32_t)(p[0] & 0x3f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 |
                 (p[2] & 0x3f);
        p += 3;
    } else if (scalar >= 0xe0) {
        scalar = (scalar & 15) << 12 | (uint32_t)(p[0] & 0x3f) << 6 | (p[1] & 0x3f);
        p += 2;
    } else if (scalar >= 0x80) {
        scalar = (scalar & 31) << 6 | (p[0] & 0x3f);
        p += 1;
    }
    *at = p;
    return scalar;
}

size_t utf8_put(uint8_t *to, uint32_t scalar)
{
    if (scalar < 0x80) {
        to[0] = (uint8_t)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        to[0] = (uint8_t)(0xc0 | scalar >> 6);
        to[1] = (uint8_t)(0x80 | (scalar & 0x3f));
        return 2;
    }
    if (scalar < 0x10000) {
        to[0] = (uint8_t)(0xe0 | scalar >> 12);
        to[1] = (uint8_t)(0x80 | (scalar >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (scalar & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | scalar >> 18);
    to[1] = (uint8_t)(0x80 | (scalar >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (scalar >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (scalar & 0x3f));
    return 4;
}
