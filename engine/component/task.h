/* Tasks and threads (CanonicalABI.md "Threads", "Tasks").
 *
 *   struct cm_task    a call of a lifted function while it is at work
 *   struct cm_thread  a line of execution in it: each task has an implicit one
 *
 * A call of a synchronous function type runs on the fiber of its caller: its frames lie above the
 * caller's, and it cannot be left before it returns. Its thread is *shared*. When such a thread has
 * to wait, other threads of its instance run meanwhile, and if there are none that can, it traps.
 *
 * A call of an async function type runs on a fiber of its own while it has frames: one with a
 * callback has none between two calls, and gives its fiber back. When such a thread has to wait,
 * the thread that resumed it goes on.
 *
 * What waits and may go on stands in a queue of its instance; schedule.h. */
#ifndef CARREL_COMPONENT_TASK_H
#define CARREL_COMPONENT_TASK_H

#include "engine/exec/vm.h"

struct cm_instance;
struct cm_task;
struct cm_thread;

/* Threads in line. */
struct cm_queue {
    struct cm_thread *first;
    struct cm_thread *last;
};

/* What must be so in its instance before a thread that waits may go on: its queue. */
enum cm_gate {
    GATE_NONE,
    GATE_CALLBACK,        /* no thread has the instance to itself */
    GATE_ENTER,           /* no backpressure */
    GATE_ENTER_EXCLUSIVE, /* both */
    CM_GATES
};

enum cm_wait {
    WAIT_NONE,     /* it does not wait: it runs, or it is suspended until another resumes it */
    WAIT_YIELD,    /* for the others to run */
    WAIT_SET,      /* for an event in a waitable set */
    WAIT_WAITABLE, /* for the event of one waitable */
};

struct cm_thread {
    struct cm_task *task;
    struct fiber *fiber; /* its own, while it has frames on it; NULL if it is shared */
    bool shared;
    bool cancellable;    /* while it waits: a request to cancel the task resumes it */
    bool cancelled;      /* that is how it was resumed */
    bool armed;          /* stands in a queue of its instance */
    bool yielded;        /* shared, WAIT_YIELD: others have had their turn */
    uint8_t gate;        /* enum cm_gate */
    uint8_t wait;        /* enum cm_wait */
    uint32_t storage[2]; /* of context.get and context.set */
    struct cm_queue *queue;
    struct cm_thread *before;
    struct cm_thread *after;
    union {
        struct waitable_set *set;
        struct waitable *waitable;
    };
};

enum cm_task_state {
    TASK_INITIAL,
    TASK_STARTED,
    TASK_PENDING_CANCEL,
    TASK_CANCEL_DELIVERED,
    TASK_RESOLVED,
};

struct cm_task {
    struct cm_instance *instance;
    struct cm_thread *caller; /* the thread that was current before; NULL: called by the host */
    uint32_t borrows; /* handles in the instance's table that must be gone when it returns */
    bool async;       /* of an async function type: part of a struct cm_async (async.h) */
    uint8_t state;    /* enum cm_task_state; of async ones only */
    struct cm_thread thread;
};

#endif
