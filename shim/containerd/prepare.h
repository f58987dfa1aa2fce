/* Preparing a process of a container, in a helper: a fork of the shim that reads the specification,
 * mounts the root file system in a mount namespace of its own, copies the component, asks a reader
 * in a cell for its demand, and derives the plan of its cell. Then it is gone, and the mounts and
 * all memory that this took with it. */
#ifndef CARREL_SHIM_CONTAINERD_PREPARE_H
#define CARREL_SHIM_CONTAINERD_PREPARE_H

#include "shim/containerd/artifact.h"
#include "shim/containerd/prepared.h"
#include "shim/containerd/streams.h"
#include <sys/types.h>

/* What is asked of a helper; all of it is used only while it is started. */
struct preparing {
    const char *bundle;
    struct bytes rootfs;               /* the mounts of a create_request */
    struct bytes options;              /* of the runtime: the `any` of a create_request */
    struct bytes process;              /* of an exec: its process, as JSON; else empty */
    const char *kept_options;          /* of an exec: the container's, as text; NULL: none */
    const struct component *component; /* of an exec: the container's */
    struct artifact_place image;       /* where that of the container may be fetched */
    const struct streams *streams;
    const struct shim *shim; /* whose cells may share namespaces */
    int listener;            /* the shim's, which the helper does not keep open */
};

/* Starts a helper that fills in `room`, which is shared, and tells so on *ret_socket. It has to be
 * reaped: its process id is *ret_pid. Errors: FAULT. */
int prepare_start(struct prepared *room, const struct preparing *what, int *ret_socket,
                  pid_t *ret_pid, struct err *err);

enum prepare_state {
    PREPARE_WAITS,  /* nothing has come */
    PREPARE_LAUNCH, /* room->reader is made: a cell may be launched by it meanwhile */
    PREPARE_DONE,   /* `room` is filled in, or room->err says why it cannot be */
};

/* Ends a helper before it is done: it is reaped, and its socket is the caller's still. */
void prepare_stop(pid_t pid);

/* What has come on the socket. */
enum prepare_state prepare_finish(struct prepared *room, int socket);

/* Memory for a `struct prepared`, or something that holds one, which helpers share; NULL if there
 * is none. Untouched pages of it cost nothing. */
void *prepare_room(size_t size);

/* Gives the plans of a process that runs back: nothing looks at them any more. */
void prepare_release(struct prepared *room);

/* What is done apart: it fills in `ret`, of ID_MAX bytes, and *err if it fails. */
typedef int prepare_work(const void *data, char *ret, struct err *err);

/* Does `work` in a process of its own, for which is waited: what the allocator keeps of its memory
 * (of JSON, above all) goes with it. `ret` (ID_MAX bytes; NULL: nothing is asked) is what it filled
 * in. Errors: those of the work; FAULT. */
int prepare_apart(prepare_work *work, const void *data, char *ret, struct err *err);

/* Sets the limits of a group as an Update asks for it, apart. `resources` is JSON. Errors:
 * USAGE, FAULT. */
int prepare_limits(const char *group, struct bytes resources, struct err *err);

#endif
