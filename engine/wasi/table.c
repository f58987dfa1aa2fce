/* policies/wasi.def as a table of the component layer; see table.h. */
#include "engine/wasi/table.h"

#include "engine/wasi/withheld.h"

#include "engine/base/attr.h"

enum {
#define INTERFACE(id, name, version, since, gate) INTERFACE_##id,
#include "policies/wasi.def"
};

static const struct host_interface interfaces[] = {
#define INTERFACE(id, name, version, since, gate) {name, version},
#include "policies/wasi.def"
};

/* Each function with what comes around it: a refusal is told. Those that are at once a refusal and
 * a failure begin their result with its tag. */
#define AROUND_PROVIDED(id, capability_of)                                                         \
    static enum host_answer around_##id(struct host_call *call, const void *args, void *result)    \
    {                                                                                              \
        const enum wasi_capability capability = WASI_CAP_##capability_of;                          \
        enum host_answer answer = wasi_##id(call, args, result);                                   \
        if (withheld_now(call->host, capability, *(const uint8_t *)result == HOST_ERR))            \
            withheld_tell(call->host, ASK_ROW_##id, capability, (struct str){0});                  \
        return answer;                                                                             \
    }
#define AROUND_LATER(id, capability_of)
#define FN(interface, id, name, type, since, gate, capability, rules, state)                       \
    AROUND_##state(id, capability)
#include "policies/wasi.def"

#define FN_PROVIDED(id)   around_##id
#define FN_LATER(id)      NULL
#define DROP_PROVIDED(id) wasi_drop_##id
#define DROP_LATER(id)    NULL

static const struct host_item items[] = {
#define FN(interface, id, name, type, since, gate, capability, rules, state)                       \
    {INTERFACE_##interface, HOST_FUNC, name, type, NULL, FN_##state(id), NULL},
#define TYPE(interface, name, type)                                                                \
    {INTERFACE_##interface, HOST_TYPE, name, type, NULL, NULL, NULL},
#define USE(interface, name, from, there)                                                          \
    {INTERFACE_##interface, HOST_USE, name, from, there, NULL, NULL},
#define RESOURCE(interface, id, name, capability, rules, state)                                    \
    {INTERFACE_##interface, HOST_RESOURCE, name, NULL, NULL, NULL, DROP_##state(id)},
#include "policies/wasi.def"
};

/* What an async function waits for, it waits for in the reactor. */
static void forget(void *host, void *waiter)
{
    struct wasi *wasi = host;
    reactor_forget(&wasi->reactor, waiter);
}

const struct host_table wasi_table = {
    .forget = forget,
    .interfaces = interfaces,
    .items = items,
    .ninterfaces = countof(interfaces),
    .nitems = countof(items),
};
