/* A program in the cell: the store, the host state, and the one fiber that runs it. */
#ifndef CARREL_CELL_PROGRAM_H
#define CARREL_CELL_PROGRAM_H

#include "engine/cell/ground.h"
#include "engine/component/instance.h"
#include "engine/wasi/wasi.h"

struct program {
    const struct cell *cell;
    struct ground ground;
    struct vm *vm;
    struct wasi *wasi;
    struct fiber *fiber;
    struct cm_store *store; /* of a component; NULL: there is none */
};

/* How running a function went on. */
enum ran {
    RAN_DONE,
    RAN_ENDED,  /* the guest ended itself or trapped, and the shim was told */
    RAN_FAILED, /* *err says why it could not be run */
};

/* The host state of a component: what the cell was granted. NULL and *err. */
struct wasi *host_state(const struct cell *cell, struct vm *vm, struct region *scratch,
                        struct err *err);

/* An instance of `component` linked to WASI, nothing of it run yet; *ret_store is its store.
 * `table` stays where it is as long as that. NULL and *err. */
struct cm_instance *link_component(struct vm *vm, struct wasi *wasi, struct region *scratch,
                                   const struct component *component, struct cm_types *types,
                                   struct host_table *table, struct cm_store **ret_store,
                                   struct err *err);

/* The component that the cell was given, decoded and validated; *ret_types. NULL and *err. */
const struct component *decode_component(const struct cell *cell, struct ground *ground,
                                         struct cm_types **ret_types, struct err *err);

/* Lays the ground and makes store, host state and fiber. -1 and *err. */
int program_start(struct program *program, const struct cell *cell, struct err *err);

/* Runs `func` with the arguments at the place that it gives (func_begin first), waiting in the
 * reactor as often as it blocks. */
union slot *program_begin(struct program *program, struct func *func);
enum ran program_finish(struct program *program);

/* Both, for a function without parameters. */
enum ran program_run(struct program *program, struct func *func);

/* The two kinds of programs: to its end, or RAN_FAILED. */
enum ran run_component(struct program *program, struct err *err);
enum ran run_module(struct program *program, struct err *err);

/* Carries out what --invoke says on an instance, and prints the result. */
enum ran invoke_component(struct program *program, struct cm_instance *instance, struct err *err);
enum ran invoke_module(struct program *program, struct instance *instance, struct err *err);

/* Writes to the guest's standard output all of what --invoke prints. -1 and FAULT if it is lost. */
int program_print(struct program *program, struct bytes text, struct err *err);

#endif
