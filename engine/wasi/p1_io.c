/* Reading, writing and seeking in preview 1. Bytes go straight between guest memory and the
 * descriptor; only writes of several parts to a stream are put together first, so that they stay
 * one write. */
#include "engine/wasi/p1_call.h"

#include <errno.h>

/* One part of a scattered read or write, in guest memory (iovec, ciovec). */
struct part {
    uint32_t at;
    uint32_t len;
};

uint16_t p1_part(struct p1_call *call, uint32_t parts, uint32_t index, uint8_t **ret_at,
                 uint32_t *ret_len)
{
    struct part part;
    const uint8_t *from =
        memory_at(call->memory, parts + (uint64_t)index * sizeof part, sizeof part);
    if (!from)
        return P1_FAULT;
    memcpy(&part, from, sizeof part);
    *ret_at = memory_to(call->memory, part.at, part.len);
    *ret_len = part.len;
    return *ret_at ? P1_SUCCESS : P1_FAULT;
}

/* One transfer: the arguments, and how far it is. */
struct transfer {
    struct p1_call *call;
    struct p1_file *file;
    uint32_t parts;
    uint32_t count;
    uint64_t offset;
    bool append;
    uint64_t done;
};

/* Moves up to `len` bytes. A number, or a negated errno. */
typedef int64_t move_fn(struct transfer *transfer, uint8_t *at, size_t len);

/* Moves part after part until one is not moved whole. What has been moved counts, even if an error
 * follows. */
static uint16_t move_parts(struct transfer *transfer, move_fn *move)
{
    if (transfer->count > WASI_P1_PARTS)
        return P1_INVAL;
    for (uint32_t i = 0; i < transfer->count; i++) {
        uint8_t *at;
        uint32_t len;
        uint16_t error = p1_part(transfer->call, transfer->parts, i, &at, &len);
        if (error != P1_SUCCESS)
            return transfer->done ? P1_SUCCESS : error;
        while (len) {
            int64_t moved = move(transfer, at, len);
            if (moved < 0)
                return transfer->done ? P1_SUCCESS : p1_errno_of(moved);
            bool whole = (uint64_t)moved == (len < WASI_CHUNK ? len : WASI_CHUNK);
            transfer->done += (uint64_t)moved;
            at += moved;
            len -= (uint32_t)moved;
            if (!whole || transfer->file->file->sequential)
                return P1_SUCCESS;
        }
    }
    return P1_SUCCESS;
}

static int64_t read_at(struct transfer *t, uint8_t *at, size_t len)
{
    return fs_read(t->file->file, at, len, t->offset + t->done);
}

static int64_t write_at(struct transfer *t, uint8_t *at, size_t len)
{
    if (t->append)
        return fs_append(t->file->file, at, len);
    return fs_write(t->file->file, at, len, t->offset + t->done);
}

uint16_t p1_wait_or_again(struct p1_call *call, const struct p1_file *file, short events)
{
    return file->flags & FDFLAG_NONBLOCK ? P1_AGAIN : p1_wait_fd(call, file->file->fd, events);
}

static bool has_to_ask(const struct p1_call *call, const struct p1_file *file)
{
    return (file->flags & FDFLAG_NONBLOCK || call->wasi->concurrent) &&
           !descriptor_never_waits(file->file);
}

/* A standard stream that the component does not have: reading ends, writing fails. */
static void tell_stream(const struct transfer *t, enum ask_row row)
{
    struct wasi *wasi = t->call->wasi;
    for (int i = 0; i < 3; i++)
        if (t->file->file == wasi->streams[i] && withheld(wasi, WASI_CAP_STDIN + i))
            withheld_tell(wasi, row, WASI_CAP_STDIN + i, (struct str){0});
}

static int64_t read_stream(struct transfer *t, uint8_t *at, size_t len)
{
    if (t->file->file->fd < 0) {
        tell_stream(t, ASK_ROW_p1_fd_read);
        return 0;
    }
    if (has_to_ask(t->call, t->file) && !wasi_ready(t->call->wasi, t->file->file->fd, POLLIN))
        return -EAGAIN;
    return sys_read(t->file->file->fd, at, len);
}

static int64_t write_stream(struct transfer *t, uint8_t *at, size_t len)
{
    struct descriptor *file = t->file->file;
    if (file->fd < 0)
        tell_stream(t, ASK_ROW_p1_fd_write);
    if (has_to_ask(t->call, t->file)) {
        if (!wasi_ready(t->call->wasi, file->fd, POLLOUT))
            return -EAGAIN;
        len = len < 4096 ? len : 4096; /* as much as a pipe takes without waiting */
    }
    file->writes++;
    return sys_write(file->fd, at, len);
}

/* Several parts to a stream as one write, if they fit. False: they do not. */
static bool gather(struct transfer *transfer, uint8_t **ret_at, size_t *ret_len)
{
    uint8_t *scratch = transfer->count > 1 && transfer->count <= WASI_P1_PARTS
                           ? wasi_scratch(transfer->call->wasi)
                           : NULL;
    size_t len = 0;
    for (uint32_t i = 0; scratch && i < transfer->count; i++) {
        uint8_t *at;
        uint32_t part;
        if (p1_part(transfer->call, transfer->parts, i, &at, &part) != P1_SUCCESS ||
            part > WASI_CHUNK - len)
            return false;
        memcpy(scratch + len, at, part);
        len += part;
    }
    *ret_at = scratch;
    *ret_len = len;
    return scratch && len;
}

static uint16_t write_parts(struct transfer *transfer)
{
    uint8_t *at;
    size_t len;
    if (!transfer->file->file->sequential)
        return move_parts(transfer, write_at);
    if (!gather(transfer, &at, &len))
        return move_parts(transfer, write_stream);
    int64_t moved = write_stream(transfer, at, len);
    transfer->done = moved > 0 ? (uint64_t)moved : 0;
    return moved < 0 ? p1_errno_of(moved) : P1_SUCCESS;
}

static uint16_t begin(struct p1_call *call, uint64_t rights, struct transfer *transfer)
{
    *transfer =
        (struct transfer){.call = call, .parts = call->args[1].u32, .count = call->args[2].u32};
    return p1_file_of(call, call->args[0].u32, rights, &transfer->file);
}

static uint16_t finish(struct transfer *transfer, uint16_t error, uint32_t at)
{
    if (error != P1_SUCCESS)
        return error;
    return p1_put_u32(transfer->call, at, (uint32_t)transfer->done) ? P1_SUCCESS : P1_FAULT;
}

/* Where the file ends now. */
static uint16_t end_of(const struct p1_file *file, uint64_t *ret_end)
{
    struct stat stat;
    int error = fs_stat(file->file, &stat);
    if (error == 0)
        *ret_end = (uint64_t)stat.st_size;
    return p1_errno_of(error);
}

uint16_t p1_fd_read(struct p1_call *call)
{
    struct transfer t;
    uint16_t error = begin(call, RIGHT(FD_READ), &t);
    if (error != P1_SUCCESS)
        return error;
    t.offset = t.file->offset;
    error = move_parts(&t, t.file->file->sequential ? read_stream : read_at);
    if (error == P1_AGAIN)
        return p1_wait_or_again(call, t.file, POLLIN);
    t.file->offset += t.done;
    return finish(&t, error, call->args[3].u32);
}

uint16_t p1_fd_write(struct p1_call *call)
{
    struct transfer t;
    uint16_t error = begin(call, RIGHT(FD_WRITE), &t);
    if (error != P1_SUCCESS)
        return error;
    t.offset = t.file->offset;
    t.append = t.file->flags & FDFLAG_APPEND;
    error = write_parts(&t);
    if (error == P1_AGAIN)
        return p1_wait_or_again(call, t.file, POLLOUT);
    t.file->offset += t.done;
    if (t.append && t.done && !t.file->file->sequential)
        error = end_of(t.file, &t.file->offset);
    return finish(&t, error, call->args[3].u32);
}

uint16_t p1_fd_pread(struct p1_call *call)
{
    struct transfer t;
    uint16_t error = begin(call, RIGHT(FD_READ) | RIGHT(FD_SEEK), &t);
    if (error == P1_NOTCAPABLE && t.file->file->sequential)
        return P1_SPIPE;
    if (error != P1_SUCCESS)
        return error;
    t.offset = call->args[3].u64;
    return finish(&t, move_parts(&t, read_at), call->args[4].u32);
}

uint16_t p1_fd_pwrite(struct p1_call *call)
{
    struct transfer t;
    uint16_t error = begin(call, RIGHT(FD_WRITE) | RIGHT(FD_SEEK), &t);
    if (error == P1_NOTCAPABLE && t.file->file->sequential)
        return P1_SPIPE;
    if (error != P1_SUCCESS)
        return error;
    t.offset = call->args[3].u64;
    t.append = t.file->flags & FDFLAG_APPEND;
    return finish(&t, move_parts(&t, write_at), call->args[4].u32);
}

/* --- Offsets ------------------------------------------------------------------------------------
 */

enum { WHENCE_SET, WHENCE_CUR, WHENCE_END };

/* What to count from, or WHENCE_END + 1 if it is none. */
static uint32_t whence_of(const struct p1_call *call)
{
    /* The older module counts: current, end, start. */
    static const uint8_t older[] = {WHENCE_CUR, WHENCE_END, WHENCE_SET};
    uint32_t whence = call->args[2].u32;
    if (whence > WHENCE_END)
        return WHENCE_END + 1;
    return call->unstable ? older[whence] : whence;
}

static uint16_t seek_base(const struct p1_file *file, uint32_t whence, uint64_t *ret_base)
{
    *ret_base = 0;
    switch (whence) {
    case WHENCE_SET: return P1_SUCCESS;
    case WHENCE_CUR: *ret_base = file->offset; return P1_SUCCESS;
    case WHENCE_END: return end_of(file, ret_base);
    default: return P1_INVAL;
    }
}

uint16_t p1_fd_seek(struct p1_call *call)
{
    struct p1_file *file;
    int64_t by = (int64_t)call->args[1].u64;
    uint32_t whence = whence_of(call);
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    if (file->file->sequential)
        return P1_SPIPE;
    /* The right to tell is enough where the offset stays what it is. */
    bool tells = by == 0 && whence == WHENCE_CUR;
    if (!(file->rights & (tells ? RIGHT(FD_SEEK) | RIGHT(FD_TELL) : RIGHT(FD_SEEK))))
        return P1_NOTCAPABLE;
    uint64_t base;
    error = seek_base(file, whence, &base);
    if (error != P1_SUCCESS)
        return error;
    int64_t to;
    if (__builtin_add_overflow((int64_t)base, by, &to) || to < 0)
        return P1_INVAL;
    file->offset = (uint64_t)to;
    return p1_put_u64(call, call->args[3].u32, file->offset) ? P1_SUCCESS : P1_FAULT;
}

uint16_t p1_fd_tell(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, &file);
    if (error != P1_SUCCESS)
        return error;
    if (file->file->sequential)
        return P1_SPIPE;
    if (!(file->rights & (RIGHT(FD_SEEK) | RIGHT(FD_TELL))))
        return P1_NOTCAPABLE;
    return p1_put_u64(call, call->args[1].u32, file->offset) ? P1_SUCCESS : P1_FAULT;
}
