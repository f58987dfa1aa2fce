/* Waiting: one loop over granted descriptors and moments for everything in a cell that waits.
 *
 * Whoever cannot go on tells the reactor what for (reactor_fd, reactor_time), as often as needed,
 * and gets out of the way; a host function then answers HOST_BLOCKED. When nothing else can run,
 * the main loop calls reactor_wait, and then runs what reactor_next gives, until that is NULL. What
 * somebody waited for is forgotten as soon as one of it happens: it looks again for itself, and may
 * find nothing, because another was faster.
 *
 * `who` is any address that means the same to those who call reactor_fd and reactor_next: a fiber,
 * and later a task. Everything that one `who` waits for is told in one go. */
#ifndef CARREL_WASI_REACTOR_H
#define CARREL_WASI_REACTOR_H

#include "engine/base/heap.h"
#include "engine/wasi/sys.h"

#include <stdbool.h>

/* Descriptors to ask the kernel about, each once, however many want to know. (The kernel takes no
 * more of them than a process may have open.) */
struct poll_set {
    struct pollfd *polls;
    size_t count;
    size_t room;
    uint32_t *place; /* of a descriptor in `polls`, from 1; 0: not there */
    size_t places;
};

struct reactor_wait {
    void *who;
    int fd; /* -1: a moment only */
    short events;
    uint64_t until; /* as sys_now; UINT64_MAX: no moment */
};

struct reactor {
    struct heap *heap;
    bool may_poll; /* PPOLL is in the filter: without it a wait is over at once */
    struct reactor_wait *waits;
    size_t count;
    size_t room;
    void **ready; /* from `next` to `nready` */
    size_t nready;
    size_t next;
    size_t ready_room;
    struct poll_set set;
};

/* --- Sets of descriptors ------------------------------------------------------------------------
 */

void poll_set_clear(struct poll_set *set);

/* Wants to know `events` (POLLIN, POLLOUT) of `fd`, which is not negative. False: no memory. */
bool poll_set_add(struct poll_set *set, struct heap *heap, int fd, short events);

/* Asks the kernel, waiting at most `timeout` nanoseconds. */
void poll_set_run(struct poll_set *set, uint64_t timeout);

/* Whether one of `events` happened to `fd`, or an error or the end of the other side did. */
bool poll_set_ready(const struct poll_set *set, int fd, short events);

/* Whether the other side of `fd` is gone. */
bool poll_set_hangup(const struct poll_set *set, int fd);

/* --- The loop -----------------------------------------------------------------------------------
 */

void reactor_init(struct reactor *reactor, struct heap *heap, bool may_poll);

/* `who` waits for a descriptor, for a moment. False: no memory. */
bool reactor_fd(struct reactor *reactor, void *who, int fd, short events);
bool reactor_time(struct reactor *reactor, void *who, uint64_t until);

/* Forgets what `who` waits for. */
void reactor_forget(struct reactor *reactor, void *who);

/* Sleeps until something happens that somebody waits for. False if nobody waits, which for a loop
 * with nothing else to run is a deadlock. */
bool reactor_wait(struct reactor *reactor);

/* Who can go on, each once; NULL when there is no more. */
void *reactor_next(struct reactor *reactor);

#endif
