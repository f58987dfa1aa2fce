/* The options of tcp-socket and udp-socket (wasi:sockets), but for the backlog (tcp.c). Whatever is
 * not 0 is taken, and brought into the kernel's bounds and units; 0 is invalid-argument. */
#include "engine/wasi/net_socket.h"
#include "engine/wasi/table.h"

#include <errno.h>

/* The kernel doubles it for its own books, and tells the double. */
#define BYTES_MAX (INT32_MAX / 2)

/* What the kernel takes at most (tcp(7)): more is EINVAL. */
#define SECONDS_MAX 32767
#define PROBES_MAX  127
#define HOPS_MAX    UINT8_MAX

#define NANOSECONDS UINT64_C(1000000000)

struct option {
    enum ask_row row;
    enum ask_option number;
};

/* --- Getting: the socket is the first of `args` -------------------------------------------------
 */

/* False, and `tag` and `err` say so: it failed. */
static bool get(struct host_call *call, const void *args, struct option option, int32_t *ret,
                uint8_t *tag, uint8_t *err)
{
    struct net_socket *const *self = args;
    int error = net_socket_get(call->host, *self, option.row, option.number, ret);
    if (error < 0) {
        *tag = HOST_ERR;
        *err = net_error_of(error);
    }
    return error >= 0;
}

/* get_UNIT: what the kernel says, as WIT has it. */
#define GETTER(unit, type, wanted)                                                                 \
    static enum host_answer get_##unit(struct host_call *call, const void *args,                   \
                                       struct option option, void *result)                         \
    {                                                                                              \
        HOST_RESULT(type, uint8_t) *out = result;                                                  \
        int32_t value = 0;                                                                         \
        if (get(call, args, option, &value, &out->tag, &out->err))                                 \
            out->ok = wanted;                                                                      \
        return HOST_DONE;                                                                          \
    }

GETTER(flag, bool, value != 0)
GETTER(seconds, uint64_t, (uint64_t)value *NANOSECONDS)
GETTER(probes, uint32_t, (uint32_t)value)
GETTER(hops, uint8_t, (uint8_t)value)
GETTER(bytes, uint64_t, (uint64_t)value / 2)

/* --- Setting ------------------------------------------------------------------------------------
 */

struct set_args {
    struct net_socket *self;
    union {
        bool flag;
        uint8_t u8;
        uint32_t u32;
        uint64_t u64;
    };
};

/* To `value`, or to `most` if that is less. */
static enum host_answer set(struct host_call *call, const struct set_args *a, struct option option,
                            uint64_t value, int32_t most, void *result)
{
    if (!value)
        return net_answer(-EINVAL, result);
    int32_t number = value < (uint32_t)most ? (int32_t)value : most;
    return net_answer(net_socket_set(call->host, a->self, option.row, option.number, number),
                      result);
}

static enum host_answer set_flag(struct host_call *call, const void *args, struct option option,
                                 void *result)
{
    const struct set_args *a = args;
    return net_answer(net_socket_set(call->host, a->self, option.row, option.number, a->flag),
                      result);
}

/* Up to whole seconds, so that a short time does not become none. */
static enum host_answer set_seconds(struct host_call *call, const void *args, struct option option,
                                    void *result)
{
    const struct set_args *a = args;
    uint64_t seconds = a->u64 / NANOSECONDS + (a->u64 % NANOSECONDS != 0);
    return set(call, a, option, seconds, SECONDS_MAX, result);
}

static enum host_answer set_probes(struct host_call *call, const void *args, struct option option,
                                   void *result)
{
    const struct set_args *a = args;
    return set(call, a, option, a->u32, PROBES_MAX, result);
}

static enum host_answer set_hops(struct host_call *call, const void *args, struct option option,
                                 void *result)
{
    const struct set_args *a = args;
    return set(call, a, option, a->u8, HOPS_MAX, result);
}

static enum host_answer set_bytes(struct host_call *call, const void *args, struct option option,
                                  void *result)
{
    const struct set_args *a = args;
    return set(call, a, option, a->u64, BYTES_MAX, result);
}

/* --- The options --------------------------------------------------------------------------------
 */

#define OPTION(socket, name, unit, NUMBER)                                                         \
    enum host_answer wasi_##socket##_##name(struct host_call *call, const void *args,              \
                                            void *result)                                          \
    {                                                                                              \
        const struct option option = {ASK_ROW_##socket##_##name, ASK_OPTION_##NUMBER};             \
        return get_##unit(call, args, option, result);                                             \
    }                                                                                              \
    enum host_answer wasi_##socket##_set_##name(struct host_call *call, const void *args,          \
                                                void *result)                                      \
    {                                                                                              \
        const struct option option = {ASK_ROW_##socket##_set_##name, ASK_OPTION_##NUMBER};         \
        return set_##unit(call, args, option, result);                                             \
    }

/* clang-format off */
OPTION(tcp_socket, keep_alive_enabled,   flag,    KEEP_ALIVE)
OPTION(tcp_socket, keep_alive_idle_time, seconds, KEEP_IDLE)
OPTION(tcp_socket, keep_alive_interval,  seconds, KEEP_INTERVAL)
OPTION(tcp_socket, keep_alive_count,     probes,  KEEP_COUNT)
OPTION(tcp_socket, hop_limit,            hops,    HOP_LIMIT)
OPTION(tcp_socket, receive_buffer_size,  bytes,   RECEIVE_SIZE)
OPTION(tcp_socket, send_buffer_size,     bytes,   SEND_SIZE)
OPTION(udp_socket, unicast_hop_limit,    hops,    HOP_LIMIT)
OPTION(udp_socket, receive_buffer_size,  bytes,   RECEIVE_SIZE)
OPTION(udp_socket, send_buffer_size,     bytes,   SEND_SIZE)
/* clang-format on */
