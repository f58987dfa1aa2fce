/* Waitables and waitable sets (CanonicalABI.md "Waitable State"): subtasks and the ends of streams
 * and futures, and what guests wait for several of them with.
 *
 * Each waitable has at most one event, whose content is asked for when it is delivered. A set keeps
 * those of its members that have one in a list, so that looking for one takes constant time. */
#ifndef CARREL_COMPONENT_WAITABLE_H
#define CARREL_COMPONENT_WAITABLE_H

#include "engine/component/instance.h"

/* EventCode. */
enum event_code {
    EVENT_NONE,
    EVENT_SUBTASK,
    EVENT_STREAM_READ,
    EVENT_STREAM_WRITE,
    EVENT_FUTURE_READ,
    EVENT_FUTURE_WRITE,
    EVENT_TASK_CANCELLED,
};

struct event {
    uint32_t code;
    uint32_t index;
    uint32_t payload;
};

struct waitable {
    uint32_t handle_kind; /* what it is: enum handle_kind */
    uint32_t index;       /* in the handle table of its instance; 0: in none */
    bool pending;         /* it has an event */
    struct waitable_set *set;
    struct waitable *before; /* with events in the same set */
    struct waitable *after;
    struct cm_thread *waiter; /* that waits for this one alone, or NULL */
};

struct waitable_set {
    uint32_t members;
    uint32_t npending;
    uint32_t armed;         /* threads that were told of an event and have not run yet */
    uint32_t waiting;       /* threads that wait for the set, armed ones included */
    struct waitable *first; /* with events */
    struct waitable *last;
    struct cm_queue waiters; /* not armed */
};

/* The waitable has an event: its waiter, or one of its set's, may go on. */
void waitable_notify(struct waitable *waitable);

/* The event is gone: it is being delivered. */
void waitable_clear(struct waitable *waitable);

/* Takes the event of a waitable that has one: delivers it, with its effects. */
struct event waitable_take(struct waitable *waitable);

/* Takes the event of a set that has one. */
struct event waitable_set_take(struct waitable_set *set);

/* Puts a waitable into a set, or out of the one that it is in (NULL). */
void waitable_join(struct waitable *waitable, struct waitable_set *set);

#endif
