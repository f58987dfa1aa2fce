/* f64 in locals alone, with a loop exit that depends on them: the Mandelbrot set. */
#define ROUNDS 600
#define RESULT 10922908u
#include "kernel.h"

static uint32_t run(uint32_t rounds)
{
    uint32_t steps = 0;
    for (uint32_t y = 0; y < rounds; y++)
        for (uint32_t x = 0; x < rounds; x++) {
            double cr = x * 3.0 / rounds - 2, ci = y * 2.0 / rounds - 1;
            double zr = 0, zi = 0;
            for (int i = 0; i < 100 && zr * zr + zi * zi < 4; i++, steps++) {
                double next = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = next;
            }
        }
    return steps;
}
