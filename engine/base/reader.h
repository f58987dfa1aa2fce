/* Reads the binary formats of WebAssembly (core spec §5.2, component model Binary.md) from a run of
 * bytes in memory.
 *
 * Failures stick: the first one is recorded in the reader's `err`, the reader jumps to its end and
 * every later read gives 0. Code that decodes therefore reads like the grammar and asks `reader_ok`
 * once where it matters: after a loop, before a result is used. A count that fails is 0, so loops
 * over it end by themselves. */
#ifndef CARREL_BASE_READER_H
#define CARREL_BASE_READER_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *base; /* offset 0 of the file, for messages */
    struct err *err;     /* never NULL; shared with readers of parts */
    bool failed;
};

/* A reader over `part`, which lies in the file that starts at `base`. */
static inline struct reader reader_of(struct bytes part, const uint8_t *base, struct err *err)
{
    const uint8_t *end = part.len ? part.at + part.len : part.at;
    return (struct reader){part.at, end, base, err, false};
}

static inline bool reader_ok(const struct reader *r)
{
    return !r->failed;
}

static inline bool reader_at_end(const struct reader *r)
{
    return r->at == r->end;
}

static inline uint64_t reader_offset(const struct reader *r)
{
    return (uint64_t)(r->at - r->base);
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Records a failure at the current place (or at `at`) and makes the reader stick. Returns -1. */
int reader_fail(struct reader *r, enum err_kind kind, const char *format, ...) PRINTF(3, 4) COLD;
int reader_fail_at(struct reader *r, const uint8_t *at, enum err_kind kind, const char *format, ...)
    PRINTF(4, 5) COLD;

/* Makes the reader stick after a failure that somebody else recorded. */
static inline void reader_stop(struct reader *r)
{
    r->failed = true;
    r->at = r->end;
}

/* The slow halves of the inline functions below. */
uint8_t reader_u8_end(struct reader *r) COLD;
uint32_t reader_u32_long(struct reader *r);
int32_t reader_s32_long(struct reader *r);
int64_t reader_s64_long(struct reader *r);

static inline uint8_t reader_u8(struct reader *r)
{
    return likely(r->at != r->end) ? *r->at++ : reader_u8_end(r);
}

/* The next byte without taking it; 0 at the end. */
static inline uint8_t reader_peek(const struct reader *r)
{
    return r->at != r->end ? *r->at : 0;
}

/* LEB128 of at most 32, 33 or 64 bits; overlong or overflowing forms are malformed. */
static inline uint32_t reader_u32(struct reader *r)
{
    return likely(r->at != r->end && *r->at < 0x80) ? *r->at++ : reader_u32_long(r);
}

static inline int32_t reader_s32(struct reader *r)
{
    if (likely(r->at != r->end && *r->at < 0x80))
        return (int32_t)((uint32_t)*r->at++ << 25) >> 25;
    return reader_s32_long(r);
}

static inline int64_t reader_s64(struct reader *r)
{
    if (likely(r->at != r->end && *r->at < 0x80))
        return (int64_t)((uint64_t)*r->at++ << 57) >> 57;
    return reader_s64_long(r);
}

uint64_t reader_u64(struct reader *r);
int64_t reader_s33(struct reader *r);

/* Little-endian, fixed width. */
uint32_t reader_fixed32(struct reader *r);
uint64_t reader_fixed64(struct reader *r);

/* `len` bytes in place; fails (and gives none, at the end) if fewer are left. */
struct bytes reader_take(struct reader *r, size_t len, const char *what);

/* A vec(byte) with its length in front; a name, which must be UTF-8 (spec §5.2.4). */
struct bytes reader_vec(struct reader *r, const char *what);
struct str reader_name(struct reader *r, const char *what);

/* The length of a vector of `what`: more than the bytes that are left (each element takes at least
 * one) is malformed, over `limit` is ERR_LIMIT. So what is allocated for a count is bounded by the
 * size of the file. */
uint32_t reader_count(struct reader *r, uint32_t limit, const char *what);

/* A length-prefixed part as a reader of its own; the outer reader moves past it. Finish it with
 * reader_close, which demands that the part was read to its end. */
struct reader reader_part(struct reader *r, const char *what);
int reader_close(struct reader *part, struct reader *outer, const char *what);

#endif
