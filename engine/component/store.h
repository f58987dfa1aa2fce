/* The store of component instances: making it, making instances, calling their exports. This is
 * what embeds the component layer; host.h is what a host provides to it. */
#ifndef CARREL_COMPONENT_STORE_H
#define CARREL_COMPONENT_STORE_H

#include "engine/component/instance.h"

/* A store on the vm's heap; NULL if it is full. */
struct cm_store *cm_store_new(struct vm *vm, struct cm_types *types);

/* An instance of `component` that is not yet instantiated: nothing of it has run. `imports` holds
 * what its imports stand for, in order, items as in struct cm_exports, checked by the linker
 * (link.h); kept. NULL and *err beyond a limit, or for lack of memory. */
struct cm_instance *cm_instance_new(struct cm_store *store, const struct component *component,
                                    void **imports, struct err *err);

/* A native function without parameters that instantiates: runs every definition, core start
 * functions included. A trap there leaves the instance unusable. */
struct func *cm_instance_initializer(struct cm_instance *instance);

/* --- Calls from the host --- */

/* The exported function `name` of the instance exported as `interface` ("" or an empty string: of
 * the component itself), or NULL. An interface is found by its exact name, or else by its semver
 * track. */
const struct cm_func *cm_export_func(const struct cm_instance *instance, struct str interface,
                                     struct str name);

/* The exported function that people mean by `interface#function`, or by its name alone: one of the
 * component itself, or else of the only exported instance that has it. NULL and *err (USAGE). */
const struct cm_func *cm_export_typed(const struct cm_instance *instance, struct str text,
                                      struct err *err);

/* A call of a lifted function by the host. */
struct cm_call;

/* Prepares a call; `args` is what the function's parameters are in host layout, and stays where it
 * is until the call is done. Own handles in it are the callee's from when the call begins. NULL if
 * the heap is full. */
struct cm_call *cm_call_new(struct cm_store *store, const struct cm_func *func, const void *args);

/* The native function without parameters that carries the call out, for fiber_begin. */
struct func *cm_call_func(struct cm_call *call);

/* Who is `waiter` (host_waiter, host.h) may have what it waits for: it is tried when a call of an
 * async function is run again. NULL: all of them. A call that blocked, and was neither woken nor
 * ended by what else ran, blocks again. */
void cm_wake(struct cm_store *store, void *waiter);

/* The result in host layout, once the fiber is done; NULL if the function has none. Good until the
 * call is freed. */
const void *cm_call_result(const struct cm_call *call);

void cm_call_free(struct cm_call *call);

#endif
