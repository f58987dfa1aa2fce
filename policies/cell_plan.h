/* The array of operations of one cell, whole: what the launcher carries out and `--explain` prints.
 */
#ifndef CARREL_POLICIES_CELL_PLAN_H
#define CARREL_POLICIES_CELL_PLAN_H

#include "policies/derive.h"
#include "policies/host.h"
#include "policies/operation.h"
#include "policies/seccomp.h"

enum cell_role { CELL_READER, CELL_RUN, CELL_INSPECT, CELL_RESOLVER, CELL_TLS };

/* How many requests a cell answers at once, at most: each may need a stack and an instance. */
#define CELL_REQUESTS_MOST 4096

/* What a cell needs to serve. */
struct cell_serve {
    const char *address;  /* where `listener` listens */
    int listener;         /* descriptors of the shim's, as the next two */
    int leave;            /* a pipe's end for reading */
    int ticks;            /* a file in memory that only the shim writes */
    int watch;            /* a socket that listens for who asks for numbers; or -1 */
    const char *watch_at; /* where */
    int counters;         /* a file in memory, shared by workers; or -1 */
    int log;              /* of accesses; or -1 */
    const char *log_path;
    bool log_json;
    uint64_t worker;       /* which of those that serve beside each other */
    const char *isolation; /* a word of the ISOLATION rows */
    bool secure;           /* requests come by TLS */
    uint64_t requests;     /* at once */
    uint64_t time;         /* nanoseconds for each */
    uint64_t body;         /* bytes */
};

/* Is this word of the ISOLATION rows that of a process for each request? */
bool cell_isolates_by_process(const char *isolation);

/* Everything that the array follows from. Pointers must live as long as the array. */
struct cell_request {
    enum cell_role role;
    const struct host *host;
    const struct policy *policy;
    const struct verdict *verdict;  /* of CELL_RUN only */
    uint64_t component_size;        /* bytes */
    const uint8_t *digest;          /* 32 bytes, of the component */
    const uint8_t *seed;            /* 32 bytes that no other cell gets; not of readers */
    struct text_list arguments;     /* of CELL_RUN; the views of CELL_INSPECT; how CELL_READER
                                       is to read (READING of shim/protocol.def) */
    const struct cell_serve *serve; /* of CELL_RUN only: it serves; or NULL */
    const char *invoke;             /* of CELL_RUN only: WAVE, or NULL: run the program */
    const struct net_address *nameservers; /* of CELL_RESOLVER, as its argument, the name */
    size_t nameserver_count;
    const char *trust;       /* of CELL_TLS: a file of certificates; or NULL */
    const char *certificate; /* of CELL_TLS: the server's; or NULL */
    const char *key;         /* its key */
    bool by_stream;          /* of CELL_RESOLVER: they are asked by TCP */
    bool witnessed;          /* every system call is told to the shim */
};

/* The array and what it points to. Must not be moved once it is made. */
struct cell_plan {
    struct filter narrow;             /* of the processes that a server makes for requests */
    const char *given_up[RULE_COUNT]; /* the system calls that it takes away */
    char keeper[4096];                /* the path of the program that keeps stores */
    /* From here on every start writes: on few pages. */
    wall_set missing;   /* wanted, and this host has no place for them: nothing in the plan tries */
    const char *lacks;  /* why the cgroup is one of them, a static text; or NULL */
    char memory[24];    /* the cgroup's limits in digits */
    char quota[24];     /* microseconds in each period of the scheduler's */
    char processor[48]; /* quota and period */
    char processes[24]; /* of them, and of the cell */
    const char *calls[RULE_COUNT]; /* the system calls of the filter */
    struct filter filter;
    struct plan plan;
};

/* Fails only if the filter cannot be built, or (USAGE) if there are more directories than a plan
 * can hold, or listening sockets to hand over that cannot be, or (WALL) if processors are bounded,
 * nothing here can, and that is not accepted. */
int cell_plan_make(const struct cell_request *request, struct cell_plan *ret, struct err *err);

/* What makes the namespaces that cells share: for shim/shared.c. Adds to *ret. */
void cell_plan_shared(const struct host *host, struct plan *ret);

#endif
