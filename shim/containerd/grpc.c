/* gRPC; see grpc.h. Windows are opened once, wider than any component, so that no frame has to be
 * sent while an answer comes. */
#include "shim/containerd/grpc.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define PREFACE     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* RFC 9113 §3.4 */
#define HEAD        9u                                 /* bytes of a frame's head, §4.1 */
#define FRAME_MOST  16384u      /* of its body, unless more was allowed, §6.5.2 */
#define WINDOW_MOST 0x7fffffffu /* §6.9.1 */
#define WINDOW      65535u      /* the first of a connection */
#define PREFIX      5u          /* of a message: compressed?, and its size */
#define PATIENCE    10          /* seconds without a byte from containerd */
#define REQUEST     1024u       /* bytes of a request, and of its head: more than any of ours has */

enum frame_type {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_RESET = 3,
    FRAME_SETTINGS = 4,
    FRAME_PUSH = 5,
    FRAME_PING = 6,
    FRAME_AWAY = 7,
    FRAME_UPDATE = 8,
};

enum frame_flag {
    FLAG_ACK = 1,        /* of SETTINGS and PING */
    FLAG_END = 1,        /* of DATA and HEADERS: the last of the stream */
    FLAG_HEAD_WHOLE = 4, /* of HEADERS */
    FLAG_PADDED = 8,     /* of DATA */
};

/* RFC 9113 §6.5.2. */
enum setting { SETTING_TABLE = 1, SETTING_PUSH = 2, SETTING_WINDOW = 4 };

struct head {
    uint32_t size;
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
};

static int broken(const char *what, struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "containerd %s: see its log", what);
}

/* --- Writing --------------------------------------------------------------------------------- */

/* What is sent in one piece. It is as large as the largest. */
struct out {
    uint8_t at[3 * HEAD + 64 + 2 * REQUEST];
    size_t used;
};

static void put(struct out *out, const void *bytes, size_t size)
{
    memcpy(out->at + out->used, bytes, size);
    out->used += size;
}

static void put_be32(struct out *out, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    put(out, bytes, sizeof bytes);
}

static void put_head(struct out *out, const struct head *head)
{
    put_be32(out, head->size << 8 | head->type);
    put(out, &head->flags, 1);
    put_be32(out, head->stream);
}

static void put_setting(struct out *out, enum setting setting, uint32_t value)
{
    const uint8_t id[] = {0, (uint8_t)setting};
    put(out, id, sizeof id);
    put_be32(out, value);
}

/* A text of less than 127 bytes, in no code (RFC 7541 §5.2). */
static bool put_text(struct out *out, const char *text)
{
    size_t length = strlen(text);
    const uint8_t size = (uint8_t)length;
    if (length >= 127)
        return false;
    put(out, &size, 1);
    put(out, text, length);
    return true;
}

/* A field that enters no table (RFC 7541 §6.2.2). */
static bool put_field(struct out *out, const char *name, const char *value)
{
    const uint8_t literal = 0;
    put(out, &literal, 1);
    return put_text(out, name) && put_text(out, value);
}

static int send_out(const struct grpc *grpc, const struct out *out, struct err *err)
{
    for (size_t sent = 0; sent < out->used;) {
        ssize_t size = write(grpc->fd, out->at + sent, out->used - sent);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return broken("does not take a request", err);
        sent += (size_t)size;
    }
    return 0;
}

static int send_request(struct grpc *grpc, const char *method, struct bytes request,
                        struct err *err)
{
    struct out fields = {.used = 0}, out = {.used = 0};
    bool whole = put_field(&fields, ":method", "POST") && put_field(&fields, ":scheme", "http") &&
                 put_field(&fields, ":path", method) &&
                 put_field(&fields, ":authority", "localhost") &&
                 put_field(&fields, "content-type", "application/grpc") &&
                 put_field(&fields, "te", "trailers") &&
                 put_field(&fields, "containerd-namespace", grpc->namespace);
    if (!whole || request.len > REQUEST)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "a name is too long to ask containerd for: give it a shorter one");
    grpc->stream = grpc->stream ? grpc->stream + 2 : 1;
    put_head(&out,
             &(struct head){(uint32_t)fields.used, FRAME_HEADERS, FLAG_HEAD_WHOLE, grpc->stream});
    put(&out, fields.at, fields.used);
    put_head(&out,
             &(struct head){PREFIX + (uint32_t)request.len, FRAME_DATA, FLAG_END, grpc->stream});
    const uint8_t plain = 0;
    put(&out, &plain, 1);
    put_be32(&out, (uint32_t)request.len);
    if (request.len)
        put(&out, request.at, request.len);
    return send_out(grpc, &out, err);
}

/* --- Reading --------------------------------------------------------------------------------- */

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The next frame, whole: its body lies behind its head in grpc->in. */
static int read_frame(struct grpc *grpc, struct head *ret, struct err *err)
{
    for (;;) {
        const uint8_t *at = grpc->in.at;
        if (grpc->in.used >= HEAD) {
            *ret = (struct head){read_be32(at) >> 8, at[3], at[4], read_be32(at + 5) & WINDOW_MOST};
            if (ret->size > FRAME_MOST)
                return broken("sends a frame that is too large", err);
            if (grpc->in.used - HEAD >= ret->size)
                return 0;
        }
        ssize_t size = buffer_read(&grpc->in, grpc->fd, HEAD + FRAME_MOST);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return broken(size < 0 && errno == EAGAIN ? "does not answer" : "hung up", err);
    }
}

/* The bytes of a DATA frame without its padding. */
static int take_data(struct grpc *grpc, const struct head *head, struct err *err)
{
    struct bytes data = {grpc->in.at + HEAD, head->size};
    if (head->flags & FLAG_PADDED) {
        if (data.len == 0 || data.at[0] >= data.len)
            return broken("sends a frame of nothing but padding", err);
        data = (struct bytes){data.at + 1, data.len - 1 - data.at[0]};
    }
    if (data.len == 0)
        return 0;
    if (!buffer_room(&grpc->body, data.len))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "out of memory: free some");
    memcpy(grpc->body.at + grpc->body.used, data.at, data.len);
    grpc->body.used += data.len;
    return 0;
}

/* Gives whole messages away. */
static int take_messages(struct grpc *grpc, grpc_taker *take, void *data, size_t *count,
                         struct err *err)
{
    while (grpc->body.used >= PREFIX) {
        const uint8_t *at = grpc->body.at;
        uint32_t size = read_be32(at + 1);
        if (at[0] != 0 || size > GRPC_MESSAGE_MOST)
            return broken("sends a message that is compressed, or too large", err);
        if (grpc->body.used - PREFIX < size)
            return 0;
        if (take(data, (struct bytes){at + PREFIX, size}, err))
            return -1;
        ++*count;
        buffer_drop(&grpc->body, PREFIX + size);
    }
    return 0;
}

static int answer_frame(const struct grpc *grpc, const struct head *head, struct err *err)
{
    struct out out = {.used = 0};
    uint32_t size = head->type == FRAME_PING ? head->size : 0;
    if (head->flags & FLAG_ACK)
        return 0;
    if (head->type == FRAME_PING && size != 8)
        return broken("sends a ping that is none", err);
    put_head(&out, &(struct head){size, head->type, FLAG_ACK, 0});
    if (size)
        put(&out, grpc->in.at + HEAD, size);
    return send_out(grpc, &out, err);
}

/* One frame, whatever it is. *ret_end: it is the last of the answer. */
static int take_frame(struct grpc *grpc, const struct head *head, bool *ret_end, struct err *err)
{
    bool ours = head->stream == grpc->stream;
    switch (head->type) {
    case FRAME_DATA:
        *ret_end = ours && head->flags & FLAG_END;
        return ours ? take_data(grpc, head, err) : 0;
    case FRAME_HEADERS: *ret_end = ours && head->flags & FLAG_END; return 0;
    case FRAME_RESET: return ours ? broken("ended a call", err) : 0;
    case FRAME_SETTINGS:
    case FRAME_PING: return answer_frame(grpc, head, err);
    case FRAME_PUSH: return broken("sends what was not asked for", err);
    case FRAME_AWAY: return broken("is about to stop", err);
    default: return 0; /* what is not known is skipped, §4.1 */
    }
}

int grpc_call(struct grpc *grpc, const char *method, struct bytes request, grpc_taker *take,
              void *data, size_t *ret_count, struct err *err)
{
    bool end = false;
    size_t count = 0;
    if (send_request(grpc, method, request, err))
        return -1;
    while (!end) {
        struct head head = {0};
        if (read_frame(grpc, &head, err) || take_frame(grpc, &head, &end, err) ||
            take_messages(grpc, take, data, &count, err))
            return -1;
        buffer_drop(&grpc->in, HEAD + head.size);
    }
    if (grpc->body.used)
        return broken("ends in the middle of a message", err);
    *ret_count = count;
    return 0;
}

/* --- The connection -------------------------------------------------------------------------- */

static int greet(const struct grpc *grpc, struct err *err)
{
    struct out out = {.used = 0};
    put(&out, PREFACE, sizeof PREFACE - 1);
    put_head(&out, &(struct head){3 * 6, FRAME_SETTINGS, 0, 0});
    put_setting(&out, SETTING_TABLE, 0);
    put_setting(&out, SETTING_PUSH, 0);
    put_setting(&out, SETTING_WINDOW, WINDOW_MOST);
    put_head(&out, &(struct head){4, FRAME_UPDATE, 0, 0});
    put_be32(&out, WINDOW_MOST - WINDOW);
    return send_out(grpc, &out, err);
}

int grpc_connect(const char *address, const char *namespace, struct grpc *ret, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE};
    *ret = (struct grpc){.fd = -1, .namespace = namespace};
    const char *path = strncmp(address, "unix://", 7) == 0 ? address + 7 : address;
    int length = snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    ret->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (length >= (int)sizeof to.sun_path || ret->fd < 0 ||
        connect(ret->fd, (const struct sockaddr *)&to, sizeof to) ||
        setsockopt(ret->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        setsockopt(ret->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot reach containerd at %s: %s: start it, or see what -address says",
                       path, strerror(errno));
    return greet(ret, err);
}

void grpc_close(struct grpc *grpc)
{
    if (grpc->fd >= 0)
        close(take_fd(&grpc->fd));
    buffer_free(&grpc->in);
    buffer_free(&grpc->body);
}
