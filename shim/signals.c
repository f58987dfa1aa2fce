/* Sets of signals; see signals.h. */
#include "shim/signals.h"
#include <stdint.h>
#include <string.h>

#define SIGNALS            64
#define REAL_TIME_FIRST    34 /* those before are of no use to anybody else */
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number) - 1))

/* What a libc's set begins with is the kernel's. */
static sigset_t set_of(uint64_t bits)
{
    sigset_t set;
    sigemptyset(&set);
    memcpy(&set, &bits, sizeof bits);
    return set;
}

sigset_t signals_all(void)
{
    return set_of(UINT64_MAX);
}

sigset_t signals_and_real_time(const int *numbers, size_t count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= SIGNAL_BIT(numbers[i]);
    for (int number = REAL_TIME_FIRST; number <= SIGNALS; number++)
        bits |= SIGNAL_BIT(number);
    return set_of(bits);
}
