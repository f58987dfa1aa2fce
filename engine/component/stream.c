/* Streams and futures; see stream.h. */
#include "engine/component/stream.h"

#include "engine/component/store.h"

struct cm_stream *stream_new(struct cm_store *store, bool future)
{
    struct cm_stream *stream = heap_zeroed(vm_heap(store->vm), 1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->store = store;
    stream->future = future;
    return stream;
}

struct cm_end *end_new(struct cm_stream *stream, enum handle_kind kind,
                       struct cm_instance *instance, const struct cm_type *type)
{
    struct cm_end *end = heap_zeroed(vm_heap(stream->store->vm), 1, sizeof *end);
    if (!end)
        return NULL;
    end->waitable.handle_kind = kind;
    end->stream = stream;
    end->instance = instance;
    end->type = type;
    return end;
}

void end_free(struct cm_end *end)
{
    heap_give(vm_heap(end->stream->store->vm), end);
}

static bool is_reader(const struct cm_end *end)
{
    return end->waitable.handle_kind == HANDLE_STREAM_READ ||
           end->waitable.handle_kind == HANDLE_FUTURE_READ;
}

static uint32_t remain(const struct cm_end *end)
{
    return end->length - end->progress;
}

/* --- Events -------------------------------------------------------------------------------------
 */

static void notify(struct cm_end *end, enum copy_result result, bool reclaim)
{
    end->result = result;
    end->reclaim = reclaim;
    waitable_notify(&end->waitable);
    if (!end->instance && end->waiter)
        cm_wake(end->stream->store, end->waiter);
}

/* The end that waits does so no longer. */
static void notify_pending(struct cm_stream *stream, enum copy_result result)
{
    struct cm_end *end = stream->pending;
    stream->pending = NULL;
    notify(end, result, false);
}

struct event end_event(struct cm_end *end)
{
    bool future = end->stream->future;
    if (end->reclaim)
        end->stream->pending = NULL;
    end->reclaim = false;
    bool over = end->result == COPY_DROPPED || (future && end->result == COPY_COMPLETED);
    end->state = over ? COPY_DONE : COPY_IDLE;
    return (struct event){
        .code = EVENT_STREAM_READ + end->waitable.handle_kind - HANDLE_STREAM_READ,
        .index = end->waitable.index,
        .payload = (uint32_t)end->result | (future ? 0 : end->progress << 4),
    };
}

/* --- Copying ------------------------------------------------------------------------------------
 */

/* May elements pass within one instance? Without values, and numbers (none_or_number_type). */
static bool none_or_number(const struct cm_type *element)
{
    return !element || (element->kind >= CM_S8 && element->kind <= CM_F64);
}

/* Both ends have a buffer. False: it trapped. */
static bool meet(struct cm_end *end, struct cm_end *other, struct native *frame)
{
    struct cm_stream *stream = end->stream;
    if (end->instance && end->instance == other->instance && !none_or_number(end->type->element))
        return cm_trap(stream->store,
                       "cannot copy such values within one component instance, for now");
    if (remain(other)) {
        uint32_t count = remain(end) < remain(other) ? remain(end) : remain(other);
        if (count) {
            struct cm_end *from = is_reader(end) ? other : end;
            struct cm_end *to = is_reader(end) ? end : other;
            if (!end_transfer(from, to, count, frame))
                return false;
            if (stream->future)
                notify_pending(stream, COPY_COMPLETED);
            else
                notify(other, COPY_COMPLETED, true);
        }
        notify(end, COPY_COMPLETED, false);
    } else if (!is_reader(end) && !end->length && !other->length) {
        notify(end, COPY_COMPLETED, false); /* the reader goes on waiting */
    } else {
        notify_pending(stream, COPY_COMPLETED);
        stream->pending = end;
    }
    return true;
}

bool end_copy(struct cm_end *end, struct native *frame)
{
    struct cm_stream *stream = end->stream;
    end->state = COPY_COPYING;
    end->progress = 0;
    if (stream->dropped)
        notify(end, COPY_DROPPED, false);
    else if (stream->pending)
        return meet(end, stream->pending, frame);
    else
        stream->pending = end;
    return true;
}

void end_cancel(struct cm_end *end)
{
    if (!end->waitable.pending)
        notify_pending(end->stream, COPY_CANCELLED);
    else if (!end->stream->future && end->result == COPY_COMPLETED)
        end->result = COPY_CANCELLED;
}

/* --- The end of it ------------------------------------------------------------------------------
 */

/* One of the ends is no more. */
static void drop(struct cm_stream *stream)
{
    if (!stream->dropped) {
        stream->dropped = true;
        if (stream->pending)
            notify_pending(stream, COPY_DROPPED);
    }
    if (--stream->ends == 0)
        heap_give(vm_heap(stream->store->vm), stream);
}

void end_drop(struct cm_end *end)
{
    struct cm_stream *stream = end->stream;
    waitable_join(&end->waitable, NULL);
    end_free(end);
    drop(stream);
}

void stream_drop_readable(struct cm_stream *stream)
{
    drop(stream);
}
