/* Unicode encodings; see utf.h. */
#include "engine/base/utf.h"

#include "engine/base/attr.h"

bool utf8_valid(struct bytes text)
{
    const uint8_t *p = text.at;
    const uint8_t *end = text.len ? p + text.len : p;
    while (p != end) {
        if (end - p >= 16) { /* ASCII, sixteen bytes a step */
            uint64_t word[2];
            memcpy(word, p, sizeof word);
            if (!((word[0] | word[1]) & UINT64_C(0x8080808080808080))) {
                p += 16;
                continue;
            }
        }
        uint8_t lead = *p++;
        if (lead < 0x80)
            continue;
        /* Table 3-7 of the Unicode standard: the second byte's range depends on the first. */
        unsigned more;
        uint8_t low = 0x80;
        uint8_t high = 0xbf;
        if (lead >= 0xc2 && lead <= 0xdf) {
            more = 1;
        } else if (lead >= 0xe0 && lead <= 0xef) {
            more = 2;
            if (lead == 0xe0)
                low = 0xa0;
            else if (lead == 0xed)
                high = 0x9f;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
            more = 3;
            if (lead == 0xf0)
                low = 0x90;
            else if (lead == 0xf4)
                high = 0x8f;
        } else {
            return false;
        }
        if ((size_t)(end - p) < more || *p < low || *p > high)
            return false;
        for (p++; --more; p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

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
