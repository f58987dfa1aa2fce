/* The loop; see reactor.h. Every step is linear in what waits, as ppoll itself is. */
#include "engine/wasi/reactor.h"

#include <errno.h>
#include <string.h>

/* Room for one more thing of `each` bytes in a growing array. */
static bool more(struct heap *heap, void **array, size_t count, size_t *room, size_t each)
{
    if (count < *room)
        return true;
    size_t larger = *room ? *room * 2 : 16;
    size_t size;
    if (__builtin_mul_overflow(larger, each, &size))
        return false;
    void *moved = heap_resize(heap, *array, size);
    if (!moved)
        return false;
    *array = moved;
    *room = larger;
    return true;
}

/* --- Sets of descriptors ------------------------------------------------------------------------
 */

void poll_set_clear(struct poll_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        set->place[set->polls[i].fd] = 0;
    set->count = 0;
}

/* Makes `place` reach `fd`. */
static bool reach(struct poll_set *set, struct heap *heap, size_t fd)
{
    if (fd < set->places)
        return true;
    size_t places = fd + 64;
    uint32_t *place = heap_resize(heap, set->place, places * sizeof *place);
    if (!place)
        return false;
    memset(place + set->places, 0, (places - set->places) * sizeof *place);
    set->place = place;
    set->places = places;
    return true;
}

bool poll_set_add(struct poll_set *set, struct heap *heap, int fd, short events)
{
    if (!reach(set, heap, (size_t)fd))
        return false;
    uint32_t place = set->place[fd];
    if (place) {
        struct pollfd *poll = &set->polls[place - 1];
        poll->events = (short)(poll->events | events);
        return true;
    }
    void *polls = set->polls;
    if (!more(heap, &polls, set->count, &set->room, sizeof *set->polls))
        return false;
    set->polls = polls;
    set->polls[set->count++] = (struct pollfd){.fd = fd, .events = events};
    set->place[fd] = (uint32_t)set->count;
    return true;
}

void poll_set_run(struct poll_set *set, uint64_t timeout)
{
    /* A call that fails says nothing about any descriptor: let everybody look for themselves. */
    if (sys_poll(set->polls, set->count, timeout) < 0)
        for (size_t i = 0; i < set->count; i++)
            set->polls[i].revents = POLLERR;
}

/* What happened to it; 0 if it was not asked about. */
static short happened(const struct poll_set *set, int fd)
{
    uint32_t place = (size_t)fd < set->places ? set->place[fd] : 0;
    if (!place)
        return 0;
    return set->polls[place - 1].revents;
}

bool poll_set_ready(const struct poll_set *set, int fd, short events)
{
    return happened(set, fd) & (events | POLLERR | POLLHUP | POLLNVAL);
}

bool poll_set_hangup(const struct poll_set *set, int fd)
{
    return happened(set, fd) & POLLHUP;
}

/* --- The loop -----------------------------------------------------------------------------------
 */

void reactor_init(struct reactor *reactor, struct heap *heap, bool may_poll)
{
    *reactor = (struct reactor){.heap = heap, .may_poll = may_poll};
}

static bool add(struct reactor *reactor, struct reactor_wait wait)
{
    void *waits = reactor->waits;
    if (!more(reactor->heap, &waits, reactor->count, &reactor->room, sizeof wait))
        return false;
    reactor->waits = waits;
    /* Room for the answer too, so that reactor_wait cannot fail. */
    void *ready = reactor->ready;
    if (!more(reactor->heap, &ready, reactor->count, &reactor->ready_room, sizeof(void *)))
        return false;
    reactor->ready = ready;
    if (wait.fd >= 0 && !reach(&reactor->set, reactor->heap, (size_t)wait.fd))
        return false;
    reactor->waits[reactor->count++] = wait;
    return true;
}

bool reactor_fd(struct reactor *reactor, void *who, int fd, short events)
{
    return add(reactor, (struct reactor_wait){who, fd, events, UINT64_MAX});
}

bool reactor_time(struct reactor *reactor, void *who, uint64_t until)
{
    return add(reactor, (struct reactor_wait){who, -1, 0, until});
}

void reactor_forget(struct reactor *reactor, void *who)
{
    size_t kept = 0;
    for (size_t i = 0; i < reactor->count; i++)
        if (reactor->waits[i].who != who)
            reactor->waits[kept++] = reactor->waits[i];
    reactor->count = kept;
}

/* Asks about everything at once. False if that is not possible: then everybody may look. */
static bool ask(struct reactor *reactor, uint64_t *ret_now)
{
    uint64_t first = UINT64_MAX;
    poll_set_clear(&reactor->set);
    for (size_t i = 0; i < reactor->count; i++) {
        struct reactor_wait *wait = &reactor->waits[i];
        if (wait->until < first)
            first = wait->until;
        if (wait->fd >= 0 && !poll_set_add(&reactor->set, reactor->heap, wait->fd, wait->events))
            return false;
    }
    uint64_t timeout = UINT64_MAX;
    if (first != UINT64_MAX) {
        uint64_t now = sys_now();
        timeout = first > now ? first - now : 0;
    }
    poll_set_run(&reactor->set, timeout);
    *ret_now = first != UINT64_MAX ? sys_now() : 0;
    return true;
}

/* Moves those whose wait is over to `ready` and keeps the others. */
static void sort_out(struct reactor *reactor, bool asked, uint64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < reactor->count;) {
        void *who = reactor->waits[i].who;
        bool over = !asked;
        size_t end = i;
        for (; end < reactor->count && reactor->waits[end].who == who; end++) {
            struct reactor_wait *wait = &reactor->waits[end];
            over = over || wait->until <= now ||
                   (wait->fd >= 0 && poll_set_ready(&reactor->set, wait->fd, wait->events));
        }
        if (over)
            reactor->ready[reactor->nready++] = who;
        else
            for (size_t j = i; j < end; j++)
                reactor->waits[kept++] = reactor->waits[j];
        i = end;
    }
    reactor->count = kept;
}

bool reactor_wait(struct reactor *reactor)
{
    if (reactor->next < reactor->nready)
        return true;
    reactor->next = reactor->nready = 0;
    if (!reactor->count)
        return false;
    while (!reactor->nready) {
        uint64_t now = 0;
        bool asked = reactor->may_poll && ask(reactor, &now);
        sort_out(reactor, asked, now);
    }
    return true;
}

void *reactor_next(struct reactor *reactor)
{
    return reactor->next < reactor->nready ? reactor->ready[reactor->next++] : NULL;
}
