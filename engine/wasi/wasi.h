/* The host state of one cell: what it was granted, and what its guest made of it. It lies on the
 * heap of the store, so that it goes back with the rest when a cell is reset.
 *
 *   struct wasi_config   what the shim gave, as main hands it over; copied
 *   struct wasi          the state; the host functions of component and preview 1 get it as `host`
 */
#ifndef CARREL_WASI_WASI_H
#define CARREL_WASI_WASI_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/wasi/random.h"
#include "engine/wasi/reactor.h"

struct descriptor;
struct wasi;

enum {
#define WASI_LIMIT(name, number, what) WASI_##name = number,
#include "engine/wasi/limits.def"
};

/* --- What is granted ----------------------------------------------------------------------------
 */

enum wasi_stream_kind {
    WASI_CLOSED, /* nothing is there: reading ends at once, writing is refused */
    WASI_STREAM, /* a pipe, a socket, a device: may block */
    WASI_FILE,   /* a file: never waits */
    WASI_OWN,    /* as WASI_STREAM, but non-blocking: its description is shared with nobody */
};

struct wasi_stream {
    int fd;
    enum wasi_stream_kind kind;
};

struct wasi_directory {
    int fd;          /* of a detached mount */
    struct str name; /* in the guest */
    uint8_t grant;   /* its number */
    bool writable;   /* files in it may be written and made */
    bool mutable;    /* and its entries made, renamed and removed */
    /* The mount follows no symbolic link (MOUNT_ATTR_NOSYMFOLLOW): the kernel may then be given
     * whole paths, and the links are followed here. */
    bool no_links;
};

struct wasi_variable {
    struct str name;
    struct str value;
};

/* A store of wasi:keyvalue: a socket to whoever keeps it. */
struct wasi_store {
    struct str name;
    int fd;
    bool lost; /* the socket failed in the middle of something */
};

/* What the request that an instance answers says of its trace (http_trace.h). */
struct http_trace {
    uint8_t parent_len; /* 0: nothing */
    uint16_t state_len;
    char parent[128];
    char state[512];
};

/* What the shim was told of refusals. It bounds that for each cell: all instances of one share
 * this, and it does not lie where they are reset. */
struct wasi_refusals {
    uint32_t count;
    uint64_t all;          /* whether it was told or not */
    uint8_t withheld[128]; /* rows that were told of as withheld, as bits */
    uint32_t npaths;       /* what was told of with a path, by a hash */
    uint64_t paths[WASI_PATHS_TOLD];
};

struct wasi_config {
    struct wasi_stream streams[3]; /* standard input, output, error */
    bool terminals[3]; /* the caller's is one, and the guest may know: be it granted or not */
    const struct wasi_directory *directories;
    const int *listeners; /* descriptors of listening sockets, of preview 1 */
    const struct str *arguments;
    const struct wasi_variable *environment;
    size_t ndirectories;
    size_t nlisteners;
    size_t narguments;
    size_t nenvironment;
    const struct wasi_variable *config; /* of wasi:config */
    size_t nconfig;
    const struct wasi_store *stores;
    size_t nstores;
    struct str zone; /* as zone.h reads it; empty: UTC */
    struct str cwd;  /* empty: there is none */
    struct wasi_network {
        int shim; /* where questions go: the cell's socket; 0: there is nobody to tell */
        /* What the policy gives of the network. Without, a socket is a thing that can do nothing.
         */
        bool tcp;
        bool connect;
        bool listen;
        bool udp;
        bool names;
        bool http; /* requests may be sent */
    } network;
    struct wasi_refusals *refusals; /* the cell's, which outlives resets; NULL: none is told of */
    uint8_t seed[RANDOM_SEED];
    uint64_t withheld; /* withheld_of what is granted */
    bool clock;        /* the clocks may be read; without, time stands still and no wait is long */
    bool random;       /* random bytes may be had */
    bool may_poll;     /* PPOLL is in the filter */
    bool steady;       /* TIME_MONOTONIC is */
    bool concurrent;   /* other fibers may run while one waits, so no call may block the cell */
};

/* --- The state ----------------------------------------------------------------------------------
 */

/* Something outside of the heap that a guest holds: a descriptor, a number at the shim. Part of the
 * resource that it belongs to. */
struct wasi_held {
    struct wasi_held *before;
    struct wasi_held *after;
    void (*let_go)(struct wasi *wasi, struct wasi_held *held);
};

/* As list<tuple<string, string>> wants them. */
struct wasi {
    struct heap *heap;
    struct reactor reactor;
    struct descriptor *streams[3];
    bool terminal[3];
    struct wasi_preopen {
        struct descriptor *descriptor;
        struct str name;
    } *preopens;
    struct descriptor **listeners;
    struct str *arguments;
    struct wasi_variable *environment;
    size_t npreopens;
    size_t nlisteners;
    size_t narguments;
    size_t nenvironment;
    struct wasi_variable *config;
    size_t nconfig;
    struct wasi_store *stores;
    size_t nstores;
    struct zone_span *zone; /* see zone.h */
    size_t nzone;
    struct str cwd;
    bool clock;
    bool random;
    bool may_poll;
    bool steady;
    bool concurrent;
    bool started; /* the guest has read the steady clock: `clock_base` is its 0 */
    uint64_t clock_base;
    size_t resources;       /* made and not dropped */
    struct wasi_held *held; /* all of them; the latest first */
    struct wasi_network network;
    struct wasi_refusals *refusals;
    struct http_trace trace;
    uint64_t withheld;
    struct generators generators; /* wasi_numbers has them made */
    uint8_t *scratch;             /* WASI_CHUNK bytes for skip and splice; NULL until needed */
};

/* Copies what is granted. NULL and MEMORY if the heap is exhausted, USAGE if a text is not UTF-8.
 */
struct wasi *wasi_new(struct heap *heap, const struct wasi_config *config, struct err *err);

/* Starts all generators anew: after a reset, no run may repeat the numbers of another. */
void wasi_seed(struct wasi *wasi, const uint8_t seed[RANDOM_SEED]);

/* They, made. */
struct generators *wasi_numbers(struct wasi *wasi);

/* A zeroed block for a resource, NULL if there are WASI_RESOURCES already or the heap is exhausted;
 * and its end. */
void *wasi_resource(struct wasi *wasi, size_t size);
void wasi_resource_end(struct wasi *wasi, void *resource);

/* Enters what a resource holds, and takes it out again. */
void wasi_hold(struct wasi *wasi, struct wasi_held *held,
               void (*let_go)(struct wasi *wasi, struct wasi_held *held));
void wasi_unhold(struct wasi *wasi, struct wasi_held *held);

/* The guest is no more, and the heap will be brought back to what it was before: lets go of
 * everything outside of it that was opened since. */
void wasi_abandon(struct wasi *wasi);

/* Does the kernel say that an operation on `fd` would not wait? (True where it may not be asked.)
 */
bool wasi_ready(const struct wasi *wasi, int fd, short events);

/* The block of scratch memory; NULL if the heap is exhausted. */
uint8_t *wasi_scratch(struct wasi *wasi);

#endif
