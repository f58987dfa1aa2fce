/* Calls through pointers: classes with tables of methods, filters in a chain, comparators,
 * visitors, events, closures. */
#include "training.h"

struct shape;
struct methods {
    double (*area)(const struct shape *);
    void (*scale)(struct shape *, double);
    int32_t (*hit)(const struct shape *, int32_t x, int32_t y);
};
struct shape {
    const struct methods *methods;
    double width, height;
    int32_t x, y;
};

static double area_of_box(const struct shape *s)
{
    return s->width * s->height;
}
static double area_of_disc(const struct shape *s)
{
    return s->width * s->width * 3.14159;
}
static double area_of_wedge(const struct shape *s)
{
    return s->width * s->height * 0.5;
}
static void scale_both(struct shape *s, double by)
{
    s->width *= by, s->height *= by;
}
static void scale_one(struct shape *s, double by)
{
    s->width *= by;
}
static int32_t hit_box(const struct shape *s, int32_t x, int32_t y)
{
    return x >= s->x && y >= s->y && x < s->x + (int32_t)s->width && y < s->y + (int32_t)s->height;
}
static int32_t hit_disc(const struct shape *s, int32_t x, int32_t y)
{
    int32_t dx = x - s->x, dy = y - s->y, r = (int32_t)s->width;
    return dx * dx + dy * dy < r * r;
}
static const struct methods classes[3] = {{area_of_box, scale_both, hit_box},
                                          {area_of_disc, scale_one, hit_disc},
                                          {area_of_wedge, scale_both, hit_box}};

struct filter {
    uint32_t (*step)(struct filter *, uint32_t);
    struct filter *next;
    uint32_t state, factor;
};
static uint32_t mix(struct filter *f, uint32_t x)
{
    f->state = f->state * f->factor + x;
    return f->state;
}
static uint32_t delay(struct filter *f, uint32_t x)
{
    uint32_t out = f->state;
    f->state = x;
    return out + f->factor;
}
static uint32_t fold(struct filter *f, uint32_t x)
{
    return x >> 3 ^ x << (f->factor & 7);
}
static uint32_t limit(struct filter *f, uint32_t x)
{
    return x > f->factor * 1000 ? x - f->factor : x + f->state;
}

static int up(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}
static int down(const void *a, const void *b)
{
    return *(const int32_t *)b < *(const int32_t *)a ? -1
                                                     : *(const int32_t *)b > *(const int32_t *)a;
}
static int by_low(const void *a, const void *b)
{
    return (*(const int32_t *)a & 255) - (*(const int32_t *)b & 255);
}

static void sort(int32_t *items, uint32_t count, int (*compare)(const void *, const void *))
{
    for (uint32_t gap = count / 2; gap; gap /= 2)
        for (uint32_t i = gap; i < count; i++) {
            int32_t held = items[i];
            uint32_t at = i;
            for (; at >= gap && compare(&items[at - gap], &held) > 0; at -= gap)
                items[at] = items[at - gap];
            items[at] = held;
        }
}

typedef uint32_t event(uint32_t state, uint32_t number);
static uint32_t on_key(uint32_t state, uint32_t n)
{
    return state + n;
}
static uint32_t on_move(uint32_t state, uint32_t n)
{
    return state ^ n << 4;
}
static uint32_t on_tick(uint32_t state, uint32_t n)
{
    return (n & 1 ? state >> 1 : state * 3) + 1;
}
static uint32_t on_none(uint32_t state, uint32_t n)
{
    (void)n;
    return state;
}
static event *const handlers[] = {on_key,  on_none, on_move, on_tick,
                                  on_tick, on_key,  on_none, on_move};

static int64_t each(const int64_t *items, uint32_t count, int64_t (*act)(void *, int64_t),
                    void *with)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += act(with, items[i]);
    return sum;
}
static int64_t scaled(void *with, int64_t x)
{
    return x * *(int64_t *)with;
}
static int64_t most(void *with, int64_t x)
{
    int64_t *m = with;
    if (x > *m)
        *m = x;
    return 1;
}

static uint32_t run(void)
{
    static struct shape shapes[64];
    static int32_t items[300];
    static int64_t wide[256];
    struct filter chain[5] = {{mix, &chain[1], 1, 69069},
                              {delay, &chain[2], 0, 7},
                              {fold, &chain[3], 0, 5},
                              {limit, &chain[4], 9, 123},
                              {mix, 0, 5, 17}};
    uint32_t sum = 0;
    double all = 0;
    for (uint32_t i = 0; i < 64; i++)
        shapes[i] = (struct shape){&classes[number() % 3], 1 + number() % 50, 1 + number() % 50,
                                   (int32_t)(number() % 100), (int32_t)(number() % 100)};
    for (uint32_t k = 0; k < 40; k++)
        for (uint32_t i = 0; i < 64; i++) {
            struct shape *s = &shapes[i];
            all += s->methods->area(s);
            sum += (uint32_t)s->methods->hit(s, (int32_t)k, (int32_t)i);
            if ((i + k) % 16 == 0)
                s->methods->scale(s, k & 1 ? 0.9 : 1.1);
        }
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t x = i;
        for (struct filter *f = chain; f; f = f->next)
            x = f->step(f, x);
        sum = handlers[x & 7](sum + x, i);
    }
    int (*const compare[])(const void *, const void *) = {up, down, by_low};
    for (uint32_t k = 0; k < 6; k++) {
        for (uint32_t i = 0; i < 300; i++)
            items[i] = (int32_t)(number() % 5000);
        sort(items, 300, compare[k % 3]);
        sum += (uint32_t)items[150];
    }
    int64_t factor = 3, largest = 0;
    for (uint32_t i = 0; i < 256; i++)
        wide[i] = number();
    for (uint32_t k = 0; k < 12; k++)
        sum += (uint32_t)(each(wide, 256, scaled, &factor) + each(wide, 256, most, &largest));
    return sum + (uint32_t)all;
}
