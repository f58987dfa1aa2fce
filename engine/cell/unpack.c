/* Unpacks gzip by zlib and Zstandard by libzstd; see unpack.h. Both get their memory from the room
 * and ask for no other: no allocator, no system call. What is unpacked is never given back, so that
 * all the layers of an image together cost no more than the room is large. */
#include "engine/cell/unpack.h"

#include <string.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_initStaticDCtx */
#include <zstd.h>
#include <zstd_errors.h>

enum {
    GZIP_MEMORY = 1 << 16, /* what inflate works with: its state and a window of 32 KiB */
    GZIP_BITS = 15 + 16,   /* any window, and the head of gzip */
    PIECE = 1 << 30,       /* zlib counts in 32 bits */
    ALIGNMENT = 64,
};

static bool is_gzip(struct bytes bytes)
{
    return bytes.len >= 2 && bytes.at[0] == 0x1f && bytes.at[1] == 0x8b;
}

/* A frame, or one to be skipped, which may come first. */
static bool is_zstd(struct bytes bytes)
{
    return bytes.len >= 4 &&
           (memcmp(bytes.at, "\x28\xb5\x2f\xfd", 4) == 0 ||
            ((bytes.at[0] & 0xf0) == 0x50 && memcmp(bytes.at + 1, "\x2a\x4d\x18", 3) == 0));
}

bool unpack_is(struct bytes file)
{
    return is_gzip(file) || is_zstd(file);
}

static size_t left_in(const struct unpack_room *room)
{
    return (size_t)(room->end - room->at);
}

/* Memory that an unpacker works with. NULL if there is none left. */
static void *take(struct unpack_room *room, size_t size)
{
    size_t skip = -(uintptr_t)room->at & (ALIGNMENT - 1);
    if (left_in(room) < skip || left_in(room) - skip < size)
        return NULL;
    void *memory = room->at + skip;
    room->at += skip + size;
    return memory;
}

static int no_room(struct err *err)
{
    return err_set(
        err, ERR_LIMIT, ERR_NOWHERE,
        "an image whose layers unpack to more than its reader has room for: unpack them, "
        "and audit the component itself");
}

/* --- gzip ---------------------------------------------------------------------------------------
 */

static voidpf gzip_take(voidpf memory, uInt count, uInt each)
{
    return take(memory, (size_t)count * each);
}

/* Given back with all that it was taken from. */
static void gzip_give(voidpf memory, voidpf block)
{
    (void)memory, (void)block;
}

static uInt piece(size_t left)
{
    return left < PIECE ? (uInt)left : PIECE;
}

/* Members follow each other, and what comes after the last one is padding. */
static int unpack_gzip(struct bytes packed, void *memory, struct unpack_room *room, struct err *err)
{
    struct unpack_room state = {memory, (uint8_t *)memory + GZIP_MEMORY};
    z_stream stream = {.zalloc = gzip_take, .zfree = gzip_give, .opaque = &state};
    if (inflateInit2(&stream, GZIP_BITS) != Z_OK)
        return no_room(err);
    const uint8_t *at = packed.at, *end = packed.at + packed.len;
    for (;;) {
        stream.next_in = (z_const Bytef *)(uintptr_t)at;
        stream.avail_in = piece((size_t)(end - at));
        stream.next_out = room->at;
        stream.avail_out = piece(left_in(room));
        int got = inflate(&stream, Z_NO_FLUSH);
        bool moved = stream.next_in != at || stream.next_out != room->at;
        at = stream.next_in;
        room->at = stream.next_out;
        if (got == Z_STREAM_END) {
            if (!is_gzip((struct bytes){at, (size_t)(end - at)}))
                return 0;
            got = inflateReset(&stream);
        }
        if (got == Z_BUF_ERROR || (got == Z_OK && !moved)) {
            if (left_in(room) == 0)
                return no_room(err);
            return err_set(err, ERR_MALFORMED, packed.len,
                           "a layer that ends within its gzip data");
        }
        if (got != Z_OK)
            return err_set(err, ERR_MALFORMED, (uint64_t)(at - packed.at),
                           "a layer that is no gzip data: %s",
                           stream.msg ? stream.msg : "it needs a dictionary");
    }
}

/* --- Zstandard ----------------------------------------------------------------------------------
 */

static int unpack_zstd(struct bytes packed, void *memory, struct unpack_room *room, struct err *err)
{
    ZSTD_DCtx *context = ZSTD_initStaticDCtx(memory, ZSTD_estimateDCtxSize());
    if (!context)
        return no_room(err);
    size_t got = ZSTD_decompressDCtx(context, room->at, left_in(room), packed.at, packed.len);
    if (ZSTD_isError(got)) {
        if (ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall)
            return no_room(err);
        return err_set(err, ERR_MALFORMED, ERR_NOWHERE, "a layer that is no Zstandard data: %s",
                       ZSTD_getErrorName(got));
    }
    room->at += got;
    return 0;
}

int unpack(struct bytes packed, struct unpack_room *room, struct bytes *ret, struct err *err)
{
    bool gzip = is_gzip(packed);
    void *memory = take(room, gzip ? GZIP_MEMORY : ZSTD_estimateDCtxSize());
    if (!memory)
        return no_room(err);
    const uint8_t *begin = room->at;
    if (gzip ? unpack_gzip(packed, memory, room, err) : unpack_zstd(packed, memory, room, err))
        return -1;
    *ret = (struct bytes){begin, (size_t)(room->at - begin)};
    return 0;
}
