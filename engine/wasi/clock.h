/* The clocks as the guest sees them, for both generations of WASI. */
#ifndef CARREL_WASI_CLOCK_H
#define CARREL_WASI_CLOCK_H

#include "engine/wasi/wasi.h"

/* Nanoseconds of one tick; both clocks. */
#define CLOCK_RESOLUTION 1

/* The steady clock, which is one second when the guest first reads it: how long the host has been
 * up is nobody's business. */
uint64_t clock_steady(struct wasi *wasi);

/* A moment of it as the reactor takes it. 0 (always over) where there is no clock. */
uint64_t clock_until(struct wasi *wasi, uint64_t steady);
uint64_t clock_after(struct wasi *wasi, uint64_t duration);

/* What the interpreter's waiting in shared memory goes by; where the steady clock may not be read a
 * wait is over at once. */
struct vm_clock clock_for_vm(struct wasi *wasi);

/* The time of day; the epoch where there is no clock, or the host believes that it is before. */
struct timespec clock_real(const struct wasi *wasi);

#endif
