/* What a helper prepares for one process of a container: all that is needed to start its cell. It
 * lies in memory that resident shim and helper share at the same address, so its pointers are right
 * in both, and what the helper used to make it is gone with the helper. */
#ifndef CARREL_SHIM_CONTAINERD_PREPARED_H
#define CARREL_SHIM_CONTAINERD_PREPARED_H

#include "policies/cell_plan.h"
#include "shim/component.h"
#include "shim/containerd/group.h"
#include <limits.h>
#include <stdatomic.h>

#define PREPARED_TEXTS (2u << 20) /* bytes of arguments, environment and names */
#define ID_MAX         128        /* of a container or an exec, with its NUL */

struct prepared {
    struct err err; /* why it cannot be; kind ERR_NONE if it can */
    bool sandbox;
    int oom_score; /* INT_MIN: not said */
    char group[GROUP_PATH];
    atomic_bool grouped; /* `group` is whole, and may be there: who removes it waits for that */
    const char *options; /* of the runtime, as text; NULL: none */
    char network[256];   /* the path of its network namespace; "" none */
    bool own_network;    /* a new, empty one */
    char hostname[65];
    char engine[PATH_MAX];
    struct host host;
    struct component component; /* the helper's descriptor is sent, not told */
    uint8_t seed[32];
    struct policy policy;
    struct text_list arguments;
    const char *invoke;
    bool serves; /* it answers requests, as `serve` says */
    struct cell_serve serve;
    struct net_address serve_at;
    char serve_text[NET_TEXT_MAX];
    struct cell_plan reader; /* whose cell is launched as that of the plan is, most likely */
    struct cell_plan plan;   /* neither is of a sandbox */
    size_t used;
    _Alignas(16) char texts[PREPARED_TEXTS];
};

/* Memory in prepared->texts, aligned; NULL if that is full. */
void *prepared_keep(struct prepared *prepared, const void *bytes, size_t size);

/* The same for a C string. */
const char *prepared_text(struct prepared *prepared, const char *text);

#endif
