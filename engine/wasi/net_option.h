/* The options of sockets as WIT has them, for TCP and UDP. Whatever is not 0 is taken, and brought
 * into the kernel's bounds and units. */
#ifndef CARREL_WASI_NET_OPTION_H
#define CARREL_WASI_NET_OPTION_H

#include "engine/wasi/net_socket.h"

typedef HOST_RESULT(uint8_t, uint8_t) u8_result;
typedef HOST_RESULT(uint64_t, uint8_t) u64_result;

struct u8_args {
    struct net_socket *self;
    uint8_t value;
};

struct u64_args {
    struct net_socket *self;
    uint64_t value;
};

/* Gets the option of the socket that is the first of `args`; on failure `tag` and `err` say so. */
bool net_option_get(struct host_call *call, const void *args, enum ask_row row,
                    enum ask_option option, int32_t *ret, uint8_t *tag, uint8_t *err);

/* Sets it to `value`, or to `most` if that is less; 0 is invalid-argument. */
enum host_answer net_option_set(struct host_call *call, struct net_socket *self, enum ask_row row,
                                enum ask_option option, uint64_t value, uint64_t most,
                                struct unit_or_net_error *result);

/* Sizes of buffers, in bytes: a function of struct u64_args. */
enum host_answer net_option_get_size(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, u64_result *result);
enum host_answer net_option_set_size(struct host_call *call, const void *args, enum ask_row row,
                                     enum ask_option option, struct unit_or_net_error *result);

/* Hop limits: a function of struct u8_args. */
enum host_answer net_option_get_hops(struct host_call *call, const void *args, enum ask_row row,
                                     u8_result *result);
enum host_answer net_option_set_hops(struct host_call *call, const void *args, enum ask_row row,
                                     struct unit_or_net_error *result);

#endif
