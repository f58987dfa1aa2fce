/* Objects with functions of their own, in arrays, lists and queues: particles, cells of a circuit,
 * tasks, tokens with actions. */
#include "training.h"

struct particle {
    int32_t x, y, speed;
    uint32_t (*move)(struct particle *, uint32_t);
};
static uint32_t drift(struct particle *p, uint32_t time)
{
    p->x += p->speed;
    return (uint32_t)p->x + time;
}
static uint32_t spin(struct particle *p, uint32_t time)
{
    int32_t x = p->x;
    p->x = -p->y;
    p->y = x;
    return time ^ (uint32_t)x;
}
static uint32_t bounce(struct particle *p, uint32_t time)
{
    if (p->x > 1000 || p->x < 0)
        p->speed = -p->speed;
    p->x += p->speed;
    return time + 1;
}
static uint32_t rest(struct particle *p, uint32_t time)
{
    return time * 5 + (uint32_t)p->y;
}
static uint32_t fall(struct particle *p, uint32_t time)
{
    p->speed++;
    p->y -= p->speed >> 2;
    return (uint32_t)p->y & time;
}

struct gate {
    uint32_t (*compute)(uint32_t, uint32_t);
    uint16_t left, right;
};
static uint32_t and_gate(uint32_t a, uint32_t b)
{
    return a & b;
}
static uint32_t or_gate(uint32_t a, uint32_t b)
{
    return a | b;
}
static uint32_t xor_gate(uint32_t a, uint32_t b)
{
    return a ^ b;
}
static uint32_t nand_gate(uint32_t a, uint32_t b)
{
    return ~(a & b);
}
static uint32_t shift_gate(uint32_t a, uint32_t b)
{
    return a << (b & 31);
}

struct task {
    struct task *next;
    struct task *(*act)(struct task *, int64_t *);
    int64_t left;
};
static struct task *count_down(struct task *t, int64_t *total)
{
    *total += t->left--;
    return t->left > 0 ? t : 0;
}
static struct task *halve(struct task *t, int64_t *total)
{
    *total ^= t->left;
    t->left /= 2;
    return t->left ? t : 0;
}
static struct task *skip(struct task *t, int64_t *total)
{
    *total += 3;
    t->left -= 2;
    return t->left >= 0 ? t : 0;
}

typedef double function(double);
static double square(double x)
{
    return x * x;
}
static double cube(double x)
{
    return x * x * x - x;
}
static double inverse(double x)
{
    return 1 / (1 + x);
}
__attribute__((noinline)) static double integral(function *f, double from, double to, int steps)
{
    double sum = 0, width = (to - from) / steps;
    for (int i = 0; i < steps; i++)
        sum += f(from + (i + 0.5) * width);
    return sum * width;
}

static uint32_t leaf(uint32_t n)
{
    return n * 7;
}
static uint32_t odd(uint32_t n);
static uint32_t even(uint32_t n);
static uint32_t (*const by_bits[4])(uint32_t) = {leaf, odd, even, odd};
static uint32_t odd(uint32_t n)
{
    return n < 3 ? n : by_bits[n >> 1 & 3](n - 1) + 1;
}
static uint32_t even(uint32_t n)
{
    return n < 3 ? n : by_bits[n & 3](n >> 1) ^ n;
}

static uint32_t run(void)
{
    static struct particle particles[100];
    static struct gate gates[200];
    static uint32_t wires[200];
    static struct task tasks[50];
    uint32_t (*const moves[])(struct particle *, uint32_t) = {drift, spin, bounce, rest, fall};
    uint32_t (*const kinds[])(uint32_t, uint32_t) = {and_gate, or_gate, xor_gate, nand_gate,
                                                     shift_gate};
    struct task *(*const acts[])(struct task *, int64_t *) = {count_down, halve, skip};
    function *const functions[] = {square, cube, inverse};
    uint32_t time = 1;
    int64_t total = 0;
    double all = 0;
    for (uint32_t i = 0; i < 100; i++)
        particles[i] = (struct particle){(int32_t)(number() % 900), (int32_t)(number() % 900), 3,
                                         moves[number() % 5]};
    for (uint32_t k = 0; k < 60; k++)
        for (uint32_t i = 0; i < 100; i++)
            time = particles[i].move(&particles[i], time);
    for (uint32_t i = 2; i < 200; i++)
        gates[i] =
            (struct gate){kinds[number() % 5], (uint16_t)(number() % i), (uint16_t)(number() % i)};
    for (uint32_t k = 0; k < 30; k++) {
        wires[0] = k * 77, wires[1] = ~k;
        for (uint32_t i = 2; i < 200; i++)
            wires[i] = gates[i].compute(wires[gates[i].left], wires[gates[i].right]);
        time += wires[199];
    }
    struct task *queue = 0;
    for (uint32_t i = 0; i < 50; i++) {
        tasks[i] = (struct task){queue, acts[i % 3], (int64_t)(number() % 300)};
        queue = &tasks[i];
    }
    while (queue)
        for (struct task **at = &queue; *at;) {
            struct task *task = *at;
            if (task->act(task, &total))
                at = &task->next;
            else
                *at = task->next;
        }
    for (uint32_t k = 0; k < 3; k++)
        all += integral(functions[k], 0, 2, 1500);
    for (uint32_t i = 0; i < 400; i++)
        time += odd(i) + even(i * 3);
    return time + (uint32_t)total + (uint32_t)all;
}
