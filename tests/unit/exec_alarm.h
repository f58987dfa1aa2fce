/* An alarm that interrupts a guest: a signal stands for the shim, which writes the flag. Processor
 * time is what counts, as others may have the processor meanwhile. */
#ifndef CARREL_TESTS_EXEC_ALARM_H
#define CARREL_TESTS_EXEC_ALARM_H

#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile uint32_t alarm_flag; /* for vm_limits' `interrupt` */
static volatile uint64_t alarm_rang; /* processor time in nanoseconds */

static inline uint64_t processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void alarm_ring(int signal)
{
    (void)signal;
    alarm_rang = processor_time();
    alarm_flag = 1;
}

static inline void alarm_in(suseconds_t microseconds)
{
    alarm_flag = 0;
    signal(SIGALRM, alarm_ring);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, microseconds}}, NULL);
}

/* The guest has stopped within ten milliseconds of the alarm. */
static inline void assert_alarm_heeded(void)
{
    assert_in_range(processor_time() - alarm_rang, 0, 10000000);
}

#endif
