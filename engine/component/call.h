/* Lowered functions: the core functions through which a guest calls the host or another component
 * (CanonicalABI.md "canon lower", "canon lift"), and built-ins. */
#ifndef CARREL_COMPONENT_CALL_H
#define CARREL_COMPONENT_CALL_H

#include "engine/component/instance.h"

/* What a lowered function knows. */
struct lowered {
    struct cm_instance *instance; /* which calls */
    const struct cm_canon *canon;
    const struct cm_type *type; /* as that instance sees it */
    const struct cm_func *callee;
    struct cm_abi abi;
    uint32_t entered;        /* instances that a call enters */
    uint32_t nargs;          /* core parameters */
    uint32_t max_flat;       /* parameters that are passed flat */
    uint32_t result_pointer; /* which core parameter holds it */
};

/* Where a call of another component is at work: the states of its frame, of the first one of an
 * async task, and of task.return. What is lifted or lowered IN_CALLER is the caller's. */
enum lowered_side { IN_CALLER, IN_CALLEE };

/* How far a call of an async function of another component is: the states of the frame. */
enum lowered_async_state {
    LOWERED_NEW,
    LOWERED_CLEARING, /* has resumed who has the callee's instance to itself */
    LOWERED_BEGUN,    /* has resumed the callee, for the first time, if it could begin */
    LOWERED_WAITING,  /* lowered synchronously: waits, and resumes whoever can run */
};

/* The steps of lowered functions: calls of the host, without parameters and result, and of another
 * component; of async types (subtask.c). */
native_step lowered_host_step, lowered_null_step, lowered_guest_step;
native_step lowered_async_step, lowered_async_host_step;

/* The step of a call by the host (invoke.c), and what it calls, by the data of its function; that
 * of an instance's initializer (instantiate.c), whose data is the instance. */
native_step invoked_step, instantiate_step;
const struct cm_func *invoked_func(const void *data);

/* The core function of `canon lower` in `instance`. NULL if the heap is full. */
struct func *cm_lower_func(struct cm_instance *instance, const struct cm_canon *canon,
                           const struct cm_func *callee);

/* The core function of a built-in. NULL if the heap is full. */
struct func *cm_builtin_func(struct cm_instance *instance, const struct cm_canon *canon);

/* The component-level function of `canon lift`. NULL if the heap is full. */
struct cm_func *cm_lift_func(struct cm_instance *instance, const struct cm_canon *canon);

/* The things that options name, in an instance. */
struct cm_abi cm_abi_of(const struct cm_instance *instance, const struct cm_options *options);

/* Runs a lifted function's post-return with the core result that it returned. False: it trapped. */
bool cm_post_return(struct vm *vm, struct native *frame, const struct cm_func *func,
                    union slot result);

#endif
