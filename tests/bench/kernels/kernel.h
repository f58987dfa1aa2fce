/* What a kernel of the benchmark is made of. A kernel defines ROUNDS and RESULT, includes this, and
 * defines run(); it is built as a core module without imports (_start traps if the result is wrong)
 * and as a native program. No libc in the module: a kernel has all it needs. */
#ifndef CARREL_BENCH_KERNEL_H
#define CARREL_BENCH_KERNEL_H

#include <stdint.h>

/* A result that is the same wherever it is computed, so that no engine can leave work out. */
static uint32_t run(uint32_t rounds);

/* xorshift32: the same numbers everywhere. */
__attribute__((unused)) static uint32_t random32(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

#ifdef __wasm__
__attribute__((export_name("_start"))) void start(void);
void start(void)
{
    if (run(ROUNDS) != RESULT)
        __builtin_trap();
}
#else
#include <stdio.h>
int main(void)
{
    uint32_t result = run(ROUNDS);
    if (result == RESULT)
        return 0;
    printf("%u\n", result);
    return 1;
}
#endif

#endif
