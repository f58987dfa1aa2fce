/* Events for containerd, told in the order in which they happened: one at a time, each until it was
 * taken. containerd may be restarted meanwhile: what it did not take waits. */
#ifndef CARREL_SHIM_CONTAINERD_EVENTS_H
#define CARREL_SHIM_CONTAINERD_EVENTS_H

#include "shim/containerd/buffer.h"
#include "shim/containerd/polls.h"
#include "shim/containerd/ttrpc.h"

struct events {
    char address[108]; /* of containerd's ttrpc socket; "" tells nobody */
    char namespace[80];
    int fd; /* the connection; or -1 */
    size_t place;
    bool asked;       /* the first event is on its way, and was not answered yet */
    unsigned refused; /* how often the first one was */
    uint32_t stream;
    uint64_t again;      /* not before, as cell_now; or when the answer is overdue */
    uint64_t pause;      /* nanoseconds until the next attempt */
    struct buffer queue; /* sizes and envelopes */
    struct buffer in;
    struct buffer out;
};

void events_start(struct events *events, const char *address, const char *namespace);
void events_close(struct events *events);

/* Gives memory back that only events need. */
void events_rest(struct events *events);

/* What an event is about. One row: its topic, and its message. */
enum event_topic {
#define EVENT(NAME, topic, type, message) EVENT_##NAME,
#include "shim/containerd/event.def"
    EVENT_TOPICS
};

/* Puts an event at the end of the queue; `message` is the struct of its row. */
void events_tell(struct events *events, enum event_topic topic, const void *message);

void events_wait(struct events *events, struct polls *polls);
void events_act(struct events *events, const struct polls *polls);

/* Whether there is something that containerd did not take yet. */
static inline bool events_pending(const struct events *events)
{
    return events->queue.used > 0;
}

#endif
