/* The task service of a shim: what containerd calls. */
#ifndef CARREL_SHIM_CONTAINERD_SERVICE_H
#define CARREL_SHIM_CONTAINERD_SERVICE_H

#include "shim/containerd/task.h"

struct service {
    struct tasks tasks;
    struct connections connections;
    struct events events;
    struct polls polls;
    char namespace[80];
    const char *containerd; /* the address of its own socket; NULL: there is none */
    bool
        once; /* it ends with the process of its first container, whose exit status is then known */
    int exit_status;
    bool closing; /* it was told to shut down */
    uint64_t until;
};

/* Serves on `listener` until it is told to shut down, or `idle` nanoseconds have passed without a
 * container (UINT64_MAX: never). */
void service_run(struct service *service, int listener, const char *namespace, const char *events,
                 uint64_t idle);

/* Handles one request; for tests and fuzzers, too. `data` is a struct service. */
void service_handle(void *data, struct call call, const struct message_request *request);

#endif
