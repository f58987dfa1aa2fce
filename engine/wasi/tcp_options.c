/* The options of wasi:sockets/tcp.tcp-socket; see net_option.h. */
#include "engine/wasi/net_option.h"
#include "engine/wasi/table.h"

#include <errno.h>

#define NANOSECONDS UINT64_C(1000000000)

/* What the kernel takes at most (tcp(7)): more is EINVAL. */
#define SECONDS_MAX 32767
#define PROBES_MAX  127

typedef HOST_RESULT(bool, uint8_t) bool_result;
typedef HOST_RESULT(uint32_t, uint8_t) u32_result;

struct bool_args {
    struct net_socket *self;
    bool value;
};

struct u32_args {
    struct net_socket *self;
    uint32_t value;
};

/* --- Silent connections -------------------------------------------------------------------------
 */

enum host_answer wasi_tcp_socket_keep_alive_enabled(struct host_call *call, const void *args,
                                                    void *result)
{
    bool_result *out = result;
    int32_t value = 0;
    if (net_option_get(call, args, ASK_ROW_tcp_socket_keep_alive_enabled, ASK_OPTION_KEEP_ALIVE,
                       &value, &out->tag, &out->err))
        out->ok = value != 0;
    return HOST_DONE;
}

enum host_answer wasi_tcp_socket_set_keep_alive_enabled(struct host_call *call, const void *args,
                                                        void *result)
{
    const struct bool_args *a = args;
    return net_answer(net_socket_set(call->host, a->self, ASK_ROW_tcp_socket_set_keep_alive_enabled,
                                     ASK_OPTION_KEEP_ALIVE, a->value),
                      result);
}

static enum host_answer get_duration(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, void *result)
{
    u64_result *out = result;
    int32_t seconds = 0;
    if (net_option_get(call, args, row, option, &seconds, &out->tag, &out->err))
        out->ok = (uint64_t)seconds * NANOSECONDS;
    return HOST_DONE;
}

/* Up to whole seconds, so that a short time does not become none. */
static enum host_answer set_duration(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, void *result)
{
    const struct u64_args *a = args;
    uint64_t seconds = a->value / NANOSECONDS + (a->value % NANOSECONDS != 0);
    return net_option_set(call, a->self, row, option, seconds, SECONDS_MAX, result);
}

enum host_answer wasi_tcp_socket_keep_alive_idle_time(struct host_call *call, const void *args,
                                                      void *result)
{
    return get_duration(call, args, ASK_ROW_tcp_socket_keep_alive_idle_time, ASK_OPTION_KEEP_IDLE,
                        result);
}

enum host_answer wasi_tcp_socket_set_keep_alive_idle_time(struct host_call *call, const void *args,
                                                          void *result)
{
    return set_duration(call, args, ASK_ROW_tcp_socket_set_keep_alive_idle_time,
                        ASK_OPTION_KEEP_IDLE, result);
}

enum host_answer wasi_tcp_socket_keep_alive_interval(struct host_call *call, const void *args,
                                                     void *result)
{
    return get_duration(call, args, ASK_ROW_tcp_socket_keep_alive_interval,
                        ASK_OPTION_KEEP_INTERVAL, result);
}

enum host_answer wasi_tcp_socket_set_keep_alive_interval(struct host_call *call, const void *args,
                                                         void *result)
{
    return set_duration(call, args, ASK_ROW_tcp_socket_set_keep_alive_interval,
                        ASK_OPTION_KEEP_INTERVAL, result);
}

enum host_answer wasi_tcp_socket_keep_alive_count(struct host_call *call, const void *args,
                                                  void *result)
{
    u32_result *out = result;
    int32_t value = 0;
    if (net_option_get(call, args, ASK_ROW_tcp_socket_keep_alive_count, ASK_OPTION_KEEP_COUNT,
                       &value, &out->tag, &out->err))
        out->ok = (uint32_t)value;
    return HOST_DONE;
}

enum host_answer wasi_tcp_socket_set_keep_alive_count(struct host_call *call, const void *args,
                                                      void *result)
{
    const struct u32_args *a = args;
    return net_option_set(call, a->self, ASK_ROW_tcp_socket_set_keep_alive_count,
                          ASK_OPTION_KEEP_COUNT, a->value, PROBES_MAX, result);
}

/* --- Packets and buffers ------------------------------------------------------------------------
 */

enum host_answer wasi_tcp_socket_hop_limit(struct host_call *call, const void *args, void *result)
{
    return net_option_get_hops(call, args, ASK_ROW_tcp_socket_hop_limit, result);
}

enum host_answer wasi_tcp_socket_set_hop_limit(struct host_call *call, const void *args,
                                               void *result)
{
    return net_option_set_hops(call, args, ASK_ROW_tcp_socket_set_hop_limit, result);
}

enum host_answer wasi_tcp_socket_receive_buffer_size(struct host_call *call, const void *args,
                                                     void *result)
{
    return net_option_get_size(call, args, ASK_ROW_tcp_socket_receive_buffer_size,
                               ASK_OPTION_RECEIVE_SIZE, result);
}

enum host_answer wasi_tcp_socket_set_receive_buffer_size(struct host_call *call, const void *args,
                                                         void *result)
{
    return net_option_set_size(call, args, ASK_ROW_tcp_socket_set_receive_buffer_size,
                               ASK_OPTION_RECEIVE_SIZE, result);
}

enum host_answer wasi_tcp_socket_send_buffer_size(struct host_call *call, const void *args,
                                                  void *result)
{
    return net_option_get_size(call, args, ASK_ROW_tcp_socket_send_buffer_size,
                               ASK_OPTION_SEND_SIZE, result);
}

enum host_answer wasi_tcp_socket_set_send_buffer_size(struct host_call *call, const void *args,
                                                      void *result)
{
    return net_option_set_size(call, args, ASK_ROW_tcp_socket_set_send_buffer_size,
                               ASK_OPTION_SEND_SIZE, result);
}

/* --- Listening ----------------------------------------------------------------------------------
 */

/* Once it listens, only listen(2) could change it, which no filter allows. */
enum host_answer wasi_tcp_socket_set_listen_backlog_size(struct host_call *call, const void *args,
                                                         void *result)
{
    const struct u64_args *a = args;
    struct net_socket *socket = a->self;
    (void)call;
    if (!a->value)
        return net_answer(-EINVAL, result);
    switch (socket->state) {
    case SOCKET_CONNECTING:
    case SOCKET_CONNECTED:
    case SOCKET_CLOSED: return net_answer(-ENOTCONN, result);
    case SOCKET_LISTENS_SOON:
    case SOCKET_LISTENING: return net_answer(-EOPNOTSUPP, result);
    default: break;
    }
    socket->backlog = (uint32_t)(a->value < UINT32_MAX ? a->value : UINT32_MAX);
    return HOST_DONE;
}
