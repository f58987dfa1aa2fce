/* Sets of signals as the kernel has them, 1 to 64. A libc keeps the first ones of real time to
 * itself and leaves them out of the sets that it fills (musl three, glibc two), but who is sent one
 * dies of it. */
#ifndef CARREL_SHIM_SIGNALS_H
#define CARREL_SHIM_SIGNALS_H

#include <signal.h>
#include <stddef.h>

/* Every signal. Those that cannot be blocked are no matter in a mask. */
sigset_t signals_all(void);

/* These, and all of real time that a program may send another. */
sigset_t signals_and_real_time(const int *numbers, size_t count);

#endif
