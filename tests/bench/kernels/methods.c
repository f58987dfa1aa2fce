/* call_indirect: methods of objects of four kinds. */
#define ROUNDS 50000
#define RESULT 69206866u
#include "kernel.h"

struct object {
    uint32_t (*method)(struct object *, uint32_t);
    uint32_t a, b;
};

static uint32_t scale(struct object *o, uint32_t x)
{
    return o->a * x + o->b;
}

static uint32_t toggle(struct object *o, uint32_t x)
{
    o->a ^= x;
    return o->a;
}

static uint32_t clamp(struct object *o, uint32_t x)
{
    return x > o->a ? x - o->b : x + o->b;
}

static uint32_t shift(struct object *o, uint32_t x)
{
    return x << 3 ^ (o->b + x);
}

static uint32_t run(uint32_t rounds)
{
    static uint32_t (*const methods[])(struct object *, uint32_t) = {scale, toggle, clamp, shift};
    enum { COUNT = 250 };
    static struct object objects[COUNT];
    for (int i = 0; i < COUNT; i++)
        objects[i] = (struct object){methods[random32() & 3], random32() & 255, random32() & 127};
    uint32_t x = 1;
    for (uint32_t round = 0; round < rounds; round++)
        for (int i = 0; i < COUNT; i++)
            x = objects[i].method(&objects[i], x);
    return x;
}
