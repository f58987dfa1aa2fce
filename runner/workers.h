/* Processes that do the same work beside each other. */
#ifndef CARREL_RUNNER_WORKERS_H
#define CARREL_RUNNER_WORKERS_H

#include <stdint.h>

/* Has `count` processes do `work`, each with its number from 0, which gives an exit code, until
 * this one is sent a signal to end: it is passed on, and again if it comes again. Whoever ends
 * before is replaced, unless it ended as soon as it had begun; then all end. Returns the worst exit
 * code of those that ended last. */
int workers_run(uint64_t count, int (*work)(void *data, uint64_t number), void *data);

#endif
