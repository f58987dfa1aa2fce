/* The sockets of preview 1, which has a call to take a connection and none to make one. A module
 * gets listening sockets as it gets directories, as numbers that are open when it starts
 * (policies/cell_plan.c); the connections that it takes from them are streams.
 *
 * Standard streams are none of these: what the cell holds of them is a pipe or a file, whatever the
 * caller has at its other end. */
#include "engine/wasi/p1_call.h"

#include <errno.h>

enum { RIFLAG_PEEK = 1 << 0, RIFLAG_WAITALL = 1 << 1 };
enum { SDFLAG_RECEIVE = 1 << 0, SDFLAG_SEND = 1 << 1 };

static const uint64_t connection_rights = RIGHT(FD_READ) | RIGHT(FD_WRITE) |
                                          RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_FILESTAT_GET) |
                                          RIGHT(POLL_FD_READWRITE) | RIGHT(SOCK_SHUTDOWN);

uint16_t p1_add_listener(struct p1 *p1, struct descriptor *listener)
{
    uint32_t fd;
    struct p1_file file = {.file = listener,
                           .rights = RIGHT(SOCK_ACCEPT) | RIGHT(POLL_FD_READWRITE) |
                                     RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_FILESTAT_GET),
                           .inheriting = connection_rights};
    return p1_file_add(p1, file, &fd);
}

/* The socket that is the first argument. BADF, NOTSOCK, or NOTCAPABLE without `rights`. */
static uint16_t socket_of(struct p1_call *call, uint64_t rights, struct p1_file **ret_file)
{
    uint16_t error = p1_file_of(call, call->args[0].u32, 0, ret_file);
    if (error != P1_SUCCESS)
        return error;
    if ((*ret_file)->file->type != TYPE_SOCKET)
        return P1_NOTSOCK;
    return rights & ~(*ret_file)->rights ? P1_NOTCAPABLE : P1_SUCCESS;
}

uint16_t p1_sock_accept(struct p1_call *call)
{
    struct p1_file *listener;
    uint32_t flags = call->args[1].u32;
    uint16_t error = socket_of(call, RIGHT(SOCK_ACCEPT), &listener);
    if (error != P1_SUCCESS && !call->wasi->network.listen)
        withheld_tell(call->wasi, ASK_ROW_p1_sock_accept, WASI_CAP_NET_TCP_LISTEN, (struct str){0});
    if (error != P1_SUCCESS)
        return error;
    if (flags & ~(uint32_t)FDFLAG_NONBLOCK)
        return P1_INVAL;
    if (!memory_at(call->memory, call->args[2].u32, sizeof(uint32_t)))
        return P1_FAULT;
    int fd = sys_accept(listener->file->fd);
    if (fd == -EAGAIN)
        return p1_wait_or_again(call, listener, POLLIN);
    if (fd < 0)
        return p1_errno_of(fd);
    struct descriptor *connection = descriptor_new(call->wasi, fd);
    if (!connection)
        return P1_MFILE;
    connection->type = TYPE_SOCKET;
    connection->sequential = true;
    connection->never_blocks = true;
    struct p1_file file = {.file = connection,
                           .rights = listener->inheriting,
                           .inheriting = listener->inheriting,
                           .flags = (uint16_t)flags};
    uint32_t number;
    error = p1_file_add(call->p1, file, &number);
    if (error == P1_SUCCESS)
        p1_put_u32(call, call->args[2].u32, number);
    return error;
}

/* --- Receiving ----------------------------------------------------------------------------------
 */

/* What WAITALL has received so far, over all its waits. */
static uint64_t *progress_of(struct p1_call *call)
{
    if (call->frame->locals)
        return call->frame->locals;
    uint64_t *done = native_locals(call->p1->vm, call->frame, sizeof *done);
    if (done)
        *done = 0;
    return done;
}

/* Reads into one part after the other, from byte `*done` of all of them on, until they are full or
 * the connection has nothing more. *done says how far it came. */
static uint16_t fill(struct p1_call *call, const struct p1_file *file, uint64_t *done)
{
    uint64_t skip = *done;
    if (call->args[2].u32 > WASI_P1_PARTS)
        return P1_INVAL;
    for (uint32_t i = 0; i < call->args[2].u32; i++) {
        uint8_t *at;
        uint32_t len;
        uint16_t error = p1_part(call, call->args[1].u32, i, &at, &len);
        if (error != P1_SUCCESS)
            return error;
        uint32_t full = skip < len ? (uint32_t)skip : len;
        skip -= full;
        while (full < len) {
            int64_t got = sys_read(file->file->fd, at + full, len - full);
            if (got <= 0)
                return got < 0 ? p1_errno_of(got) : P1_SUCCESS;
            full += (uint32_t)got;
            *done += (uint64_t)got;
        }
    }
    return P1_SUCCESS;
}

static uint16_t receive_all(struct p1_call *call, const struct p1_file *file, uint64_t *ret_done)
{
    uint64_t *done = progress_of(call);
    if (!done)
        return p1_no_memory(call);
    uint16_t error = fill(call, file, done);
    *ret_done = *done;
    if (error == P1_AGAIN && !(file->flags & FDFLAG_NONBLOCK))
        return p1_wait_or_again(call, file, POLLIN);
    return *done ? P1_SUCCESS : error;
}

/* What comes next, and stays to be received. */
static uint16_t peek(struct p1_call *call, const struct p1_file *file, uint64_t *ret_done)
{
    uint8_t *scratch = wasi_scratch(call->wasi);
    if (!scratch)
        return p1_no_memory(call);
    if (call->args[2].u32 > WASI_P1_PARTS)
        return P1_INVAL;
    int64_t got = sys_peek(file->file->fd, scratch, WASI_CHUNK);
    if (got == -EAGAIN)
        return p1_wait_or_again(call, file, POLLIN);
    uint64_t left = got > 0 ? (uint64_t)got : 0;
    for (uint32_t i = 0; got >= 0 && i < call->args[2].u32; i++) {
        uint8_t *at;
        uint32_t len;
        uint16_t error = p1_part(call, call->args[1].u32, i, &at, &len);
        if (error != P1_SUCCESS)
            return error;
        size_t some = len < left ? len : (size_t)left;
        if (some)
            memcpy(at, scratch + got - left, some);
        left -= some;
    }
    *ret_done = (uint64_t)got - left;
    return p1_errno_of(got < 0 ? got : 0);
}

/* The call as one that takes the same parts and tells its number at argument 3. */
static uint16_t as_stream(struct p1_call *call, p1_fn *fn, union slot result)
{
    const union slot args[] = {call->args[0], call->args[1], call->args[2], result};
    struct p1_call other = *call;
    other.args = args;
    return fn(&other);
}

uint16_t p1_sock_recv(struct p1_call *call)
{
    struct p1_file *file;
    uint32_t flags = call->args[3].u32;
    uint16_t error = socket_of(call, RIGHT(FD_READ), &file);
    uint64_t done = 0;
    if (error != P1_SUCCESS)
        return error;
    if (flags & ~(uint32_t)(RIFLAG_PEEK | RIFLAG_WAITALL))
        return P1_INVAL;
    const uint16_t none = 0; /* only a datagram is ever cut */
    if (!memory_at(call->memory, call->args[4].u32, sizeof(uint32_t)) ||
        !p1_put(call, call->args[5].u32, &none, sizeof none))
        return P1_FAULT;
    if (!flags)
        return as_stream(call, p1_fd_read, call->args[4]);
    error = flags & RIFLAG_PEEK ? peek(call, file, &done) : receive_all(call, file, &done);
    if (error == P1_SUCCESS)
        p1_put_u32(call, call->args[4].u32, (uint32_t)done);
    return error;
}

/* --- Sending, and the end -----------------------------------------------------------------------
 */

uint16_t p1_sock_send(struct p1_call *call)
{
    struct p1_file *file;
    uint16_t error = socket_of(call, RIGHT(FD_WRITE), &file);
    if (error != P1_SUCCESS)
        return error;
    return call->args[3].u32 ? P1_INVAL : as_stream(call, p1_fd_write, call->args[4]);
}

uint16_t p1_sock_shutdown(struct p1_call *call)
{
    static const int hows[] = {[SDFLAG_RECEIVE] = SHUT_RD,
                               [SDFLAG_SEND] = SHUT_WR,
                               [SDFLAG_RECEIVE | SDFLAG_SEND] = SHUT_RDWR};
    struct p1_file *file;
    uint32_t how = call->args[1].u32;
    uint16_t error = socket_of(call, RIGHT(SOCK_SHUTDOWN), &file);
    if (error != P1_SUCCESS)
        return error;
    if (!how || how >= countof(hows))
        return P1_INVAL;
    return p1_errno_of(sys_shutdown(file->file->fd, hows[how]));
}
