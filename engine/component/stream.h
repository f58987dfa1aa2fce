/* Streams and futures (CanonicalABI.md "Buffer State", "Stream State", "Future State"): two ends,
 * and what is between them. A future is a stream of one element.
 *
 * An end that copies has a buffer: a range of a guest's memory, or of the host's. When the other
 * end copies too, elements pass from the one buffer to the other at once, lifted and lowered;
 * whoever came first is told by an event. */
#ifndef CARREL_COMPONENT_STREAM_H
#define CARREL_COMPONENT_STREAM_H

#include "engine/component/waitable.h"

#define BUFFER_MAX ((UINT32_C(1) << 28) - 1) /* Buffer.MAX_LENGTH, in elements */

enum copy_state { COPY_IDLE, COPY_COPYING, COPY_CANCELLING, COPY_DONE };

enum copy_result { COPY_COMPLETED, COPY_DROPPED, COPY_CANCELLED };

/* What is between two ends. */
struct cm_stream {
    struct cm_store *store;
    bool future;
    bool dropped;           /* one of them is */
    uint32_t ends;          /* that are there, in a handle table or on their way */
    struct cm_end *pending; /* the end that waits for the other with its buffer, or NULL */
};

struct cm_end {
    struct waitable waitable; /* of a guest's */
    struct cm_stream *stream;
    struct cm_instance *instance; /* NULL: the host's */
    const struct cm_type *type;   /* STREAM or FUTURE, as that instance sees it */
    enum copy_state state;
    enum copy_result result; /* of the event */
    bool reclaim;            /* its buffer still waits; the event takes it back */

    const struct cm_abi *abi; /* the options of the copy */
    uint32_t at;              /* the buffer, in the guest's memory */
    uint8_t *host;            /* or the host's: elements in host layout */
    uint32_t length;          /* in elements */
    uint32_t progress;
    void *waiter; /* of the host: who is woken by an event (host_waiter) */
};

static inline bool end_copies(const struct cm_end *end)
{
    return end->state == COPY_COPYING || end->state == COPY_CANCELLING;
}

/* A new end of a stream, which takes over what `stream->ends` counts for it. NULL: the heap is
 * full. */
struct cm_end *end_new(struct cm_stream *stream, enum handle_kind kind,
                       struct cm_instance *instance, const struct cm_type *type);

/* A stream or future without ends; NULL: the heap is full. */
struct cm_stream *stream_new(struct cm_store *store, bool future);

/* Begins to copy with the buffer that was put into `end`, which is idle: if it is done at once, the
 * end has its event. False: it trapped. */
bool end_copy(struct cm_end *end, struct native *frame);

/* Takes its buffer back. If it has an event already, that stays but for its result: of a stream it
 * is not COMPLETED, however many elements were copied (so the test suite, cancel-stream.wast). */
void end_cancel(struct cm_end *end);

/* The event of an end that copied, with its effects. */
struct event end_event(struct cm_end *end);

/* The end goes: the other one learns it. Not for one that copies. */
void end_drop(struct cm_end *end);

/* Only the structure goes: the readable end is on its way to another owner. */
void end_free(struct cm_end *end);

/* Nobody got the readable end that was on its way. */
void stream_drop_readable(struct cm_stream *stream);

/* Copies `count` elements from one buffer to the other. False: it trapped. */
bool end_transfer(struct cm_end *from, struct cm_end *to, uint32_t count, struct native *frame);

#endif
