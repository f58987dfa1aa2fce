/* policies/wasi.def as a table of the component layer; see table.h. No code. */
#include "engine/wasi/table.h"

#include "engine/base/attr.h"

enum {
#define INTERFACE(id, name, version, since, gate) INTERFACE_##id,
#include "policies/wasi.def"
};

static const struct host_interface interfaces[] = {
#define INTERFACE(id, name, version, since, gate) {name, version},
#include "policies/wasi.def"
};

#define FN_PROVIDED(id)   wasi_##id
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

const struct host_table wasi_table = {
    .interfaces = interfaces,
    .items = items,
    .ninterfaces = countof(interfaces),
    .nitems = countof(items),
};
