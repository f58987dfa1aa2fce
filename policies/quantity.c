/* Parses what people write for sizes, durations, counts and processors; see quantity.h. Pure. */
#include "policies/quantity.h"

#include "engine/base/attr.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char bad_size[] = "is no size: write a number and K, M, G or T, for example 64M";
static const char bad_duration[] =
    "is no duration: write a number and ns, us, ms, s, m or h, for example 1.5s";
static const char bad_count[] = "is no number: write digits only, for example 1000000";
static const char bad_processors[] =
    "is no number of processors: write digits, for example 2 or 0.5";
static const char too_few_processors[] =
    "is less than the kernel can keep to: write 0.01 or more, or leave the flag out";
static const char too_large[] = "is too large: write less";
static const char zero[] = "is no limit: write more, or leave the flag out to have its default";

#define MILLION UINT64_C(1000000)
_Static_assert(QUANTITY_PROCESSOR == MILLION, "decimals are millionths");

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

/* Takes a number with or without decimals: `*whole` and `*millionths`; what is finer is dropped.
 * Returns as digits(). */
static const char *decimal(const char **text, const char *bad, uint64_t *whole,
                           uint64_t *millionths)
{
    const char *wrong = digits(text, bad, whole);
    *millionths = 0;
    if (wrong || **text != '.')
        return wrong;
    const char *first = ++*text;
    for (uint64_t worth = MILLION / 10; **text >= '0' && **text <= '9'; worth /= 10)
        *millionths += worth * (uint64_t)(*(*text)++ - '0');
    return *text == first ? bad : NULL;
}

const char *quantity_duration(const char *text, uint64_t *ret)
{
    const uint64_t most = UINT64_C(100) * 365 * 24 * 3600000000000;
    uint64_t whole = 0, part = 0;
    const char *wrong = decimal(&text, bad_duration, &whole, &part);
    if (wrong)
        return wrong;
    uint64_t unit = unit_of(text);
    if (unit == 0)
        return bad_duration;
    if (whole > most / unit)
        return too_large;
    uint64_t value = whole * unit + part * unit / MILLION; /* part < 1e6, unit <= 3.6e12 */
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

const char *quantity_processors(const char *text, uint64_t *ret)
{
    const uint64_t least = QUANTITY_PROCESSOR / 100;
    uint64_t whole = 0, part = 0;
    const char *wrong = decimal(&text, bad_processors, &whole, &part);
    if (wrong || *text)
        return wrong ? wrong : bad_processors;
    if (whole > QUANTITY_PROCESSORS_MOST)
        return too_large;
    uint64_t value = whole * QUANTITY_PROCESSOR + part;
    if (value < least || value > QUANTITY_PROCESSORS_MOST * QUANTITY_PROCESSOR)
        return value < least ? too_few_processors : too_large;
    *ret = value;
    return NULL;
}

const char *quantity_processors_text(uint64_t millionths, char ret[QUANTITY_PROCESSORS_SIZE])
{
    int length = snprintf(ret, QUANTITY_PROCESSORS_SIZE, "%" PRIu64 ".%06" PRIu64,
                          millionths / QUANTITY_PROCESSOR, millionths % QUANTITY_PROCESSOR);
    while (ret[length - 1] == '0')
        ret[--length] = '\0';
    if (ret[length - 1] == '.')
        ret[--length] = '\0';
    return ret;
}
