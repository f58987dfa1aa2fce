/* Direct calls and little else. */
#define ROUNDS 35
#define RESULT 9227465u
#include "kernel.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t run(uint32_t rounds)
{
    return fib(rounds);
}
