/* Calls of async functions: the callee's task, the caller's subtask, and what passes between them
 * (CanonicalABI.md "Tasks", "Subtask State", "canon lift", "canon lower").
 *
 *   struct cm_async    the task of a lifted function of an async type
 *   struct cm_subtask  the call as the guest sees it that made it, of a guest's or a host's
 * function
 *
 * Values pass when the callee begins and when it resolves, whoever runs then: they are lifted from
 * the one side and lowered to the other at once. */
#ifndef CARREL_COMPONENT_ASYNC_H
#define CARREL_COMPONENT_ASYNC_H

#include "engine/component/call.h"
#include "engine/component/lift.h"
#include "engine/component/schedule.h"

enum subtask_state {
    SUBTASK_STARTING,
    SUBTASK_STARTED,
    SUBTASK_RETURNED,
    SUBTASK_CANCELLED_BEFORE_STARTED,
    SUBTASK_CANCELLED_BEFORE_RETURNED,
};

#define ASYNC_BLOCKED UINT32_C(0xffffffff) /* what built-ins answer for something that goes on */

/* A call of a function of the host that may take its time. */
struct host_job {
    struct host_call call;
    struct host_scratch values; /* what arguments and result point to */
    uint8_t *args;
    uint8_t *result;
    bool listed; /* in the store's list */
    bool woken;  /* in the list of those to be tried again */
    bool waits;  /* its host holds on to it */
    struct cm_subtask *before;
    struct cm_subtask *after;
    struct cm_subtask *woken_before;
    struct cm_subtask *woken_after;
};

struct cm_subtask {
    struct waitable waitable;
    enum subtask_state state;
    bool cancel_requested;
    bool delivered;            /* the guest knows that it is resolved */
    const struct lowered *low; /* who called what */
    struct cm_async *callee;   /* of a guest, until it resolves */
    struct cm_lift lift;       /* of the arguments: what was lent */
    struct host_scratch lent;
    union slot args[CM_FLAT_MAX + 1];
    union slot result; /* of a synchronous caller, if it is one core value */
    struct host_job job;
};

/* The host as a caller. */
struct host_caller {
    struct cm_async *callee; /* until it resolves */
    const void *args;
    void *result; /* in host layout, zeroed */
    struct host_scratch *scratch;
    bool resolved;
};

struct cm_async {
    struct cm_task task;
    const struct cm_func *func;
    struct cm_subtask *subtask; /* who called, until it resolves: a guest */
    struct host_caller *host;   /* or the host; both NULL: nobody wants to know any more */
    uint8_t phase;              /* async.c */
    bool entering;              /* counted in its instance as one that waits to begin */
};

static inline struct cm_async *async_of(struct cm_task *task)
{
    return (struct cm_async *)task;
}

static inline bool subtask_resolved(const struct cm_subtask *subtask)
{
    return subtask->state >= SUBTASK_RETURNED;
}

/* --- The callee --- */

/* May one more call of an async function begin? False: it trapped, CM_LIMIT_ASYNC_CALLS are at
 * work. */
bool async_may_begin(const struct cm_store *store);

/* Makes the task of a call; the callee's instance is entered already. NULL: it trapped. The task
 * waits to begin, or is to be resumed at once: *ret_now. */
struct cm_async *async_new(struct cm_store *store, const struct cm_func *func,
                           struct cm_subtask *subtask, struct host_caller *host, bool *ret_now);

/* Resolves it with its result, lifted from core values, in the step of `frame`, which is IN_CALLEE
 * and after that again. False: it trapped. */
bool async_return(struct cm_async *async, struct native *frame, const union slot *flat,
                  unsigned max_flat);

/* Resolves it without one: it was cancelled. */
bool async_cancelled(struct cm_async *async);

/* Requests that it ends. True: its thread is to be resumed, and its instance, which was entered
 * from `caller`, left after that. */
bool async_request_cancel(struct cm_async *async, const struct cm_instance *caller);

/* The function that fibers of async tasks run, each for the thread that owns it. NULL if the heap
 * is full. */
native_step async_entry_step;
struct func *async_entry_new(struct cm_store *store);

/* --- The caller --- */

/* NULL: it trapped. */
struct cm_subtask *subtask_new(const struct lowered *low, const union slot *args);
void subtask_free(struct cm_subtask *subtask);

/* The arguments in host layout, lifted now: the callee begins. `values` takes what they point to.
 * False: it trapped. */
bool subtask_start(struct cm_subtask *subtask, struct host_scratch *values, bool for_host,
                   void *args);

/* Its result, lowered now: the callee returns. False: it trapped. */
bool subtask_return(struct cm_subtask *subtask, struct native *frame, const void *result);

/* The callee ended without one. */
void subtask_cancelled(struct cm_subtask *subtask);

/* The guest learns how far it is. */
struct event subtask_event(struct cm_subtask *subtask);

/* The guest has learned that it is resolved: what was lent comes back. */
void subtask_deliver(struct cm_subtask *subtask);

/* --- The host as callee --- */

/* Begins the call. False: it trapped. */
bool host_job_begin(struct cm_subtask *subtask, struct vm *vm, struct native *frame);

/* Asks the function to end early, and whether it has. False: it trapped. */
bool host_job_cancel(struct cm_subtask *subtask, struct native *frame);

/* Tries those again that were woken. False: it trapped. */
bool host_jobs_run(struct cm_store *store, struct native *frame);

/* --- The event loop --- */

/* One turn of it, in a step that runs on no thread. True: *ret_answer is to be answered; if it is
 * NATIVE_RESUME, *ret_resumed tells whose thread runs, and cm_turn_end comes first in the next
 * step. False: nothing can run. */
bool cm_turn(struct cm_store *store, struct vm *vm, struct native *frame,
             struct cm_instance **ret_resumed, enum native_answer *ret_answer);
void cm_turn_end(struct cm_store *store, struct cm_instance **resumed);

#endif
