/* String conversions; see transcode.h. */
#include "engine/component/transcode.h"

#include "engine/base/attr.h"

INLINE uint32_t unit_at(const uint8_t *at, size_t i)
{
    return (uint32_t)at[2 * i] | (uint32_t)at[2 * i + 1] << 8;
}

INLINE void unit_put(uint8_t *to, size_t i, uint32_t unit)
{
    to[2 * i] = (uint8_t)unit;
    to[2 * i + 1] = (uint8_t)(unit >> 8);
}

INLINE bool is_high(uint32_t unit)
{
    return (unit & 0xfc00) == 0xd800;
}

INLINE bool is_low(uint32_t unit)
{
    return (unit & 0xfc00) == 0xdc00;
}

/* A surrogate pair's scalar value. */
INLINE uint32_t joined(uint32_t high, uint32_t low)
{
    return 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
}

#define STEP 8 /* bytes that are looked at together */

/* Leading units of `size` bytes of which no bit of `mask` (repeated over STEP bytes) is set. */
INLINE size_t count_without(const uint8_t *at, size_t units, size_t size, uint64_t mask)
{
    size_t i = 0;
    for (; (units - i) * size >= STEP; i += STEP / size) {
        uint64_t word;
        memcpy(&word, at + i * size, sizeof word);
        if (word & mask)
            break;
    }
    for (; i < units; i++) {
        uint64_t word = 0;
        memcpy(&word, at + i * size, size);
        if (word & mask)
            break;
    }
    return i;
}

size_t ascii_count(const uint8_t *at, size_t len)
{
    return count_without(at, len, 1, UINT64_C(0x8080808080808080));
}

size_t utf16_ascii_count(const uint8_t *at, size_t units)
{
    return count_without(at, units, 2, UINT64_C(0xff80ff80ff80ff80));
}

size_t utf16_latin1_count(const uint8_t *at, size_t units)
{
    return count_without(at, units, 2, UINT64_C(0xff00ff00ff00ff00));
}

bool utf16_valid(const uint8_t *at, size_t units)
{
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = unit_at(at, i);
        if ((unit & 0xf800) != 0xd800)
            continue;
        if (!is_high(unit) || i + 1 == units || !is_low(unit_at(at, i + 1)))
            return false;
        i++;
    }
    return true;
}

/* --- To UTF-8 -----------------------------------------------------------------------------------
 */

size_t utf16_utf8_size(const uint8_t *at, size_t units)
{
    size_t size = units;
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = unit_at(at, i);
        /* A surrogate is half of a pair that takes four. */
        size += (unit >= 0x80) + (unit >= 0x800 && (unit & 0xf800) != 0xd800);
    }
    return size;
}

size_t latin1_utf8_size(const uint8_t *at, size_t units)
{
    size_t size = units;
    for (size_t i = 0; i < units; i++)
        size += at[i] >> 7;
    return size;
}

size_t utf16_to_utf8(const uint8_t *at, size_t units, uint8_t *to)
{
    uint8_t *start = to;
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = unit_at(at, i);
        if (likely(unit < 0x80)) {
            *to++ = (uint8_t)unit;
            continue;
        }
        if (is_high(unit))
            unit = joined(unit, unit_at(at, ++i));
        to += utf8_put(to, unit);
    }
    return (size_t)(to - start);
}

size_t latin1_to_utf8(const uint8_t *at, size_t units, uint8_t *to)
{
    uint8_t *start = to;
    for (size_t i = 0; i < units; i++)
        to += utf8_put(to, at[i]);
    return (size_t)(to - start);
}

/* --- To UTF-16 ----------------------------------------------------------------------------------
 */

size_t utf8_to_utf16(const uint8_t *at, size_t len, uint8_t *to)
{
    const uint8_t *end = at + len;
    size_t units = 0;
    while (at != end) {
        if (likely(*at < 0x80)) {
            unit_put(to, units++, *at++);
            continue;
        }
        uint32_t scalar = utf8_next(&at);
        if (scalar >= 0x10000) {
            scalar -= 0x10000;
            unit_put(to, units++, 0xd800 | scalar >> 10);
            scalar = 0xdc00 | (scalar & 0x3ff);
        }
        unit_put(to, units++, scalar);
    }
    return units;
}

size_t latin1_to_utf16(const uint8_t *at, size_t units, uint8_t *to)
{
    for (size_t i = 0; i < units; i++)
        unit_put(to, i, at[i]);
    return units;
}

void latin1_widen(uint8_t *at, size_t units)
{
    for (size_t i = units; i-- > 0;)
        unit_put(at, i, at[i]);
}

/* --- To Latin-1 ---------------------------------------------------------------------------------
 */

size_t utf8_to_latin1(const uint8_t *at, size_t len, uint8_t *to, size_t *ret_used)
{
    const uint8_t *start = at;
    const uint8_t *end = at + len;
    size_t units = 0;
    while (at != end) {
        const uint8_t *next = at;
        uint32_t scalar = utf8_next(&next);
        if (scalar > 0xff)
            break;
        to[units++] = (uint8_t)scalar;
        at = next;
    }
    *ret_used = (size_t)(at - start);
    return units;
}

size_t utf16_to_latin1(const uint8_t *at, size_t units, uint8_t *to)
{
    size_t i = 0;
    for (; i < units && unit_at(at, i) <= 0xff; i++)
        to[i] = (uint8_t)unit_at(at, i);
    return i;
}
