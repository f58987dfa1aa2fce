/* wasi:io/poll. A pollable is looked at whenever somebody asks; nothing is kept about it. */
#include "engine/wasi/pollable.h"

#include "engine/wasi/net_socket.h"
#include "engine/wasi/table.h"

struct pollable *pollable_time(struct wasi *wasi, uint64_t until)
{
    struct pollable *pollable = wasi_resource(wasi, sizeof *pollable);
    if (pollable)
        *pollable = (struct pollable){.kind = POLLABLE_TIME, .until = until};
    return pollable;
}

struct pollable *pollable_input(struct wasi *wasi, struct input_stream *input)
{
    struct pollable *pollable = wasi_resource(wasi, sizeof *pollable);
    if (!pollable)
        return NULL;
    *pollable = (struct pollable){.kind = POLLABLE_INPUT, .input = input};
    input->refs++;
    return pollable;
}

struct pollable *pollable_output(struct wasi *wasi, struct output_stream *output)
{
    struct pollable *pollable = wasi_resource(wasi, sizeof *pollable);
    if (!pollable)
        return NULL;
    *pollable = (struct pollable){.kind = POLLABLE_OUTPUT, .output = output};
    output->refs++;
    return pollable;
}

struct pollable *pollable_socket(struct wasi *wasi, struct net_socket *socket, short events)
{
    struct pollable *pollable = wasi_resource(wasi, sizeof *pollable);
    if (!pollable)
        return NULL;
    *pollable = (struct pollable){.kind = POLLABLE_SOCKET, .events = events, .socket = socket};
    socket->refs++;
    return pollable;
}

struct pollable *pollable_future(struct wasi *wasi, const struct future_ops *ops, void *of)
{
    struct pollable *pollable = wasi_resource(wasi, sizeof *pollable);
    if (pollable)
        *pollable = (struct pollable){.kind = POLLABLE_FUTURE, .future = {ops, of}};
    return pollable;
}

bool wasi_drop_pollable(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    struct wasi *wasi = host;
    struct pollable *pollable = representation;
    if (pollable->kind == POLLABLE_INPUT)
        input_release(wasi, pollable->input);
    else if (pollable->kind == POLLABLE_OUTPUT)
        output_release(wasi, pollable->output);
    else if (pollable->kind == POLLABLE_SOCKET)
        net_socket_release(wasi, pollable->socket);
    else if (pollable->kind == POLLABLE_FUTURE)
        pollable->future.ops->release(wasi, pollable->future.of);
    wasi_resource_end(wasi, pollable);
    return true;
}

/* --- Looking ------------------------------------------------------------------------------------
 */

/* What of a pollable can be told without asking the kernel about a descriptor. */
enum state { READY, NOT_READY, ASK };

static short events_of(const struct pollable *pollable)
{
    switch (pollable->kind) {
    case POLLABLE_INPUT: return POLLIN;
    case POLLABLE_OUTPUT: return POLLOUT;
    case POLLABLE_SOCKET:
        if (pollable->socket->file && pollable->events)
            return pollable->events;
        return net_socket_events(pollable->socket);
    case POLLABLE_FUTURE:
    case POLLABLE_TIME: break;
    }
    return 0;
}

/* Is it about something that is no descriptor? Then that itself says whether it is ready, and what
 * it waits for. */
static bool asks_itself(const struct pollable *pollable)
{
    return pollable->kind == POLLABLE_FUTURE ||
           (pollable->kind == POLLABLE_INPUT && !pollable->input->file) ||
           (pollable->kind == POLLABLE_OUTPUT && !pollable->output->file);
}

static bool is_so(struct wasi *wasi, const struct pollable *pollable)
{
    return pollable->kind == POLLABLE_INPUT ? input_ready(wasi, pollable->input)
           : pollable->kind == POLLABLE_OUTPUT
               ? output_ready(wasi, pollable->output)
               : pollable->future.ops->ready(wasi, pollable->future.of);
}

static struct stream_wait wait_of(const struct pollable *pollable)
{
    return pollable->kind == POLLABLE_INPUT    ? input_waits(pollable->input)
           : pollable->kind == POLLABLE_OUTPUT ? output_waits(pollable->output)
                                               : pollable->future.ops->wait(pollable->future.of);
}

static enum state state_of(struct wasi *wasi, const struct pollable *pollable, uint64_t now)
{
    const struct descriptor *file = NULL;
    if (asks_itself(pollable))
        return is_so(wasi, pollable) ? READY : NOT_READY;
    switch (pollable->kind) {
    case POLLABLE_TIME: return pollable->until <= now ? READY : NOT_READY;
    case POLLABLE_FUTURE: break;
    case POLLABLE_INPUT: file = input_closed(pollable->input) ? NULL : pollable->input->file; break;
    case POLLABLE_OUTPUT:
        file = output_closed(pollable->output) ? NULL : pollable->output->file;
        break;
    case POLLABLE_SOCKET: return events_of(pollable) ? ASK : READY;
    }
    return !file || descriptor_never_waits(file) ? READY : ASK;
}

static int fd_of(const struct pollable *pollable)
{
    return pollable->kind == POLLABLE_INPUT    ? pollable->input->file->fd
           : pollable->kind == POLLABLE_OUTPUT ? pollable->output->file->fd
                                               : pollable->socket->file->fd;
}

/* The kernel says that its descriptor is ready. An output stream is so only once what is pending is
 * written. */
static bool still_ready(struct wasi *wasi, const struct pollable *pollable)
{
    return pollable->kind != POLLABLE_OUTPUT || !pollable->output->file->pending.at ||
           output_ready(wasi, pollable->output);
}

/* The time if one of them asks for it, as the clock need not be permitted otherwise. */
static uint64_t time_for(struct pollable *const *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (list[i]->kind == POLLABLE_TIME && list[i]->until)
            return sys_now();
    return 0;
}

static bool ready(struct wasi *wasi, struct pollable *pollable)
{
    enum state state = state_of(wasi, pollable, time_for(&pollable, 1));
    if (state != ASK)
        return state == READY;
    return wasi_ready(wasi, fd_of(pollable), events_of(pollable)) && still_ready(wasi, pollable);
}

enum host_answer wasi_pollable_ready(struct host_call *call, const void *args, void *result)
{
    struct pollable *const *self = args;
    bool *is_ready = result;
    *is_ready = ready(call->host, *self);
    return HOST_DONE;
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

/* Tells the reactor about all of them. */
static enum host_answer wait_for(struct host_call *call, struct pollable *const *list, size_t len)
{
    uint64_t first = UINT64_MAX;
    bool timed = false;
    for (size_t i = 0; i < len; i++) {
        const struct pollable *pollable = list[i];
        timed = timed || pollable->kind == POLLABLE_TIME;
        if (pollable->kind == POLLABLE_TIME)
            first = pollable->until < first ? pollable->until : first;
        else if (asks_itself(pollable)
                     ? wasi_wait_stream(call, wait_of(pollable)) == HOST_TRAP
                     : wasi_wait_fd(call, fd_of(pollable), events_of(pollable)) == HOST_TRAP)
            return HOST_TRAP;
    }
    return timed ? wasi_wait_until(call, first) : HOST_BLOCKED;
}

enum host_answer wasi_pollable_block(struct host_call *call, const void *args, void *result)
{
    struct pollable *const *self = args;
    (void)result;
    return ready(call->host, *self) ? HOST_DONE : wait_for(call, self, 1);
}

struct poll_args {
    HOST_LIST(struct pollable *) in;
};

/* Writes the indices of those that are ready; their number, or -1 if memory is exhausted. */
static int64_t collect(struct wasi *wasi, struct pollable *const *list, size_t len, bool ask,
                       uint32_t *indices)
{
    struct poll_set *set = &wasi->reactor.set;
    uint64_t now = time_for(list, len);
    size_t asked = 0;
    int64_t count = 0;
    poll_set_clear(set);
    for (size_t i = 0; i < len; i++) {
        enum state state = state_of(wasi, list[i], now);
        if (state == ASK && !poll_set_add(set, wasi->heap, fd_of(list[i]), events_of(list[i])))
            return -1;
        asked += state == ASK;
        count += state == READY;
    }
    /* Nothing is ready and this is the first look: the reactor asks about everything anyway. */
    bool skip = !asked || (!ask && !count);
    if (!skip && wasi->may_poll)
        poll_set_run(set, 0);
    count = 0;
    for (size_t i = 0; i < len; i++) {
        enum state state = state_of(wasi, list[i], now);
        if (state == ASK && !skip &&
            (!wasi->may_poll || poll_set_ready(set, fd_of(list[i]), events_of(list[i]))) &&
            still_ready(wasi, list[i]))
            state = READY;
        if (state == READY)
            indices[count++] = (uint32_t)i;
    }
    return count;
}

enum host_answer wasi_poll(struct host_call *call, const void *args, void *result)
{
    const struct poll_args *a = args;
    HOST_LIST(uint32_t) *indices = result;
    if (!a->in.len)
        return host_trap(call, "poll of an empty list");
    if (a->in.len > UINT32_MAX)
        return host_trap(call, "poll of more than 2^32 - 1 pollables");
    if (!call->state)
        call->state = host_alloc(call, a->in.len * sizeof(uint32_t));
    if (!call->state)
        return wasi_no_memory(call);
    int64_t count = collect(call->host, a->in.at, a->in.len, call->resumed, call->state);
    if (count < 0)
        return wasi_no_memory(call);
    if (!count)
        return wait_for(call, a->in.at, a->in.len);
    indices->at = call->state;
    indices->len = (size_t)count;
    return HOST_DONE;
}
