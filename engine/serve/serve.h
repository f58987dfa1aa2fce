/* An HTTP server inside a cell: it accepts connections, reads requests, gives each to an instance
 * of the component, and sends what that answers. One loop for everything; nothing in it waits but
 * sys_wait. */
#ifndef CARREL_SERVE_SERVE_H
#define CARREL_SERVE_SERVE_H

#include "engine/base/deadline.h"
#include "engine/component/store.h"
#include "engine/wasi/wasi.h"

/* An instance of the component with a store and a host state of its own, at rest. */
struct serve_instance {
    struct vm *vm;
    struct wasi *wasi;
    struct cm_store *store;
    struct fiber *fiber;
    const struct cm_func *handle; /* wasi:http/incoming-handler.handle */
};

struct serve_config {
    void *memory; /* zeroed, page-aligned: for connections and what is on its way */
    size_t size;
    int listener;
    int events;                  /* an epoll instance */
    int watch;                   /* listens for who asks for numbers and health; or -1 */
    volatile uint64_t *counters; /* of all workers, one after the other; or NULL */
    size_t counters_each;        /* how many each has, at least COUNTERS (watch.h) */
    uint32_t workers;            /* that have some */
    uint32_t worker;             /* which of them this one is */
    int log;                     /* lines about requests go there; or -1 */
    bool log_json;
    int leave;                      /* readable at its end: no more requests are taken */
    const volatile uint32_t *ticks; /* CLOCK_MONOTONIC in units of 2^tick_shift ns; or NULL */
    unsigned tick_shift;
    uint32_t requests; /* at once, at most */
    bool secure;       /* they come by TLS */
    uint64_t body;     /* bytes of a request's; UINT64_MAX: any */
    uint64_t time;     /* nanoseconds for a request; UINT64_MAX: any */
    bool fresh;        /* a request gets an instance that nobody used */
    bool seeds;        /* instances have random numbers */
    uint8_t *seed;     /* RANDOM_SEED bytes; zeroed once they are used */
    /* Each request gets a process of its own, which lays this filter over what stands: struct
     * sock_filter. NULL: none does. */
    const void *narrow;
    uint32_t narrow_count;
    int free;   /* the first descriptor that the server did not start with */
    void *data; /* of the functions below */

    /* Makes instance `number`, and gives memory that is left for its image. -1 and *err: there
     * cannot be so many; of instance 0: there can be none. */
    int (*make)(void *data, uint32_t number, struct serve_instance *ret, struct bytes *ret_left,
                struct err *err);
    /* A request ended in a trap, which is in vm_trap. */
    void (*trapped)(void *data, const struct vm *vm);
};

/* The tick that comes when `deadline` (as sys_now; UINT64_MAX: there is none) is over. */
static inline uint32_t serve_tick_of(const volatile uint32_t *ticks, unsigned shift,
                                     uint64_t deadline)
{
    return deadline == UINT64_MAX ? *ticks + (UINT32_MAX >> 1) : (uint32_t)(deadline >> shift) + 1;
}

/* Serves until it is told to leave. -1 and *err if it cannot. */
int serve(const struct serve_config *config, struct err *err);

#endif
