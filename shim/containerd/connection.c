/* Connections; see connection.h. Nobody is waited for: one that does not read its answers is closed
 * when they are too many. */
#include "shim/containerd/connection.h"

#include "shim/cleanup.h"
#include <errno.h>
#include <sys/socket.h>

#define READ_AT_ONCE 4096
#define OUT_MOST     (1u << 20)

void connections_start(struct connections *connections, int listener)
{
    *connections = (struct connections){.listener = listener};
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        connections->at[i].fd = -1;
}

static void hang_up(struct connection *connection)
{
    close(take_fd(&connection->fd));
    buffer_free(&connection->in);
    buffer_free(&connection->out);
}

void connections_wait(struct connections *connections, struct polls *polls)
{
    bool room = false;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &connections->at[i];
        if (connection->fd >= 0 && connection->broken)
            hang_up(connection);
        short events = (short)(POLLIN | (connection->out.used ? POLLOUT : 0));
        room = room || connection->fd < 0;
        if (connection->fd >= 0)
            connection->place = polls_add(polls, (struct pollfd){connection->fd, events, 0});
    }
    connections->place =
        polls_add(polls, (struct pollfd){room ? connections->listener : -1, POLLIN, 0});
}

static void welcome(struct connections *connections)
{
    int fd = accept4(connections->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &connections->at[i];
        if (connection->fd >= 0)
            continue;
        *connection = (struct connection){.fd = fd, .serial = ++connections->serial};
        return;
    }
    close(fd);
}

bool connections_there(const struct connections *connections, struct call call)
{
    const struct connection *connection = &connections->at[call.slot];
    return connection->fd >= 0 && !connection->broken && connection->serial == call.serial;
}

static struct connection *find(struct connections *connections, struct call call)
{
    return connections_there(connections, call) ? &connections->at[call.slot] : NULL;
}

/* Writes an answer into the connection's buffer, and sends what can be sent. Closes nothing: who
 * calls this may still read the request. */
static void answer(struct connections *connections, struct call call, enum ttrpc_code code,
                   const char *text, struct bytes payload)
{
    struct connection *connection = find(connections, call);
    size_t most = TTRPC_HEAD + 1100 + payload.len + 16;
    if (!connection)
        return;
    struct buffer *out = &connection->out;
    connection->broken = out->used > OUT_MOST || !buffer_room(out, most);
    if (connection->broken)
        return;
    struct writer writer = {out->at + out->used, most, 0};
    ttrpc_answer(&writer, call.stream, code, text, payload);
    out->used += written(&writer).len;
    connection->broken = !buffer_send(out, connection->fd);
}

void connections_answer(struct connections *connections, struct call call, struct bytes payload)
{
    answer(connections, call, CODE_OK, "", payload);
}

void connections_refuse(struct connections *connections, struct call call, enum ttrpc_code code,
                        const char *text)
{
    answer(connections, call, code, text, (struct bytes){0});
}

/* One frame. Streams of clients are odd. What is no request is not for a server. */
static void take_frame(struct connections *connections, struct call call, const struct frame *frame,
                       struct bytes body, connections_handler *handle, void *data)
{
    struct message_request request;
    if (frame->type != TTRPC_REQUEST)
        return;
    if (frame->stream % 2 == 0)
        connections_refuse(connections, call, CODE_INVALID, "the number of the stream is not odd");
    else if (!message_get(request, body, &request))
        connections_refuse(connections, call, CODE_INVALID, "the request is no protocol buffer");
    else
        handle(data, call, &request);
}

/* All frames that are whole. The handler may answer, and so hang up. */
static void take_frames(struct connections *connections, uint32_t slot, connections_handler *handle,
                        void *data)
{
    struct connection *connection = &connections->at[slot];
    const struct call call = {slot, connection->serial, 0};
    size_t done = 0;
    while (!connection->broken) {
        const struct bytes rest = {connection->in.at + done, connection->in.used - done};
        struct frame frame;
        struct bytes body;
        enum frame_found found = frame_find(rest, &frame, &body);
        if (found == FRAME_TOO_LARGE) {
            connection->broken = true;
            return;
        }
        if (found == FRAME_PART) {
            buffer_drop(&connection->in, done);
            return;
        }
        done += TTRPC_HEAD + body.len;
        take_frame(connections, (struct call){call.slot, call.serial, frame.stream}, &frame, body,
                   handle, data);
    }
}

void connections_act(struct connections *connections, const struct polls *polls,
                     connections_handler *handle, void *data)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &connections->at[i];
        int events = connection->fd >= 0 ? polls_events(polls, connection->place) : 0;
        if (events & POLLOUT && !buffer_send(&connection->out, connection->fd))
            connection->broken = true;
        if (connection->broken || !(events & (POLLIN | POLLHUP | POLLERR)))
            continue;
        ssize_t size = buffer_read(&connection->in, connection->fd, READ_AT_ONCE);
        if (size > 0)
            take_frames(connections, i, handle, data);
        else if (size == 0 || (errno != EAGAIN && errno != EINTR))
            connection->broken = true;
    }
    if (polls_events(polls, connections->place) & POLLIN)
        welcome(connections);
}

void connections_rest(struct connections *connections)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        buffer_rest(&connections->at[i].in);
        buffer_rest(&connections->at[i].out);
    }
}

bool connections_pending(const struct connections *connections)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (connections->at[i].fd >= 0 && connections->at[i].out.used > 0)
            return true;
    }
    return false;
}
