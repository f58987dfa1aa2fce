/* Functions that call themselves and each other, with one to four arguments: Takeuchi, Ackermann,
 * Hofstadter, binomials, paths through a lattice, parity. */
#include "training.h"

__attribute__((noinline)) static int32_t tak(int32_t x, int32_t y, int32_t z)
{
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

__attribute__((noinline)) static uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

__attribute__((noinline)) static uint32_t hofstadter(uint32_t n)
{
    return n ? n - hofstadter(hofstadter(n - 1)) : 0;
}

__attribute__((noinline)) static uint64_t binomial(uint32_t n, uint32_t k)
{
    if (k == 0 || k == n)
        return 1;
    return binomial(n - 1, k - 1) + binomial(n - 1, k);
}

__attribute__((noinline)) static uint32_t paths(int x, int y, int z, uint32_t length)
{
    if (x < 0 || y < 0 || z < 0)
        return 0;
    if (x + y + z == 0)
        return length;
    return paths(x - 1, y, z, length + 1) + paths(x, y - 1, z, length + 1) +
           paths(x, y, z - 1, length + 1);
}

static uint32_t is_odd(uint32_t n);
__attribute__((noinline)) static uint32_t is_even(uint32_t n)
{
    return n == 0 ? 1 : is_odd(n - 1) ^ (n & 1);
}
__attribute__((noinline)) static uint32_t is_odd(uint32_t n)
{
    return n == 0 ? 0 : is_even(n - 1) + 1;
}

static uint32_t run(void)
{
    uint32_t sum =
        (uint32_t)tak(14, 9, 4) + ackermann(2, 60) + hofstadter(60) + (uint32_t)binomial(17, 8);
    sum += paths(5, 4, 4, 0);
    for (uint32_t i = 0; i < 200; i++)
        sum += is_even(i);
    return sum;
}
