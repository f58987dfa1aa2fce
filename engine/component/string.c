/* Strings between guests and the host; see string.h.
 *
 * Every address in guest memory is checked after the call of realloc that gave it, and memory's own
 * address is taken anew after each such call. Sources lie outside of the memory that is written to:
 * on the host, or in the memory of another component. */
#include "engine/component/string.h"

#include "engine/component/abi.h"
#include "engine/component/transcode.h"

/* --- Lifting ------------------------------------------------------------------------------------
 */

/* Which form the guest's encoding and tag mean; *units loses the tag. */
static enum string_form form_of(enum cm_encoding encoding, uint32_t *units)
{
    switch (encoding) {
    case ENCODING_UTF8: return STRING_UTF8;
    case ENCODING_UTF16: return STRING_UTF16;
    case ENCODING_LATIN1_UTF16: break;
    }
    if (!(*units & ABI_UTF16_TAG))
        return STRING_LATIN1;
    *units ^= ABI_UTF16_TAG;
    return STRING_COMPACT_UTF16;
}

static bool is_wide(enum string_form form)
{
    return form == STRING_UTF16 || form == STRING_COMPACT_UTF16;
}

#define NOT_UTF8  "string is not well-formed UTF-8"
#define NOT_UTF16 "string is not well-formed UTF-16"

/* A copy for the host, of UTF-8. */
static bool lift_utf8(struct cm_lift *lift, struct bytes from, struct str *to)
{
    uint8_t *copy = scratch_take(lift->scratch, from.len);
    if (!copy)
        return scratch_full(lift->scratch, from.len);
    if (!utf8_copy(from, copy))
        return cm_trap(lift->instance->store, NOT_UTF8);
    *to = (struct str){(const char *)copy, from.len};
    return true;
}

/* The same of other forms. */
static bool lift_as_utf8(struct cm_lift *lift, const uint8_t *from, uint32_t units,
                         enum string_form form, struct str *to)
{
    bool wide = is_wide(form);
    size_t size = wide ? utf16_utf8_size(from, units) : latin1_utf8_size(from, units);
    uint8_t *copy = scratch_take(lift->scratch, size);
    if (!copy)
        return scratch_full(lift->scratch, size);
    if (wide)
        utf16_to_utf8(from, units, copy);
    else
        latin1_to_utf8(from, units, copy);
    *to = (struct str){(const char *)copy, size};
    return true;
}

bool string_lift(struct cm_lift *lift, uint32_t at, uint32_t units, struct str *to)
{
    struct cm_store *store = lift->instance->store;
    enum string_form form = form_of(lift->encoding, &units);
    uint64_t size = is_wide(form) ? (uint64_t)units * 2 : units;
    if (size > ABI_STRING_MAX)
        return cm_trap(store, "string is too long");
    if (!cm_lift_check(lift, at, size, lift->encoding == ENCODING_UTF8 ? 1 : 2))
        return false;
    const uint8_t *from = lift->memory->span.at + at;
    if (form == STRING_UTF8 && lift->for_host)
        return lift_utf8(lift, (struct bytes){from, size}, to);
    if (form == STRING_UTF8 && !utf8_valid((struct bytes){from, size}))
        return cm_trap(store, NOT_UTF8);
    if (is_wide(form) && !utf16_valid(from, units))
        return cm_trap(store, NOT_UTF16);
    if (lift->for_host)
        return lift_as_utf8(lift, from, units, form, to);
    if (lift->for_itself) {
        uint8_t *copy = scratch_take(lift->scratch, size);
        if (!copy)
            return scratch_full(lift->scratch, size);
        if (size)
            memcpy(copy, from, size);
        from = copy;
    }
    *to = string_on_way(from, units, form);
    return true;
}

/* --- Lowering -----------------------------------------------------------------------------------
 */

/* A string on its way down. */
struct lowering {
    struct cm_lower *lower;
    const uint8_t *from;
    uint32_t units; /* of the source */
    uint32_t at;    /* where realloc put it */
};

static uint8_t *target(const struct lowering *s)
{
    return s->lower->abi->memory->span.at + s->at;
}

static bool allocate(struct lowering *s, uint32_t align, uint32_t size)
{
    return cm_realloc(s->lower, 0, 0, align, size, &s->at);
}

static bool reallocate(struct lowering *s, uint32_t old_size, uint32_t align, uint32_t size)
{
    return cm_realloc(s->lower, s->at, old_size, align, size, &s->at);
}

/* store_string_copy: unit by unit the same, of one or two bytes. */
static bool store_copy(struct lowering *s, uint32_t unit_size, uint32_t align)
{
    uint32_t size = s->units * unit_size;
    if (!allocate(s, align, size))
        return false;
    if (size)
        memcpy(target(s), s->from, size);
    return true;
}

/* store_string_copy of Latin-1 into UTF-16. */
static bool store_widened(struct lowering *s)
{
    if (!allocate(s, 2, s->units * 2))
        return false;
    latin1_to_utf16(s->from, s->units, target(s));
    return true;
}

/* store_string_to_utf8: as if it were ASCII, until it is not; what is there by then, realloc moves.
 */
static bool store_utf8(struct lowering *s, enum string_form form, uint32_t *ret_units)
{
    bool wide = is_wide(form);
    uint32_t worst = s->units * (wide ? 3 : 2);
    if (!allocate(s, 1, s->units))
        return false;
    uint32_t ascii =
        (uint32_t)(wide ? utf16_ascii_count(s->from, s->units) : ascii_count(s->from, s->units));
    if (wide)
        utf16_to_utf8(s->from, ascii, target(s));
    else if (ascii)
        memcpy(target(s), s->from, ascii);
    if (ascii == s->units)
        return true;
    if (!reallocate(s, s->units, 1, worst))
        return false;
    const uint8_t *rest = s->from + (size_t)ascii * (wide ? 2 : 1);
    uint8_t *to = target(s) + ascii;
    uint32_t size = ascii + (uint32_t)(wide ? utf16_to_utf8(rest, s->units - ascii, to)
                                            : latin1_to_utf8(rest, s->units - ascii, to));
    *ret_units = size;
    return size == worst || reallocate(s, worst, 1, size);
}

/* store_utf8_to_utf16 */
static bool store_utf16(struct lowering *s, uint32_t *ret_units)
{
    uint32_t worst = s->units * 2;
    if (!allocate(s, 2, worst))
        return false;
    uint32_t units = (uint32_t)utf8_to_utf16(s->from, s->units, target(s));
    *ret_units = units;
    return units * 2 == worst || reallocate(s, worst, 2, units * 2);
}

/* The second half of store_string_to_latin1_or_utf16: `done` units of Latin-1 are there, and the
 * source from `used` on does not fit. */
static bool store_rest_as_utf16(struct lowering *s, bool wide, uint32_t done, size_t used,
                                uint32_t *ret_units)
{
    uint32_t worst = s->units * 2;
    if (!reallocate(s, s->units, 2, worst))
        return false;
    uint32_t units = done;
    latin1_widen(target(s), done);
    if (wide) {
        memcpy(target(s) + (size_t)done * 2, s->from + used * 2, (s->units - used) * 2);
        units = s->units;
    } else {
        units +=
            (uint32_t)utf8_to_utf16(s->from + used, s->units - used, target(s) + (size_t)done * 2);
    }
    *ret_units = units | ABI_UTF16_TAG;
    return units * 2 == worst || reallocate(s, worst, 2, units * 2);
}

/* store_string_to_latin1_or_utf16: as Latin-1, until it is not. */
static bool store_compact(struct lowering *s, enum string_form form, uint32_t *ret_units)
{
    bool wide = is_wide(form);
    if (!allocate(s, 2, s->units))
        return false;
    size_t used;
    uint32_t done;
    if (wide) {
        used = utf16_to_latin1(s->from, s->units, target(s));
        done = (uint32_t)used;
    } else {
        done = (uint32_t)utf8_to_latin1(s->from, s->units, target(s), &used);
    }
    if (used < s->units)
        return store_rest_as_utf16(s, wide, done, used, ret_units);
    *ret_units = done;
    return done == s->units || reallocate(s, s->units, 2, done);
}

/* store_probably_utf16_to_latin1_or_utf16 */
static bool store_probably_utf16(struct lowering *s, uint32_t *ret_units)
{
    uint32_t size = s->units * 2;
    if (!allocate(s, 2, size))
        return false;
    if (size)
        memcpy(target(s), s->from, size);
    if (utf16_latin1_count(s->from, s->units) != s->units) {
        *ret_units = s->units | ABI_UTF16_TAG;
        return true;
    }
    utf16_to_latin1(s->from, s->units, target(s)); /* the second half stays as it is */
    return reallocate(s, size, 1, s->units);
}

static bool store(struct lowering *s, enum string_form form, uint32_t *ret_units)
{
    *ret_units = s->units;
    switch (s->lower->abi->encoding) {
    case ENCODING_UTF8:
        return form == STRING_UTF8 ? store_copy(s, 1, 1) : store_utf8(s, form, ret_units);
    case ENCODING_UTF16:
        if (form == STRING_UTF8)
            return store_utf16(s, ret_units);
        return is_wide(form) ? store_copy(s, 2, 2) : store_widened(s);
    case ENCODING_LATIN1_UTF16:
        if (form == STRING_LATIN1)
            return store_copy(s, 1, 2);
        if (form == STRING_COMPACT_UTF16)
            return store_probably_utf16(s, ret_units);
        return store_compact(s, form, ret_units);
    }
    return false;
}

bool string_lower(struct cm_lower *lower, struct str from, uint32_t *ret_at, uint32_t *ret_units)
{
    enum string_form form = string_form(from);
    size_t units = string_units(from);
    if ((is_wide(form) ? units * 2 : units) > ABI_STRING_MAX)
        return cm_trap(lower->instance->store, "string is too long");
    struct lowering s = {lower, (const uint8_t *)from.at, (uint32_t)units, 0};
    if (!store(&s, form, ret_units))
        return false;
    *ret_at = s.at;
    return true;
}
