/* Time zones; see zone.h. The table is made by the runner from the host's own (runner/zone.c). */
#include "engine/wasi/zone.h"

/* The Gregorian calendar repeats itself after 400 years, and rules of time zones go by it: a table
 * with changes as late as the year 2400 is one of a zone that still has such a rule. */
#define CYCLE   (INT64_C(146097) * 86400)
#define REPEATS INT64_C(13569465600)

/* A number with an optional sign, and what ends it. */
static bool read_number(struct str *left, char end, int64_t *ret)
{
    bool minus = left->len && *left->at == '-';
    int64_t value = 0;
    size_t at = minus;
    for (; at < left->len && left->at[at] >= '0' && left->at[at] <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, left->at[at] - '0', &value))
            return false;
    if (at == minus || at == left->len || left->at[at] != end || (!minus && value == INT64_MIN))
        return false;
    *ret = minus ? value : -value;
    *left = (struct str){left->at + at + 1, left->len - at - 1};
    return true;
}

static bool read_span(struct str *left, struct zone_span *ret)
{
    int64_t offset, summer;
    if (!read_number(left, ' ', &ret->from) || !read_number(left, ' ', &offset) ||
        !read_number(left, ' ', &summer) || offset < -86400 || offset > 86400)
        return false;
    const char *end = memchr(left->at, ';', left->len);
    if (!end)
        return false;
    ret->offset = (int32_t)offset;
    ret->daylight = summer;
    ret->name = (struct str){left->at, (size_t)(end - left->at)};
    *left = (struct str){end + 1, left->len - ret->name.len - 1};
    return true;
}

int zone_read(struct heap *heap, struct str text, struct zone_span **ret, size_t *ret_count)
{
    size_t count = 0;
    *ret = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == ';';
    if (!count)
        return text.len ? -1 : 0;
    struct zone_span *spans = heap_zeroed(heap, count, sizeof *spans);
    if (!spans)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!read_span(&text, &spans[i]) || (i && spans[i].from <= spans[i - 1].from))
            return -1;
    *ret = spans;
    *ret_count = count;
    return text.len ? -1 : 0;
}

const struct zone_span *zone_at(const struct wasi *wasi, uint64_t seconds)
{
    if (!wasi->nzone)
        return NULL;
    int64_t last = wasi->zone[wasi->nzone - 1].from;
    int64_t at = seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds;
    int64_t past = at > last && last >= REPEATS ? (at - last) % CYCLE : 0;
    if (past)
        at = last - CYCLE + past;
    else if (at > last)
        at = last;
    size_t low = 0, high = wasi->nzone;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (wasi->zone[middle].from <= at)
            low = middle;
        else
            high = middle;
    }
    return &wasi->zone[low];
}
