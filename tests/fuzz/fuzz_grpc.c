/* What containerd sends to whoever fetches a component, by HTTP/2 and gRPC: whatever comes, a call
 * ends, and what it gives away lies within what came. */
#include "shim/containerd/grpc.h"

#include "shim/containerd/message.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MOST 60000 /* what a socket takes without waiting */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *data, struct bytes message, struct err *err)
{
    const struct grpc *grpc = data;
    struct message_wrapped wrapped;
    (void)err;
    if (message.len &&
        (message.at < grpc->body.at || message.at + message.len > grpc->body.at + grpc->body.used))
        abort();
    message_get(wrapped, message, &wrapped);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    struct err err = {.offset = ERR_NOWHERE};
    size_t count = 0;
    if (size > INPUT_MOST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return 0;
    if (write(pair[1], data, size) == (ssize_t)size && shutdown(pair[1], SHUT_WR) == 0) {
        struct grpc grpc = {.fd = pair[0], .namespace = "n"};
        /* Twice: what the first leaves is the second's beginning. */
        if (grpc_call(&grpc, "/S/M", (struct bytes){0}, take, &grpc, &count, &err) == 0)
            grpc_call(&grpc, "/S/M", (struct bytes){0}, take, &grpc, &count, &err);
        grpc_close(&grpc);
    } else {
        close(pair[0]);
    }
    close(pair[1]);
    return 0;
}
