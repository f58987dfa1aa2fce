/* Built-ins of streams and futures (CanonicalABI.md "canon {stream,future}.new" to "canon
 * {stream,future}.drop-{readable,writable}"); see builtin.h. */
#include "engine/component/async.h"
#include "engine/component/builtin.h"
#include "engine/component/stream.h"

/* Which end a built-in is about, by its row. */
static enum handle_kind end_kind(enum canon canon)
{
    switch (canon) {
    case CANON_STREAM_READ:
    case CANON_STREAM_CANCEL_READ:
    case CANON_STREAM_DROP_READABLE: return HANDLE_STREAM_READ;
    case CANON_STREAM_WRITE:
    case CANON_STREAM_CANCEL_WRITE:
    case CANON_STREAM_DROP_WRITABLE: return HANDLE_STREAM_WRITE;
    case CANON_FUTURE_READ:
    case CANON_FUTURE_CANCEL_READ:
    case CANON_FUTURE_DROP_READABLE: return HANDLE_FUTURE_READ;
    default: return HANDLE_FUTURE_WRITE;
    }
}

/* The end at an index, of the kind and type that the built-in is about. NULL: it trapped. */
static struct cm_end *end_at(const struct builtin *b, uint32_t index)
{
    if (!builtin_may_leave(b))
        return NULL;
    const struct handle *handle = handle_at(&b->instance->handles, index);
    struct cm_end *end = handle ? handle->rep : NULL;
    if (!handle)
        builtin_trap(b, "unknown handle index");
    else if (handle->kind != end_kind(b->canon->canon))
        builtin_trap(b, "handle index used with the wrong type");
    else if (end->type != b->canon->type)
        builtin_trap(b, "handle index used with the wrong stream or future type");
    else
        return end;
    return NULL;
}

/* --- Making -------------------------------------------------------------------------------------
 */

/* An end in the handle table; 0: it trapped. */
static uint32_t add_end(const struct builtin *b, struct cm_stream *stream, enum handle_kind kind)
{
    struct cm_end *end = end_new(stream, kind, b->instance, b->canon->type);
    if (!end)
        return cm_full(stream->store, "a stream or future"), 0;
    stream->ends++;
    end->waitable.index = builtin_handle(b, kind, end);
    return end->waitable.index;
}

enum native_answer builtin_ends_new(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    bool future = b->canon->canon == CANON_FUTURE_NEW;
    if (!builtin_may_leave(b))
        return NATIVE_TRAP;
    struct cm_stream *stream = stream_new(b->instance->store, future);
    if (!stream)
        return cm_full(b->instance->store, "a stream or future"), NATIVE_TRAP;
    uint64_t reader = add_end(b, stream, future ? HANDLE_FUTURE_READ : HANDLE_STREAM_READ);
    uint64_t writer =
        reader ? add_end(b, stream, future ? HANDLE_FUTURE_WRITE : HANDLE_STREAM_WRITE) : 0;
    frame->args[0].u64 = reader | writer << 32;
    return writer ? NATIVE_DONE : NATIVE_TRAP;
}

/* --- Copying ------------------------------------------------------------------------------------
 */

/* The states of frames that wait. */
enum { NEW, WAITING };

struct copy_frame {
    struct cm_end *end;
    struct cm_thread *thread;
};

static enum native_answer copied(struct native *frame, struct cm_end *end)
{
    frame->args[0].u64 = waitable_take(&end->waitable).payload;
    return NATIVE_DONE;
}

static enum native_answer waited(struct vm *vm, struct native *frame)
{
    const struct copy_frame *f = frame->locals;
    enum native_answer answer;
    return cm_wait_over(vm, frame, f->thread, &answer) ? copied(frame, f->end) : answer;
}

/* It goes on: an async caller is told so, another waits. */
static enum native_answer go_on(struct vm *vm, struct native *frame, struct cm_end *end, bool async)
{
    const struct builtin *b = frame->data;
    if (end->waitable.pending)
        return copied(frame, end);
    if (async) {
        frame->args[0].u64 = ASYNC_BLOCKED;
        return NATIVE_DONE;
    }
    struct copy_frame *f = native_locals(vm, frame, sizeof *f);
    if (!f)
        return NATIVE_TRAP;
    *f = (struct copy_frame){end, b->instance->store->thread};
    f->thread->waitable = &end->waitable;
    frame->state = WAITING;
    cm_wait_begin(f->thread, WAIT_WAITABLE, GATE_NONE, false);
    return waited(vm, frame);
}

/* Puts the buffer into the end. False: it trapped. */
static bool set_buffer(const struct builtin *b, struct cm_end *end, uint32_t at, uint32_t length)
{
    const struct cm_type *element = end->type->element;
    if (length > BUFFER_MAX)
        return cm_trap(b->instance->store, "stream read or write is too long");
    if (element && length) {
        const struct cm_layout *l = &element->layout;
        if (at % l->align)
            return cm_trap(b->instance->store, "pointer is not aligned");
        if (!memory_at(b->abi.memory, at, (uint64_t)length * l->size))
            return cm_trap(b->instance->store, "pointer is out of bounds of memory");
    }
    end->abi = &b->abi;
    end->at = at;
    end->length = length;
    return true;
}

enum native_answer builtin_copy(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    if (frame->state == WAITING)
        return waited(vm, frame);
    struct cm_end *end = end_at(b, frame->args[0].u32);
    if (!end)
        return NATIVE_TRAP;
    if (end->state == COPY_DONE)
        return builtin_trap(b, end->stream->future
                                   ? "the future was read or written already"
                                   : "the other end of the stream was dropped, which was told");
    if (end->state != COPY_IDLE)
        return builtin_trap(b, "a read or write of this end is at work already");
    if (end->waitable.set && !b->abi.async)
        return builtin_trap(b, "a waitable in a set cannot be waited for synchronously");
    uint32_t length = end->stream->future ? 1 : frame->args[2].u32;
    if (!set_buffer(b, end, frame->args[1].u32, length) || !end_copy(end, frame))
        return NATIVE_TRAP;
    return go_on(vm, frame, end, b->abi.async);
}

enum native_answer builtin_copy_cancel(struct vm *vm, struct native *frame)
{
    const struct builtin *b = frame->data;
    if (frame->state == WAITING)
        return waited(vm, frame);
    struct cm_end *end = end_at(b, frame->args[0].u32);
    if (!end)
        return NATIVE_TRAP;
    if (end->state != COPY_COPYING || end->waitable.waiter)
        return builtin_trap(b, "no read or write of this end is at work that could be cancelled");
    if (end->waitable.set && !b->canon->async)
        return builtin_trap(b, "a waitable in a set cannot be waited for synchronously");
    end->state = COPY_CANCELLING;
    end_cancel(end);
    return go_on(vm, frame, end, b->canon->async);
}

/* --- Dropping -----------------------------------------------------------------------------------
 */

enum native_answer builtin_end_drop(struct vm *vm, struct native *frame)
{
    (void)vm;
    const struct builtin *b = frame->data;
    struct cm_end *end = end_at(b, frame->args[0].u32);
    if (!end)
        return NATIVE_TRAP;
    if (end->waitable.handle_kind == HANDLE_FUTURE_WRITE && end->state != COPY_DONE)
        return builtin_trap(b, "cannot drop the writable end of a future before it was written");
    if (end_copies(end))
        return builtin_trap(b, "cannot drop an end while it reads or writes");
    handle_remove(&b->instance->handles, frame->args[0].u32);
    end_drop(end);
    return NATIVE_DONE;
}
