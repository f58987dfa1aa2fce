/* What a program is made of that rows of fuse.def are chosen by: a core module without imports,
 * whose _start runs it. The result is kept, so that no compiler can leave the work out. */
#ifndef CARREL_BENCH_TRAINING_H
#define CARREL_BENCH_TRAINING_H

#include <stddef.h>
#include <stdint.h>

static uint32_t run(void);

/* A linear congruential generator; upper bits are the better ones. */
__attribute__((unused)) static uint32_t number(void)
{
    static uint64_t state = 88172645463325252u;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static volatile uint32_t result;

#ifdef __wasm__
__attribute__((export_name("_start"))) void start(void);
void start(void)
{
    result = run();
}
#else
int main(void)
{
    result = run();
    return 0;
}
#endif

#endif
