/* f64 with square roots and divisions over structures in memory: bodies in orbit. */
#define ROUNDS 400000
#define RESULT 1819330u
#include "kernel.h"

struct body {
    double at[3], speed[3], mass;
};
static struct body bodies[5];

static void advance(double dt)
{
    for (int i = 0; i < 5; i++) {
        struct body *a = &bodies[i];
        for (int k = i + 1; k < 5; k++) {
            struct body *b = &bodies[k];
            double x = a->at[0] - b->at[0];
            double y = a->at[1] - b->at[1];
            double z = a->at[2] - b->at[2];
            double square = x * x + y * y + z * z + 0.01;
            double pull = dt / (square * __builtin_sqrt(square));
            a->speed[0] -= x * b->mass * pull;
            a->speed[1] -= y * b->mass * pull;
            a->speed[2] -= z * b->mass * pull;
            b->speed[0] += x * a->mass * pull;
            b->speed[1] += y * a->mass * pull;
            b->speed[2] += z * a->mass * pull;
        }
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].at[k] += dt * bodies[i].speed[k];
}

static uint32_t run(uint32_t rounds)
{
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++)
            bodies[i].at[k] = random32() % 64;
        bodies[i].mass = 1 + random32() % 8;
    }
    for (uint32_t round = 0; round < rounds; round++)
        advance(0.001);
    return (uint32_t)(int32_t)(bodies[0].at[0] * 65536 + bodies[4].at[2]);
}
