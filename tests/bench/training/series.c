/* Recursive sequences of numbers of every type: Pell, Lucas, tribonacci, Catalan, the golden ratio.
 */
#include "training.h"

__attribute__((noinline)) static uint32_t pell(uint32_t n)
{
    if (n < 2)
        return n;
    return 2 * pell(n - 1) + pell(n - 2);
}

__attribute__((noinline)) static int64_t lucas(int64_t n)
{
    return n == 0 ? 2 : n == 1 ? 1 : lucas(n - 1) + lucas(n - 2);
}

__attribute__((noinline)) static int32_t tribonacci(int32_t n)
{
    if (n <= 1)
        return 0;
    if (n == 2)
        return 1;
    return tribonacci(n - 1) + tribonacci(n - 2) + tribonacci(n - 3);
}

__attribute__((noinline)) static uint32_t catalan(uint32_t n)
{
    uint32_t sum = n == 0;
    for (uint32_t i = 0; i < n; i++)
        sum += catalan(i) * catalan(n - 1 - i);
    return sum;
}

__attribute__((noinline)) static double ratio(int depth, double value)
{
    return depth <= 0 ? value
                      : 1.0 + 1.0 / (ratio(depth - 1, value) * 0.5 + ratio(depth - 2, value) * 0.5);
}

static uint32_t run(void)
{
    return pell(19) + (uint32_t)lucas(19) + (uint32_t)tribonacci(17) + catalan(9) +
           (uint32_t)ratio(17, 1.5);
}
