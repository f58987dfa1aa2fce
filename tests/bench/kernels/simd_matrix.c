/* Vectors of f32 lanes: a matrix product, four columns at once. */
#define ROUNDS 180
#define RESULT 4087u
#include "kernel.h"

typedef float lanes __attribute__((vector_size(16)));
enum { N = 96 };
static float a[N][N];
static lanes b[N][N / 4], c[N][N / 4];

static uint32_t run(uint32_t rounds)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            a[i][k] = (float)(random32() % 10);
            b[i][k / 4][k % 4] = (float)(random32() % 10);
        }
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N / 4; k++) {
                lanes sum = {0};
                for (int j = 0; j < N; j++)
                    sum += a[i][j] * b[j][k];
                c[i][k] = sum;
            }
        a[round % N][5] = (float)((uint32_t)c[3][round % (N / 4)][1] % 10);
    }
    return (uint32_t)(c[N - 1][2][0] + c[4][5][3]);
}
