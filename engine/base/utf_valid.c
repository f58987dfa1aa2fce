/* Is a text well-formed UTF-8? See utf.h.
 *
 * ASCII is passed over 128 bytes a step. With SSSE3 the rest goes 16 bytes a step, by the method of
 * Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte"): three tables,
 * looked up by half bytes, each give the mistakes that a byte and the one before it may be part of,
 * and what all three agree on is one. Elsewhere, and for short texts, by table 3-7 of the Unicode
 * standard, byte for byte. */
#include "engine/base/utf.h"

#include "engine/base/copy.h"

static bool valid_plain(const uint8_t *p, const uint8_t *end)
{
    while (p != end) {
        uint8_t lead = *p++;
        if (lead < 0x80)
            continue;
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

#define STEP (8 * COPY_BLOCK) /* what is looked at together */

INLINE bool all_ascii(const copy_block *at)
{
    copy_block all = ((at[0] | at[1]) | (at[2] | at[3])) | ((at[4] | at[5]) | (at[6] | at[7]));
    return !((all[0] | all[1]) & UINT64_C(0x8080808080808080));
}

/* Moves over steps of ASCII. */
static const uint8_t *past_ascii(const uint8_t *p, const uint8_t *end)
{
    while ((size_t)(end - p) >= STEP && all_ascii((const copy_block *)p))
        p += STEP;
    return p;
}

#ifdef __SSSE3__
#include <tmmintrin.h>

/* Mistakes, a bit each; two that never meet share one. */
enum {
    TOO_SHORT = 1 << 0,  /* a lead, and no continuation after it */
    TOO_LONG = 1 << 1,   /* ASCII, and a continuation after it */
    OVERLONG_3 = 1 << 2, /* e0, and below a0 */
    TOO_LARGE = 1 << 3,  /* f4, and above 8f; or f5 and more */
    SURROGATE = 1 << 4,  /* ed, and above 9f */
    OVERLONG_2 = 1 << 5, /* c0 or c1 */
    OVERLONG_4 = 1 << 6, /* f0, and below 90 */
    BEYOND = 1 << 6,     /* f5 and more, and below 90 */
    TWO_CONTS = 1 << 7,  /* two continuations: right after a lead of three or four, wrong else */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS,
    LARGE_LOW = ANY_LOW | TOO_LARGE | BEYOND,
    CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS,
};

#define V(...)                                                                                     \
    (__m128i)(__v16qi)                                                                             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define B(bits) ((char)(bits))

/* What is wrong with each byte of `in`, given the block before it. */
INLINE __m128i mistakes(__m128i in, __m128i before)
{
    const __m128i lead_high =
        V(B(TOO_LONG), B(TOO_LONG), B(TOO_LONG), B(TOO_LONG), B(TOO_LONG), B(TOO_LONG), B(TOO_LONG),
          B(TOO_LONG), B(TWO_CONTS), B(TWO_CONTS), B(TWO_CONTS), B(TWO_CONTS),
          B(TOO_SHORT | OVERLONG_2), B(TOO_SHORT), B(TOO_SHORT | OVERLONG_3 | SURROGATE),
          B(TOO_SHORT | TOO_LARGE | BEYOND | OVERLONG_4));
    const __m128i lead_low =
        V(B(ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), B(ANY_LOW | OVERLONG_2), B(ANY_LOW),
          B(ANY_LOW), B(ANY_LOW | TOO_LARGE), B(LARGE_LOW), B(LARGE_LOW), B(LARGE_LOW),
          B(LARGE_LOW), B(LARGE_LOW), B(LARGE_LOW), B(LARGE_LOW), B(LARGE_LOW),
          B(LARGE_LOW | SURROGATE), B(LARGE_LOW), B(LARGE_LOW));
    const __m128i next_high =
        V(B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT),
          B(TOO_SHORT), B(TOO_SHORT), B(CONT | OVERLONG_3 | BEYOND | OVERLONG_4),
          B(CONT | OVERLONG_3 | TOO_LARGE), B(CONT | SURROGATE | TOO_LARGE),
          B(CONT | SURROGATE | TOO_LARGE), B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT), B(TOO_SHORT));
    const __m128i half = _mm_set1_epi8(0x0f);
    __m128i one = _mm_alignr_epi8(in, before, 15); /* the byte before each */
    __m128i two = _mm_alignr_epi8(in, before, 14);
    __m128i three = _mm_alignr_epi8(in, before, 13);
    __m128i pair = _mm_and_si128(
        _mm_and_si128(_mm_shuffle_epi8(lead_high, _mm_and_si128(_mm_srli_epi16(one, 4), half)),
                      _mm_shuffle_epi8(lead_low, _mm_and_si128(one, half))),
        _mm_shuffle_epi8(next_high, _mm_and_si128(_mm_srli_epi16(in, 4), half)));
    /* Two places behind a lead of three or four, or three behind one of four, a second continuation
     * must be. The sign is set there, as it is in TWO_CONTS. */
    __m128i must = _mm_or_si128(_mm_subs_epu8(two, _mm_set1_epi8((char)(0xe0 - 0x80))),
                                _mm_subs_epu8(three, _mm_set1_epi8((char)(0xf0 - 0x80))));
    return _mm_xor_si128(_mm_and_si128(must, _mm_set1_epi8((char)0x80)), pair);
}

static bool valid_blocks(const uint8_t *p, const uint8_t *end)
{
    __m128i before = _mm_setzero_si128();
    __m128i wrong = _mm_setzero_si128();
    while (end - p >= 16) {
        __m128i in;
        memcpy(&in, p, sizeof in);
        wrong = _mm_or_si128(wrong, mistakes(in, before));
        before = in;
        p += 16;
        if (!_mm_movemask_epi8(in)) {
            const uint8_t *next = past_ascii(p, end);
            before = _mm_setzero_si128(); /* ASCII as well */
            p = next;
        }
    }
    /* Zeros behind the end: what is cut short there is found. */
    __m128i in = _mm_setzero_si128();
    memcpy(&in, p, (size_t)(end - p));
    wrong = _mm_or_si128(wrong, mistakes(in, before));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128())) == 0xffff;
}
#else
static bool valid_blocks(const uint8_t *p, const uint8_t *end)
{
    return valid_plain(p, end);
}
#endif

#define SHORT 16 /* bytes from which blocks are worth it */

bool utf8_valid(struct bytes text)
{
    if (!text.len)
        return true;
    const uint8_t *end = text.at + text.len;
    const uint8_t *p = past_ascii(text.at, end);
    return end - p < SHORT ? valid_plain(p, end) : valid_blocks(p, end);
}

bool utf8_copy(struct bytes text, uint8_t *to)
{
    size_t done = 0;
    for (; text.len - done >= STEP; done += STEP) {
        const copy_block *from = (const copy_block *)(text.at + done);
        if (!all_ascii(from))
            break;
        for (size_t i = 0; i < STEP / COPY_BLOCK; i++)
            ((copy_block *)(to + done))[i] = from[i];
    }
    if (done == text.len)
        return true;
    struct bytes rest = {text.at + done, text.len - done};
    if (!utf8_valid(rest))
        return false;
    memcpy(to + done, rest.at, rest.len);
    return true;
}
