/* The containers of a shim, and the processes of each: the one that it was created with, and those
 * of execs. One process is one cell, or the process of a pod. */
#ifndef CARREL_SHIM_CONTAINERD_TASK_H
#define CARREL_SHIM_CONTAINERD_TASK_H

#include "shim/cell.h"
#include "shim/containerd/connection.h"
#include "shim/containerd/events.h"
#include "shim/containerd/prepared.h"
#include "shim/containerd/streams.h"
#include "shim/lookup.h"
#include "shim/serving.h"
#include "shim/tls.h"
#include <time.h>

#define CONTAINERS_MAX 128 /* of one shim */
#define PROCESSES_MAX  256
#define PARKED_MAX     512 /* calls that wait */
#define BUNDLE_MAX     1024
#define HELPERS_MAX    64

/* The number that containerd.task.Status has for it, where it has one. */
enum task_status {
    TASK_PREPARING = 0,
    TASK_CREATED = 1,
    TASK_RUNNING = 2,
    TASK_STOPPED = 3,
    TASK_PAUSED = 4,
};

struct container {
    char id[ID_MAX]; /* "": the place is free */
    char bundle[BUNDLE_MAX];
    char group[GROUP_PATH];
    bool paused;
    uint64_t oom_kills; /* that were told of */
};

/* What of a process needs memory only while it lives, or is prepared. Shared with helpers. */
struct room {
    struct cell cell;
    bool looks_up; /* `lookups` and `tls` are in use */
    bool serves;   /* `serving` is */
    bool released; /* the plan is not needed any more, and gone */
    struct lookups lookups;
    struct tls tls;
    struct serving serving;
    struct prepared prepared;
};

struct process {
    struct container *container; /* NULL: the place is free */
    char exec[ID_MAX];           /* "": the container's own */
    enum task_status status;
    int pid;
    int signal;      /* that it was told to end by; 0: none */
    int exit_status; /* once it is stopped */
    struct timespec exited_at;
    bool untold; /* it has ended, which is told once its output was read or `patience` is used up */
    uint64_t patience, looked; /* nanoseconds; when they were last counted */
    int helper;                /* the socket of who prepares it; -1 */
    pid_t helper_pid;
    int pidfd;  /* of a pod's process; -1 */
    int memory; /* the component; -1 */
    struct component component;
    struct room *room; /* NULL once it is stopped */
    struct streams streams;
    bool waited; /* `places` are of this time round the loop */
    size_t places[10];
};

/* A call that waits for a process. */
struct parked {
    struct process *process; /* NULL: the place is free */
    bool exit;               /* for its end; else for its preparation */
    uint64_t until;          /* when its caller waits no more (cell_now); UINT64_MAX: it does */
    struct call call;
};

struct tasks {
    struct shim shim;
    const char *namespace;
    struct connections *connections;
    struct events *events;
    bool carried; /* an exec ends with whoever waits for its end */
    struct network_place {
        bool decided;
        uint64_t device, node; /* of the namespace that sockets are made in */
    } network;
    struct container containers[CONTAINERS_MAX];
    struct process *processes[PROCESSES_MAX];
    struct parked parked[PARKED_MAX];
    pid_t helpers[HELPERS_MAX]; /* that have done their work, and are not reaped yet; 0 */
};

void tasks_start(struct tasks *tasks, const char *namespace, struct connections *connections,
                 struct events *events);

/* By their names; NULL if there is none. */
struct container *tasks_container(struct tasks *tasks, struct bytes id);
struct process *tasks_process(struct tasks *tasks, struct bytes id, struct bytes exec);
bool tasks_empty(const struct tasks *tasks);

/* Whether the process that a container was created with has ended, and all that it wrote is where
 * it belongs. */
bool tasks_ended(struct tasks *tasks, int *ret_exit_status);

/* New ones, still without anything; NULL if there are too many. */
struct container *tasks_add(struct tasks *tasks);
struct process *tasks_add_process(struct tasks *tasks, struct container *container);

/* Answers `call` when the process has ended, or (not `exit`) is prepared; or at `until`, that it
 * took too long: what is not prepared by then is dropped. False if too many wait. */
bool tasks_park(struct tasks *tasks, struct process *process, bool exit, struct call call,
                uint64_t until);

/* Whether helpers are still to be reaped: the loop looks after them, and has no rest. */
bool tasks_helped(const struct tasks *tasks);

/* Ends the execs whose ends nobody waits for any more, though somebody did, where their callers
 * carry them. */
void tasks_drop_deserted(struct tasks *tasks);

/* Begins what was created. Errors: those of cell_order. */
int process_start(struct tasks *tasks, struct process *process, struct err *err);

/* Ends it, and remembers that `signal` was the cause; a stop or a continuation are just sent. One
 * that serves takes no more requests, and has its time to end with those that it has; a second
 * signal, or SIGKILL, ends it at once. */
void process_kill(struct process *process, int signal);

/* Ends and frees it, or a container without processes. Of a container's own process that is still
 * prepared, process_cancel ends the preparation, and frees the container as well. */
void process_cancel(struct tasks *tasks, struct process *process);
void process_drop(struct tasks *tasks, struct process *process);
void container_drop(struct tasks *tasks, struct container *container);

/* containerd's status of it. */
enum task_status process_status(const struct process *process);

void tasks_wait(struct tasks *tasks, struct polls *polls);
void tasks_act(struct tasks *tasks, const struct polls *polls);

/* seconds and nanoseconds of `at` as a message. */
struct bytes time_bytes(const struct timespec *at, uint8_t space[32]);

#endif
