/* Namespaces that all cells of a shim share: a mount namespace whose root is an empty read-only
 * tmpfs, a net and an ipc namespace in which nothing is. To make them is most of what a cell with
 * namespaces of its own costs. Nothing can ever be put into them: a cell has no capability over
 * them, and no system call that would make anything there. Pid, user, uts and cgroup namespaces
 * every cell has of its own. (SECURITY.md says what differs.) */
#ifndef CARREL_SHIM_SHARED_H
#define CARREL_SHIM_SHARED_H

#include "shim/shim.h"

/* Begins to make a net namespace, which takes longest, and comes back at once: the sooner, the less
 * a cell has to wait. */
void shared_begin(struct shim *shim, const struct host *host);

/* Says in *host that the next cell may have it for itself alone; every other namespace it then has
 * of its own, too. For one plan. */
void shared_take(struct host *host);

/* Makes them all, once for this shim, and says so in *host: plans that are made with it share. They
 * live as long as the shim. Where they cannot be made nothing changes: then every cell has its own,
 * or says which wall it lacks. */
void shared_open(struct shim *shim, struct host *host);

/* Tells whoever makes what was begun and not opened to end, which takes it a moment: when its cell
 * was launched. */
void shared_dismiss(void);

/* Ends it, and waits until it is gone: once something else was waited for, and before the shim
 * closes. */
void shared_end(void);

/* Says in *host what this shim's cells share, if they do. */
void shared_use(const struct shim *shim, struct host *host);

/* How far the net namespace is; below 0: -errno, it could not be made. */
enum { SHARED_NET_BEGUN, SHARED_NET_MADE, SHARED_NET_WANTED, SHARED_NET_OPEN };

/* Waits until it is as far as `state`: 0, or -errno. Makes system calls and nothing else: the child
 * of a launch waits so, too. */
long shared_await_net(int maker, int state);

#endif
