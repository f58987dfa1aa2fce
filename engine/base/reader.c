/* The binary reader; see reader.h. Touches nothing but the bytes it was given. */
#include "engine/base/reader.h"

#include "engine/base/utf.h"

#include <stdarg.h>
#include <stdio.h>

static int fail_v(struct reader *r, const uint8_t *at, enum err_kind kind, const char *format,
                  va_list args)
{
    char text[sizeof r->err->text];
    vsnprintf(text, sizeof text, format, args);
    err_set(r->err, kind, (uint64_t)(at - r->base), "%s", text);
    r->failed = true;
    r->at = r->end;
    return -1;
}

int reader_fail(struct reader *r, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(r, r->at, kind, format, args);
    va_end(args);
    return -1;
}

int reader_fail_at(struct reader *r, const uint8_t *at, enum err_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(r, at, kind, format, args);
    va_end(args);
    return -1;
}

uint8_t reader_u8_end(struct reader *r)
{
    reader_fail(r, ERR_MALFORMED, "unexpected end");
    return 0;
}

/* One routine for every width. The last byte of a full-length form may carry only the bits that are
 * left of `width` (spec §5.2.2): zeros if unsigned, copies of the sign if signed. */
INLINE uint64_t leb(struct reader *r, unsigned width, bool is_signed)
{
    const uint8_t *start = r->at;
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (r->at == r->end) {
            reader_fail(r, ERR_MALFORMED, "unexpected end in an integer");
            return 0;
        }
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (shift + 7 >= width) {
            unsigned used = width - shift; /* 1 to 7 bits of this byte count */
            if (byte & 0x80) {
                reader_fail_at(r, start, ERR_MALFORMED, "integer representation too long");
                return 0;
            }
            uint8_t rest = (uint8_t)((byte & 0x7f) >> (is_signed ? used - 1 : used));
            uint8_t ones = (uint8_t)(0x7f >> (is_signed ? used - 1 : used));
            if (rest != 0 && !(is_signed && rest == ones)) {
                reader_fail_at(r, start, ERR_MALFORMED, "integer too large");
                return 0;
            }
        }
        if (!(byte & 0x80)) {
            if (is_signed && shift + 7 < 64 && (byte & 0x40))
                value |= ~UINT64_C(0) << (shift + 7);
            return value;
        }
    }
}

uint32_t reader_u32_long(struct reader *r)
{
    return (uint32_t)leb(r, 32, false);
}

int32_t reader_s32_long(struct reader *r)
{
    return (int32_t)leb(r, 32, true);
}

int64_t reader_s64_long(struct reader *r)
{
    return (int64_t)leb(r, 64, true);
}

uint64_t reader_u64(struct reader *r)
{
    return leb(r, 64, false);
}

int64_t reader_s33(struct reader *r)
{
    return (int64_t)leb(r, 33, true);
}

uint32_t reader_fixed32(struct reader *r)
{
    struct bytes b = reader_take(r, 4, "32-bit constant");
    return b.len ? (uint32_t)b.at[0] | (uint32_t)b.at[1] << 8 | (uint32_t)b.at[2] << 16 |
                       (uint32_t)b.at[3] << 24
                 : 0;
}

uint64_t reader_fixed64(struct reader *r)
{
    uint64_t low = reader_fixed32(r);
    return low | (uint64_t)reader_fixed32(r) << 32;
}

struct bytes reader_take(struct reader *r, size_t len, const char *what)
{
    if (len > reader_left(r)) {
        reader_fail(r, ERR_MALFORMED, "unexpected end: %s of %zu bytes, %zu left", what, len,
                    reader_left(r));
        return (struct bytes){r->end, 0};
    }
    struct bytes b = {r->at, len};
    r->at += len;
    return b;
}

struct bytes reader_vec(struct reader *r, const char *what)
{
    uint32_t len = reader_u32(r);
    return reader_take(r, len, what);
}

struct str reader_name(struct reader *r, const char *what)
{
    struct bytes b = reader_vec(r, what);
    if (!utf8_valid(b)) {
        reader_fail_at(r, b.at, ERR_MALFORMED, "malformed UTF-8 encoding in %s", what);
        return (struct str){0};
    }
    return (struct str){(const char *)b.at, b.len};
}

uint32_t reader_count(struct reader *r, uint32_t limit, const char *what)
{
    const uint8_t *at = r->at;
    uint32_t count = reader_u32(r);
    if (count > reader_left(r)) {
        reader_fail_at(r, at, ERR_MALFORMED, "unexpected end: %u %s, %zu bytes left", count, what,
                       reader_left(r));
        return 0;
    }
    if (count > limit) {
        reader_fail_at(r, at, ERR_LIMIT, "%u %s, at most %u are allowed", count, what, limit);
        return 0;
    }
    return count;
}

struct reader reader_part(struct reader *r, const char *what)
{
    struct bytes b = reader_vec(r, what);
    struct reader part = reader_of(b, r->base, r->err);
    part.failed = r->failed;
    return part;
}

int reader_close(struct reader *part, struct reader *outer, const char *what)
{
    if (reader_ok(part) && !reader_at_end(part))
        reader_fail(part, ERR_MALFORMED, "section size mismatch: %zu bytes left in %s",
                    reader_left(part), what);
    if (reader_ok(part))
        return 0;
    outer->failed = true;
    outer->at = outer->end;
    return -1;
}
