/* Names that are not ASCII; see idna.h. No memory but the caller's, a bounded number of steps. */
#include "engine/wasi/idna.h"

#include "engine/base/utf.h"

#include <stdbool.h>
#include <stdint.h>

/* Code points of one label: more do not fit into its 63 bytes (RFC 5890, 2.3.1). */
#define LABEL 63

struct out {
    char *at;
    size_t room;
};

static bool put(struct out *out, char c)
{
    if (!out->room)
        return false;
    *out->at++ = c;
    out->room--;
    return true;
}

/* --- Code points --------------------------------------------------------------------------------
 */

static bool is_dot(uint32_t c)
{
    return c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61;
}

/* Marks that NFC composes with what stands before them, and what only changes how text looks. */
static bool is_no_letter(uint32_t c)
{
    return (c >= 0x80 && c < 0xaa) || (c >= 0x300 && c < 0x370) || (c >= 0x2000 && c < 0x2c00) ||
           (c >= 0x3001 && c < 0x3003) || (c >= 0x3099 && c < 0x309b) ||
           (c >= 0xe000 && c < 0xf900) || (c >= 0xfe00 && c < 0xfe30) || c >= 0xe0000 ||
           c == 0xfeff || c == 0xad || c == 0xd7 || c == 0xf7 || utf8_hides(c);
}

/* Blocks in which capitals and small letters stand side by side. */
static uint32_t of_pair(uint32_t c)
{
    bool odd_is_capital = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
    return odd_is_capital ? c + (c & 1) : c | 1;
}

static uint32_t small(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde) || (c >= 0x391 && c <= 0x3ab) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f)
        return c + 0x50;
    if (c >= 0x531 && c <= 0x556)
        return c + 0x30;
    if (c == 0x178)
        return 0xff;
    bool pairs =
        (c >= 0x100 && c <= 0x17e && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149) ||
        (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) ||
        (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff);
    return pairs ? of_pair(c) : c;
}

/* --- Punycode (RFC 3492, with its names) --------------------------------------------------------
 */

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static bool put_number(struct out *out, uint32_t number, uint32_t bias)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        if (number < t)
            return put(out, digits[number]);
        if (!put(out, digits[t + (number - t) % (BASE - t)]))
            return false;
        number = (number - t) / (BASE - t);
    }
}

/* The least code point of the label that is at least `n`. */
static uint32_t next_point(const uint32_t *label, size_t count, uint32_t n)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < count; i++)
        if (label[i] >= n && label[i] < least)
            least = label[i];
    return least;
}

/* The numbers stay far from 2^32: at most LABEL code points below 2^21. */
static bool put_encoded(struct out *out, const uint32_t *label, size_t count, uint32_t basic)
{
    uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS;
    for (uint32_t done = basic; done < count; delta++, n++) {
        uint32_t m = next_point(label, count, n);
        delta += (m - n) * (done + 1);
        n = m;
        for (size_t i = 0; i < count; i++) {
            delta += label[i] < n;
            if (label[i] != n)
                continue;
            if (!put_number(out, delta, bias))
                return false;
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
    }
    return true;
}

static bool put_label(struct out *out, const uint32_t *label, size_t count)
{
    uint32_t basic = 0;
    for (size_t i = 0; i < count; i++)
        basic += label[i] < INITIAL_N;
    for (const char *prefix = "xn--"; basic < count && *prefix; prefix++)
        if (!put(out, *prefix))
            return false;
    for (size_t i = 0; i < count; i++)
        if (label[i] < INITIAL_N && !put(out, (char)label[i]))
            return false;
    if (basic == count)
        return true;
    return (!basic || put(out, '-')) && put_encoded(out, label, count, basic);
}

long idna_to_ascii(struct str name, char *to, size_t size)
{
    struct out out = {to, size};
    uint32_t label[LABEL];
    size_t count = 0;
    const uint8_t *at = (const uint8_t *)name.at, *end = at + name.len;
    while (at < end) {
        uint32_t c = utf8_next(&at);
        if (is_dot(c)) {
            if (!put_label(&out, label, count) || !put(&out, '.'))
                return -1;
            count = 0;
            continue;
        }
        if (count == LABEL || is_no_letter(c))
            return -1;
        label[count++] = small(c);
    }
    return put_label(&out, label, count) ? (long)(size - out.room) : -1;
}
