/* wasi:sockets/network and instance-network. There is one network; what of it may be used is the
 * policy's business, so the handle carries nothing. */
#include "engine/wasi/errors.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

typedef HOST_OPTION(uint8_t) option_net_error;

struct network {
    bool here;
};

enum host_answer wasi_instance_network(struct host_call *call, const void *args, void *result)
{
    struct network **network = result;
    (void)args;
    *network = wasi_resource(call->host, sizeof **network);
    return *network ? HOST_DONE : wasi_no_memory(call);
}

bool wasi_drop_network(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    wasi_resource_end(host, representation);
    return true;
}

enum host_answer wasi_network_error_code(struct host_call *call, const void *args, void *result)
{
    const struct io_error *const *error = args;
    option_net_error *code = result;
    (void)call;
    code->some = (*error)->network;
    code->of = net_error_of((*error)->error);
    return HOST_DONE;
}
