/* What a cell does once its walls stand: the engine's side of the two roles.
 *
 * The cell calls one of the role functions and ends when it returns. Until then the walls of the
 * role are final: whatever is called from here has `read`, `write` and `exit_group`, and what the
 * verdict adds. Bytes of the component, arguments and environment are untrusted; the rest comes
 * from the shim. */
#ifndef CARREL_CELL_ROLE_H
#define CARREL_CELL_ROLE_H

#include "engine/base/bytes.h"
#include "engine/cell/protocol.h"
#include <stdbool.h>
#include <stddef.h>

/* How a standard stream is written to. */
enum cell_stream {
    STREAM_WAITS, /* it may have to wait, and whoever else has it must not notice */
    STREAM_FILE,  /* a regular file: never */
    STREAM_OWN,   /* its description is non-blocking */
};

/* A right that the shim handed over. */
struct cell_grant {
    enum grant_kind kind;
    int descriptor;
    uint64_t rights; /* of enum grant_right */
    struct str name; /* of a directory: its path in the guest */
    enum cell_stream stream;
};

enum isolation {
#define ISOLATION(NAME, word, meaning) ISOLATION_##NAME,
#include "shim/protocol.def"
    ISOLATIONS
};

/* What a cell that serves was told. */
struct cell_serving {
    enum isolation isolation;
    uint32_t requests; /* at once */
    bool secure;       /* they come by TLS */
    uint64_t body;     /* bytes of a request's; UINT64_MAX: any */
    uint64_t time;     /* nanoseconds for a request; UINT64_MAX: any */
    int listener;
    int events; /* an epoll instance */
    int watch;  /* listens for who asks for numbers; or -1 */
    int log;    /* of accesses; or -1 */
    bool log_json;
    uint32_t worker;
    volatile uint64_t *counters;             /* of all workers; or NULL */
    int leave;                               /* a pipe; closed: no more requests are taken */
    const struct record_instruction *narrow; /* the filter of a request's process */
    uint32_t narrow_count;
    int free;                       /* the first descriptor behind those that were granted */
    const volatile uint32_t *ticks; /* of 2^26 ns each since CLOCK_MONOTONIC began, about */
};
#define SERVE_TICK_SHIFT 26

/* All that the cell was told and given. Lies in memory that stays mapped and unchanged. */
struct cell {
    struct bytes component; /* the whole file, read-only */
    struct str *arguments;
    size_t argument_count;
    struct str *environment; /* "NAME=VALUE" each */
    size_t environment_count;
    struct str *config; /* "NAME=VALUE" each */
    size_t config_count;
    struct str zone;           /* as engine/wasi/zone.h reads it; empty: UTC */
    struct cell_grant *grants; /* in the order of the verdict */
    size_t grant_count;
    uint32_t terminals; /* of enum terminal_stream: the caller's streams that are one */
    bool invokes;
    struct str call; /* the export to call and its arguments in WAVE, if `invokes` */
    uint8_t seed[32];
    uint64_t
        memory; /* bytes that the guest's memories may have together; UINT64_MAX: all there is */
    uint64_t stack;        /* bytes of its stack */
    uint64_t fuel;         /* UINT64_MAX: not counted */
    bool traced;           /* tells of every instruction */
    uint64_t capabilities; /* that are granted: bit n is row n of policies/capability.def */
    uint64_t rules;        /* that the filter has: bit n is row n of policies/syscall.def */
    const struct cell_serving *serving; /* of role_serve; or NULL */
    void *arena;                        /* zeroed memory for everything else, page-aligned */
    size_t arena_size;
};

/* Decodes the component and tells its demand by tell_demand, or why there is none by
 * tell_failure. */
void role_reader(struct cell *cell);

/* Decodes the component and prints what its arguments ask for (rows VIEW of shim/protocol.def) to
 * its standard output; then tells that it is done by tell_exit, or why not by tell_failure. */
void role_inspect(struct cell *cell);

/* Runs the component, and tells how it ended by tell_exit, tell_trap or tell_failure. */
void role_run(struct cell *cell);

/* Speaks TLS for others, until it is killed. Another program than the engine has it. */
void role_tls(struct cell *cell);

/* Answers HTTP requests with the component until it is to leave; then tells that by tell_exit. */
void role_serve(struct cell *cell);

/* Looks up the name that is its argument, and tells what it found by tell_resolved. */
void role_resolver(struct cell *cell);

#endif
