/* What the array of operations depends on besides demand and policy: facts about the host and the
 * caller, collected by the shim (shim/host.c) and handed in, so that policies stay pure functions.
 */
#ifndef CARREL_POLICIES_HOST_H
#define CARREL_POLICIES_HOST_H

#include "policies/cgroup.h"
#include <stdbool.h>
#include <stdint.h>

/* What a standard stream of the caller is. */
enum host_stream {
    HOST_CLOSED,    /* not open, not for that direction, or a directory: the guest gets /dev/null */
    HOST_TERMINAL,  /* never passed into a cell: the shim pumps it */
    HOST_BOTH,      /* open for reading and writing, but a stream goes one way: the shim pumps it */
    HOST_FILE,      /* a file, pipe, socket or device that may be passed */
    HOST_UNBLOCKED, /* the same, but who has no room or nothing yet is not made to wait
                       (O_NONBLOCK): the shim pumps it for cells that cannot ask when to go on */
};

struct host_cgroups {
    /* The directory of version 2 below which the shim may make groups and clone cells into them,
     * absolute; "" if there is none, or if no limit could be set there. */
    char unified[256];
    /* For each controller the same of its version 1 hierarchy; "" if it has none. */
    char version1[CGROUP_CONTROLLERS][256];
    bool in_unified[CGROUP_CONTROLLERS]; /* limits may be set in groups below `unified` */
};

/* The host user ids of cells under root: this and the cell's process id, which is below 2^22. No
 * distribution gives these ids to anybody. */
#define HOST_ID_FIRST 1879048192u

enum { HOST_JOINS = 8 };

/* Namespaces that the cells of one shim may share, because nothing is ever in them. */
enum host_space { HOST_SPACE_MOUNT, HOST_SPACE_NET, HOST_SPACE_IPC, HOST_SPACES };

struct host {
    bool root;          /* effective uid 0 in the initial user namespace, with the capabilities */
    uint32_t uid, gid;  /* effective */
    int landlock;       /* ABI; 0: none */
    uint32_t last_cap;  /* the highest capability that the kernel knows */
    uint64_t processor; /* seconds that the caller lets a process use; 0: as many as it likes */
    uint64_t arena;     /* bytes that the engine reserves at its start */
    const char *engine; /* path of the engine */
    const char *tls;    /* and of the program that speaks TLS, or NULL */
    enum host_stream streams[3];
    const char *joins[HOST_JOINS]; /* the files of groups that cells are to enter: see JOIN */
    unsigned join_count;
    bool shares;             /* there are such namespaces: */
    int spaces[HOST_SPACES]; /* descriptors of the shim's, none of them the cell's socket */
    bool ahead;              /* a process of the shim's makes a net namespace for the next cell: */
    int maker;               /* its pidfd, not the cell's socket either */
    bool bounded; /* the operator bounds a cell's memory or processors: places for control groups
                     were sought */
    struct host_cgroups cgroups; /* all empty unless they were sought */
};

#endif
