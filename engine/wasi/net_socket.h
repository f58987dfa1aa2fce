/* What sockets of TCP and UDP have in common: an object that the guest holds, of which the shim or
 * the cell has the descriptor.
 *
 * As long as a socket could still become anything it is the shim's (`number`); once it listens, is
 * connected or on its way, or is to receive datagrams, the cell has it (`file`). Where the policy
 * gives nothing of its protocol it is neither: an object that says access-denied to everything. */
#ifndef CARREL_WASI_NET_SOCKET_H
#define CARREL_WASI_NET_SOCKET_H

#include "engine/wasi/ask.h"
#include "engine/wasi/descriptor.h"
#include "engine/wasi/errors.h"
#include "engine/wasi/types.h"

#include <errno.h>

/* The negated errno of invalid-state. */
#define WRONG_STATE (-ENOTCONN)

enum socket_state {
    SOCKET_UNBOUND,
    SOCKET_BINDING, /* bind-in-progress */
    SOCKET_BOUND,
    SOCKET_LISTENS_SOON, /* listen-in-progress */
    SOCKET_LISTENING,
    SOCKET_CONNECTING, /* connect-in-progress */
    SOCKET_CONNECTED,  /* of UDP: streaming to one peer */
    SOCKET_CLOSED,
};

struct output_stream;

/* The guest's handle, each pollable, and the streams of a UDP socket hold a reference. */
struct net_socket {
    struct wasi_held held; /* its number */
    uint32_t refs;
    uint8_t protocol;        /* ASK_TCP, ASK_UDP */
    uint8_t family;          /* ADDRESS_IPV4, ADDRESS_IPV6 */
    uint8_t state;           /* enum socket_state */
    uint32_t number;         /* at the shim, or ASK_NO_SOCKET */
    struct descriptor *file; /* or NULL */
    uint32_t backlog;
    uint32_t association;        /* of UDP: how often it was streamed; older streams are dead */
    struct wasi_address local;   /* while it is the shim's */
    struct wasi_address remote;  /* of UDP, while it is streaming to one peer */
    struct output_stream *out;   /* of TCP: its output, for the end; a reference. Or NULL */
    int32_t values[ASK_OPTIONS]; /* while it is the shim's */
};

/* result<_, error-code> and such. */
struct unit_or_net_error {
    uint8_t tag;
    uint8_t err;
};
typedef HOST_RESULT(void *, uint8_t) net_handle_result;

/* The answer of a function without result, from 0 or a negated errno. */
enum host_answer net_answer(int64_t error, struct unit_or_net_error *result);

/* A new one, from the shim if its protocol is granted. NULL and a negated errno. */
struct net_socket *net_socket_new(struct wasi *wasi, uint32_t protocol, uint8_t family,
                                  int *ret_error);

/* One whose descriptor the cell has. NULL as wasi_resource; the descriptor is then closed. */
struct net_socket *net_socket_of_descriptor(struct wasi *wasi, const struct net_socket *listener,
                                            int fd);

void net_socket_release(struct wasi *wasi, struct net_socket *socket);

/* The shim handed the socket over. 0 or -ENOMEM. */
int net_socket_take(struct wasi *wasi, struct net_socket *socket, int fd);

/* What happens to it next that somebody may wait for: POLLIN, POLLOUT; 0 if nothing. */
short net_socket_events(const struct net_socket *socket);

/* What the policy gives nothing of. */
static inline bool net_socket_inert(const struct net_socket *socket)
{
    return !socket->file && socket->number == ASK_NO_SOCKET && socket->state != SOCKET_CLOSED;
}

/* Binds: 0, and it is SOCKET_BINDING, or a negated errno. `row` is who asks. */
int net_socket_bind(struct wasi *wasi, struct net_socket *socket, enum ask_row row,
                    const struct wasi_address *address);

/* Where it is, or a negated errno. */
int net_socket_local(struct net_socket *socket, struct wasi_address *ret);

/* Options in the kernel's units. 0 or a negated errno. */
int net_socket_get(struct wasi *wasi, const struct net_socket *socket, enum ask_row row,
                   enum ask_option option, int32_t *ret);
int net_socket_set(struct wasi *wasi, struct net_socket *socket, enum ask_row row,
                   enum ask_option option, int32_t value);

/* --- Calls of the guest's that TCP and UDP have alike -------------------------------------------
 * `args` and `result` are those of the host function.
 */

/* start-bind, and start-connect */
struct net_address_args {
    struct net_socket *self;
    void *network;
    struct ip_socket_address address;
};

/* There is nothing to finish. No errno stands for it, so it is said by its code. */
enum host_answer net_not_in_progress(uint8_t *tag, uint8_t *err);

/* An address, or the negated errno in its place. */
enum host_answer net_address_answer(int error, const struct wasi_address *address, void *result);

enum host_answer net_call_create(struct host_call *call, uint32_t protocol, const void *args,
                                 void *result);
enum host_answer net_call_start_bind(struct host_call *call, enum ask_row row, const void *args,
                                     void *result);
enum host_answer net_call_finish_bind(const void *args, void *result);
enum host_answer net_call_local_address(const void *args, void *result);
enum host_answer net_call_address_family(const void *args, void *result);

/* As pollable_socket. */
enum host_answer net_call_subscribe(struct host_call *call, struct net_socket *socket, short events,
                                    void *result);

#endif
