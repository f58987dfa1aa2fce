/* poll_oneoff of preview 1. */
#include "engine/base/deadline.h"
#include "engine/wasi/clock.h"
#include "engine/wasi/p1_call.h"

#include <errno.h>

enum { EVENT_CLOCK, EVENT_FD_READ, EVENT_FD_WRITE };
enum { CLOCK_ID_REALTIME, CLOCK_ID_MONOTONIC };

#define ABSOLUTE 1u /* of subclockflags */
#define HANGUP   1u /* of eventrwflags */

/* A subscription, as far as it is understood. */
struct subscription {
    uint64_t userdata;
    uint8_t type;
    uint32_t clock;
    uint64_t timeout;
    uint16_t flags;
    uint32_t fd;
};

struct event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint64_t nbytes;
    uint16_t flags;
};

/* When the call was made first: what is relative counts from there. */
struct start {
    uint64_t steady; /* as sys_now */
    uint64_t real;   /* nanoseconds */
};

/* Reads subscription `index`; false if it does not lie in memory. The older module has one more
 * word in front of a clock's. */
static bool read_subscription(struct p1_call *call, uint32_t index, struct subscription *ret)
{
    size_t size = call->unstable ? 56 : 48;
    const uint8_t *at = memory_at(call->memory, call->args[0].u32 + (uint64_t)index * size, size);
    if (!at)
        return false;
    const uint8_t *clock = at + (call->unstable ? 24 : 16);
    memcpy(&ret->userdata, at, 8);
    ret->type = at[8];
    memcpy(&ret->fd, at + 16, 4);
    memcpy(&ret->clock, clock, 4);
    memcpy(&ret->timeout, clock + 8, 8);
    memcpy(&ret->flags, clock + 24, 2);
    return true;
}

/* When a clock's subscription is over, as sys_now. */
static uint64_t moment_of(struct wasi *wasi, const struct subscription *subscription,
                          const struct start *start)
{
    uint64_t wait = subscription->timeout;
    if (!wasi->clock)
        return 0;
    if (subscription->flags & ABSOLUTE) {
        if (subscription->clock == CLOCK_ID_MONOTONIC)
            return clock_until(wasi, subscription->timeout);
        wait = wait > start->real ? wait - start->real : 0;
    }
    return deadline_after(start->steady, wait);
}

/* What became of a subscription so far: an errno if it cannot be waited for. A descriptor that may
 * have to wait is given back in `ret_ask`, for the kernel to be asked about. */
static uint16_t look_at(struct p1_call *call, const struct subscription *subscription,
                        const struct start *start, uint64_t now, bool *ret_ready,
                        struct p1_file **ret_ask)
{
    *ret_ready = false;
    *ret_ask = NULL;
    if (subscription->type == EVENT_CLOCK) {
        if (subscription->clock > CLOCK_ID_MONOTONIC)
            return P1_INVAL;
        *ret_ready = moment_of(call->wasi, subscription, start) <= now;
        return P1_SUCCESS;
    }
    if (subscription->type > EVENT_FD_WRITE)
        return P1_INVAL;
    struct p1_file *file;
    uint16_t error = p1_file_of(call, subscription->fd, RIGHT(POLL_FD_READWRITE), &file);
    if (error != P1_SUCCESS)
        return error;
    if (file->file->fd < 0 || descriptor_never_waits(file->file) || !call->wasi->may_poll)
        *ret_ready = true;
    else
        *ret_ask = file;
    return P1_SUCCESS;
}

static short events_of(const struct subscription *subscription)
{
    return subscription->type == EVENT_FD_READ ? POLLIN : POLLOUT;
}

/* Puts what has to be asked into the set. FAULT, INVAL, or P1_TRAPPED. */
static uint16_t prepare(struct p1_call *call, const struct start *start, bool *ret_clocks)
{
    struct poll_set *set = &call->wasi->reactor.set;
    uint32_t count = call->args[2].u32;
    poll_set_clear(set);
    *ret_clocks = false;
    for (uint32_t i = 0; i < count; i++) {
        struct subscription subscription;
        struct p1_file *ask;
        bool ready;
        if (!read_subscription(call, i, &subscription))
            return P1_FAULT;
        *ret_clocks = *ret_clocks || subscription.type == EVENT_CLOCK;
        look_at(call, &subscription, start, 0, &ready, &ask);
        if (ask && !poll_set_add(set, call->wasi->heap, ask->file->fd, events_of(&subscription)))
            return p1_no_memory(call);
    }
    return P1_SUCCESS;
}

/* Writes an event for each subscription that is over; their number, or UINT32_MAX if they do not
 * lie in memory. */
static uint32_t collect(struct p1_call *call, const struct start *start, uint64_t now)
{
    const struct poll_set *set = &call->wasi->reactor.set;
    uint32_t count = 0;
    for (uint32_t i = 0; i < call->args[2].u32; i++) {
        struct subscription subscription;
        struct p1_file *ask;
        struct event event;
        bool ready;
        if (!read_subscription(call, i, &subscription))
            return UINT32_MAX;
        uint16_t error = look_at(call, &subscription, start, now, &ready, &ask);
        ready = ready || (ask && poll_set_ready(set, ask->file->fd, events_of(&subscription)));
        if (!ready && error == P1_SUCCESS)
            continue;
        memset(&event, 0, sizeof event);
        event.userdata = subscription.userdata;
        event.error = error;
        event.type = subscription.type;
        if (error == P1_SUCCESS && subscription.type != EVENT_CLOCK)
            event.nbytes = 1; /* at least; how many, only reading tells */
        if (ask && poll_set_hangup(set, ask->file->fd))
            event.flags = HANGUP;
        if (!p1_put(call, call->args[1].u32 + count * (uint64_t)sizeof event, &event, sizeof event))
            return UINT32_MAX;
        count++;
    }
    return count;
}

/* Tells the reactor about everything, and suspends the fiber. */
static uint16_t wait_for(struct p1_call *call, const struct start *start)
{
    void *who = vm_fiber(call->p1->vm);
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; i < call->args[2].u32; i++) {
        struct subscription subscription;
        struct p1_file *ask;
        bool ready;
        if (!read_subscription(call, i, &subscription))
            return P1_FAULT;
        look_at(call, &subscription, start, 0, &ready, &ask);
        if (subscription.type == EVENT_CLOCK) {
            uint64_t moment = moment_of(call->wasi, &subscription, start);
            first = moment < first ? moment : first;
        } else if (ask && p1_wait_fd(call, ask->file->fd, events_of(&subscription)) != P1_BLOCKED) {
            return P1_TRAPPED;
        }
    }
    return reactor_time(&call->wasi->reactor, who, first) ? P1_BLOCKED : p1_no_memory(call);
}

/* At the first step only: remembers when that was. */
static const struct start *start_of(struct p1_call *call)
{
    struct native *frame = call->frame;
    if (frame->locals)
        return frame->locals;
    struct start *start = native_locals(call->p1->vm, frame, sizeof *start);
    if (start && call->wasi->clock)
        *start = (struct start){sys_now(), p1_timestamp(sys_real_time())};
    return start;
}

uint16_t p1_poll_oneoff(struct p1_call *call)
{
    uint32_t count = call->args[2].u32;
    if (!count || count > WASI_P1_EVENTS)
        return P1_INVAL;
    bool resumed = call->frame->locals != NULL;
    const struct start *start = start_of(call);
    if (!start)
        return P1_TRAPPED;
    bool clocks;
    uint16_t error = prepare(call, start, &clocks);
    if (error != P1_SUCCESS)
        return error;
    if (call->wasi->reactor.set.count)
        poll_set_run(&call->wasi->reactor.set, 0);
    uint64_t now = !clocks || !call->wasi->clock ? 0 : resumed ? sys_now() : start->steady;
    uint32_t events = collect(call, start, now);
    if (events == UINT32_MAX)
        return P1_FAULT;
    if (!events)
        return wait_for(call, start);
    return p1_put_u32(call, call->args[3].u32, events) ? P1_SUCCESS : P1_FAULT;
}
