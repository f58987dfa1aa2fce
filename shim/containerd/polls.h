/* What the loop waits for, gathered anew each time round: whoever waits keeps the number of its
 * place, and looks there afterwards. */
#ifndef CARREL_SHIM_CONTAINERD_POLLS_H
#define CARREL_SHIM_CONTAINERD_POLLS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* All processes with all that they may wait for, and every connection. */
#define POLLS_MAX 4096

struct polls {
    struct pollfd at[POLLS_MAX + 1]; /* the last is of those that wait for nothing */
    size_t count;
    uint64_t until; /* of cell_now; UINT64_MAX: no end */
};

/* Begins anew. */
static inline void polls_clear(struct polls *polls)
{
    polls->count = 0;
    polls->until = UINT64_MAX;
    polls->at[POLLS_MAX] = (struct pollfd){-1, 0, 0};
}

/* A descriptor that is waited for; what is -1 never has events. The number of its place. */
static inline size_t polls_add(struct polls *polls, struct pollfd wait)
{
    if (wait.fd < 0 || polls->count == POLLS_MAX)
        return POLLS_MAX;
    polls->at[polls->count] = wait;
    return polls->count++;
}

/* Wait no longer than until then. */
static inline void polls_until(struct polls *polls, uint64_t until)
{
    if (until < polls->until)
        polls->until = until;
}

static inline short polls_events(const struct polls *polls, size_t place)
{
    return polls->at[place].revents;
}

#endif
