/* What the loop waits for, gathered anew each time round: whoever waits keeps the number of its
 * place, and looks there afterwards. */
#ifndef CARREL_SHIM_CONTAINERD_POLLS_H
#define CARREL_SHIM_CONTAINERD_POLLS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define POLLS_MAX 1024

struct polls {
    struct pollfd at[POLLS_MAX];
    size_t count;
    uint64_t until; /* of cell_now; UINT64_MAX: no end */
};

/* A descriptor that is waited for; what is -1 never has events. The number of its place. */
static inline size_t polls_add(struct polls *polls, struct pollfd wait)
{
    size_t place = polls->count < POLLS_MAX ? polls->count++ : POLLS_MAX - 1;
    polls->at[place] = wait;
    return place;
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
