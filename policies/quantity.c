/* Parses what people write for sizes, durations and counts; see quantity.h. Pure. */
#include "policies/quantity.h"

#include "engine/base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char bad_size[] = "is no size: write a number and K, M, G or T, for example 64M";
static const char bad_duration[] =
    "is no duration: write a number and ns, us, ms, s, m or h, for example 1.5s";
static const char bad_count[] = "is no number: write digits only, for example 1000000";
static const char too_large[] = "is too large: write less";
static const char zero[] = "is no limit: write more, or leave the flag out to have its default";

/* Takes the digits at the front. Returns NULL with `*text` behind them, `bad` if there are none. */
static const char *digits(const char **text, const char *bad, uint64_t *ret)
{
    const char *at = *text;
    uint64_t value = 0;
    if (*at < '0' || *at > '9')
        return bad;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return too_large;
    }
    *text = at;
    *ret = value;
    return NULL;
}

const char *quantity_size(const char *text, uint64_t *ret)
{
    static const char letters[] = "KMGT";
    uint64_t value = 0;
    const char *wrong = digits(&text, bad_size, &value);
    if (wrong)
        return wrong;
    unsigned shift = 0;
    if (*text) {
        const char *letter = strchr(letters, *text);
        if (!letter || (text[1] && strcmp(text + 1, "iB") != 0))
            return bad_size;
        shift = 10 * (unsigned)(letter - letters + 1);
    }
    if (value == 0)
        return zero;
    if (value > (uint64_t)INT64_MAX >> shift)
        return too_large;
    *ret = value << shift;
    return NULL;
}

/* Nanoseconds in the unit, 0 if there is none of that name. */
static uint64_t unit_of(const char *name)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},      {"us", 1000},
        {"ns", 1},        {"m", 60000000000}, {"h", 3600000000000},
    };
    for (size_t i = 0; i < countof(units); i++)
        if (strcmp(name, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

const char *quantity_duration(const char *text, uint64_t *ret)
{
    const uint64_t most = UINT64_C(100) * 365 * 24 * 3600000000000;
    uint64_t whole = 0, part = 0, scale = 1;
    const char *wrong = digits(&text, bad_duration, &whole);
    if (wrong)
        return wrong;
    if (*text == '.') {
        text++;
        for (; *text >= '0' && *text <= '9'; text++) {
            if (scale < 1000000) { /* finer than a millionth of the unit is dropped */
                scale *= 10;
                part = part * 10 + (uint64_t)(*text - '0');
            }
        }
        if (scale == 1)
            return bad_duration;
    }
    uint64_t unit = unit_of(text);
    if (unit == 0)
        return bad_duration;
    if (whole > most / unit)
        return too_large;
    uint64_t value = whole * unit + part * unit / scale; /* part < 1e6, unit <= 3.6e12 */
    if (value == 0)
        return zero;
    *ret = value;
    return NULL;
}

const char *quantity_count(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    const char *wrong = digits(&text, bad_count, &value);
    if (wrong || *text)
        return wrong ? wrong : bad_count;
    if (value == 0)
        return zero;
    *ret = value;
    return NULL;
}
