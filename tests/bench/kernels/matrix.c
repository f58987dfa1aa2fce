/* Dense f64 arithmetic with regular addresses. */
#define ROUNDS 50
#define RESULT 402216u
#include "kernel.h"

enum { N = 90 };
static double a[N][N], b[N][N], c[N][N];

static uint32_t run(uint32_t rounds)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            a[i][k] = random32() % 100;
            b[i][k] = random32() % 100;
        }
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double sum = 0;
                for (int j = 0; j < N; j++)
                    sum += a[i][j] * b[j][k];
                c[i][k] = sum;
            }
        a[round % N][3] = (uint32_t)c[5][round % N] % 100;
    }
    return (uint32_t)(c[7][9] + c[N - 1][N - 1]);
}
