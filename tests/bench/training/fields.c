/* Numbers in rows: sieves by bytes and bits, cells that live, products of matrices of three types,
 * planets and springs, fractals, a transform, differences in time. */
#include "training.h"

static uint8_t flags[8000], world[2][34][34];
static uint32_t bits[300];
static double a[24][24], b[24][24], c[24][24], re[256], im[256], rod[2][200];
static float fa[24][24], fb[24][24], fc[24][24];
static int32_t ia[24 * 24], ib[24 * 24], ic[24 * 24];

static uint32_t primes(void)
{
    uint32_t count = 0;
    for (uint32_t i = 2; i < sizeof flags; i++)
        flags[i] = 1;
    for (uint32_t i = 2; i < sizeof flags; i++)
        if (flags[i]) {
            count++;
            for (uint32_t k = i * i; k < sizeof flags; k += i)
                flags[k] = 0;
        }
    for (uint32_t i = 3; i < 9600; i += 2)
        if (!(bits[i >> 5] >> (i & 31) & 1)) {
            count++;
            for (uint32_t k = 3 * i; k < 9600; k += 2 * i)
                bits[k / 32] |= 1u << (k % 32);
        }
    return count;
}

static void live(int now)
{
    for (int y = 1; y <= 32; y++)
        for (int x = 1; x <= 32; x++) {
            int n = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    n += world[now][y + dy][x + dx];
            world[!now][y][x] = n == 3 || (n == 4 && world[now][y][x]);
        }
}

static void products(void)
{
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++) {
            double sum = 0;
            float single = 0;
            int32_t whole = 0;
            for (int k = 0; k < 24; k++) {
                sum += a[i][k] * b[k][j];
                single += fa[i][k] * fb[j][k];
                whole += ia[i * 24 + k] * ib[k * 24 + j];
            }
            c[i][j] = sum, fc[i][j] = single, ic[i * 24 + j] = whole;
        }
}

struct body {
    double at[3], speed[3], mass;
};

static void planets(struct body *bodies, int count, double step)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            double d[3], square = 0.01;
            if (i == j)
                continue;
            for (int k = 0; k < 3; k++)
                d[k] = bodies[j].at[k] - bodies[i].at[k], square += d[k] * d[k];
            double pull = step * bodies[j].mass / (square * __builtin_sqrt(square));
            for (int k = 0; k < 3; k++)
                bodies[i].speed[k] += d[k] * pull;
        }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].at[k] += bodies[i].speed[k] * step;
}

static uint32_t fractal(double cx, double cy)
{
    uint32_t sum = 0;
    for (int y = 0; y < 24; y++)
        for (int x = 0; x < 32; x++) {
            double zx = x / 16.0 - 1, zy = y / 12.0 - 1;
            int steps = 0;
            while (steps < 50 && zx * zx + zy * zy < 4) {
                double next = zx * zx - zy * zy + cx;
                zy = 2 * zx * zy + cy, zx = next, steps++;
            }
            sum += (uint32_t)steps;
        }
    return sum;
}

static void transform(uint32_t count)
{
    for (uint32_t i = 1, j = 0; i < count; i++) {
        uint32_t bit = count >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double held = re[i];
            re[i] = re[j], re[j] = held;
        }
    }
    for (uint32_t length = 2; length <= count; length *= 2) {
        double wx = 1 - 19.7392 / (length * (double)length), wy = 6.28318 / length;
        for (uint32_t i = 0; i < count; i += length) {
            double x = 1, y = 0;
            for (uint32_t k = i; k < i + length / 2; k++) {
                uint32_t o = k + length / 2;
                double u = re[o] * x - im[o] * y, v = re[o] * y + im[o] * x;
                re[o] = re[k] - u, im[o] = im[k] - v, re[k] += u, im[k] += v;
                double next = x * wx - y * wy;
                y = x * wy + y * wx, x = next;
            }
        }
    }
}

static uint32_t run(void)
{
    struct body bodies[6];
    uint32_t sum = primes();
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++) {
            a[i][j] = number() % 10, b[i][j] = i - j, fa[i][j] = (float)j,
            fb[i][j] = (float)(i + j);
            ia[i * 24 + j] = i, ib[i * 24 + j] = j;
            world[0][i + 1][j + 1] = number() & 1;
        }
    products();
    for (int i = 0; i < 8; i++)
        live(i & 1);
    for (int i = 0; i < 6; i++)
        bodies[i] = (struct body){{i, i * 2.0, 1 - i}, {0, 1, i * 0.1}, 1 + i};
    for (int i = 0; i < 60; i++)
        planets(bodies, 6, 0.01);
    for (int i = 0; i < 256; i++)
        re[i] = number() % 100;
    for (int i = 0; i < 3; i++)
        transform(256);
    rod[0][100] = 1000;
    for (int t = 0; t < 30; t++)
        for (int i = 1; i < 199; i++)
            rod[!(t & 1)][i] =
                rod[t & 1][i] + 0.2 * (rod[t & 1][i - 1] - 2 * rod[t & 1][i] + rod[t & 1][i + 1]);
    return sum + (uint32_t)(int32_t)c[3][4] + (uint32_t)fc[5][6] + (uint32_t)ic[70] +
           world[0][7][8] + (uint32_t)(int32_t)bodies[2].at[1] + fractal(-0.4, 0.6) +
           fractal(0.28, 0.01) + (uint32_t)(int32_t)re[9] + (uint32_t)rod[0][99];
}
