/* Options of sockets; see net_option.h. */
#include "engine/wasi/net_option.h"

#include <errno.h>

/* The kernel doubles it for its own books. */
#define BUFFER_MAX (INT32_MAX / 2)

bool net_option_get(struct host_call *call, const void *args, enum ask_row row,
                    enum ask_option option, int32_t *ret, uint8_t *tag, uint8_t *err)
{
    struct net_socket *const *self = args;
    int error = net_socket_get(call->host, *self, row, option, ret);
    if (error < 0) {
        *tag = HOST_ERR;
        *err = net_error_of(error);
    }
    return error >= 0;
}

enum host_answer net_option_set(struct host_call *call, struct net_socket *self, enum ask_row row,
                                enum ask_option option, uint64_t value, uint64_t most,
                                struct unit_or_net_error *result)
{
    if (!value)
        return net_answer(-EINVAL, result);
    int32_t number = (int32_t)(value < most ? value : most);
    return net_answer(net_socket_set(call->host, self, row, option, number), result);
}

enum host_answer net_option_get_size(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, u64_result *result)
{
    int32_t value = 0;
    if (net_option_get(call, args, row, option, &value, &result->tag, &result->err))
        result->ok = (uint64_t)value;
    return HOST_DONE;
}

enum host_answer net_option_set_size(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, struct unit_or_net_error *result)
{
    const struct u64_args *a = args;
    return net_option_set(call, a->self, row, option, a->value, BUFFER_MAX, result);
}

enum host_answer net_option_get_hops(struct host_call *call, const void *args, enum ask_row row,
                                     u8_result *result)
{
    int32_t value = 0;
    if (net_option_get(call, args, row, ASK_OPTION_HOP_LIMIT, &value, &result->tag, &result->err))
        result->ok = (uint8_t)value;
    return HOST_DONE;
}

enum host_answer net_option_set_hops(struct host_call *call, const void *args, enum ask_row row,
                                     struct unit_or_net_error *result)
{
    const struct u8_args *a = args;
    return net_option_set(call, a->self, row, ASK_OPTION_HOP_LIMIT, a->value, UINT8_MAX, result);
}
