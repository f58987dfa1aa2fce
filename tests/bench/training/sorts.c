/* Sorting, searching and collecting: quick, merge, heap, insertion, radix; a hash table, a queue by
 * priority, shortest ways, sets that are joined, knapsack. */
#include "training.h"

#define COUNT 1500
static uint32_t items[COUNT], spare[COUNT];

static void quick(uint32_t *at, int32_t low, int32_t high)
{
    while (low < high) {
        uint32_t pivot = at[(low + high) / 2];
        int32_t i = low, j = high;
        while (i <= j) {
            while (at[i] < pivot)
                i++;
            while (at[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t held = at[i];
                at[i++] = at[j], at[j--] = held;
            }
        }
        if (j - low < high - i)
            quick(at, low, j), low = i;
        else
            quick(at, i, high), high = j;
    }
}

static void merge(uint32_t *at, uint32_t *other, uint32_t from, uint32_t to)
{
    if (to - from < 2)
        return;
    uint32_t middle = (from + to) / 2, i = from, j = middle;
    merge(at, other, from, middle);
    merge(at, other, middle, to);
    for (uint32_t k = from; k < to; k++)
        other[k] = i < middle && (j >= to || at[i] <= at[j]) ? at[i++] : at[j++];
    for (uint32_t k = from; k < to; k++)
        at[k] = other[k];
}

static void sift(uint32_t *at, uint32_t root, uint32_t count)
{
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && at[child] < at[child + 1])
            child++;
        if (at[root] >= at[child])
            return;
        uint32_t held = at[root];
        at[root] = at[child], at[child] = held;
    }
}

static void heap(uint32_t *at, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift(at, i, count);
    while (count-- > 1) {
        uint32_t held = at[0];
        at[0] = at[count], at[count] = held;
        sift(at, 0, count);
    }
}

static void insertion(int16_t *at, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        int16_t held = at[i];
        int32_t k = i - 1;
        for (; k >= 0 && at[k] > held; k--)
            at[k + 1] = at[k];
        at[k + 1] = held;
    }
}

static void radix(uint32_t *at, uint32_t *other, uint32_t count)
{
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        uint32_t places[257] = {0};
        for (uint32_t i = 0; i < count; i++)
            places[(at[i] >> shift & 255) + 1]++;
        for (uint32_t i = 0; i < 256; i++)
            places[i + 1] += places[i];
        for (uint32_t i = 0; i < count; i++)
            other[places[at[i] >> shift & 255]++] = at[i];
        uint32_t *held = at;
        at = other, other = held;
    }
}

static uint32_t search(const uint32_t *at, uint32_t count, uint32_t wanted)
{
    uint32_t low = 0;
    while (count) {
        uint32_t half = count / 2;
        if (at[low + half] < wanted)
            low += half + 1, count -= half + 1;
        else
            count = half;
    }
    return low;
}

static struct {
    uint64_t key;
    uint32_t value, used;
} places[1024];

static uint32_t *place(uint64_t key)
{
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    for (uint32_t at = (uint32_t)(hash >> 54);; at = (at + 1) & 1023) {
        if (!places[at].used)
            places[at].used = 1, places[at].key = key;
        if (places[at].key == key)
            return &places[at].value;
    }
}

static uint16_t cost[24][24], way[24][24], parent[400];

static void ways(void)
{
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++)
            cost[i][j] = (uint16_t)(1 + number() % 9), way[i][j] = 0xffff;
    way[0][0] = 0;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int i = 0; i < 24; i++)
            for (int j = 0; j < 24; j++) {
                uint32_t best = way[i][j];
                if (i && way[i - 1][j] + cost[i][j] < (int)best)
                    best = (uint32_t)way[i - 1][j] + cost[i][j];
                if (j && way[i][j - 1] + cost[i][j] < (int)best)
                    best = (uint32_t)way[i][j - 1] + cost[i][j];
                if (i < 23 && way[i + 1][j] + cost[i][j] < (int)best)
                    best = (uint32_t)way[i + 1][j] + cost[i][j];
                if (best != way[i][j])
                    way[i][j] = (uint16_t)best, changed = 1;
            }
    }
}

static uint16_t root_of(uint16_t at)
{
    while (parent[at] != at)
        at = parent[at] = parent[parent[at]];
    return at;
}

static int32_t knapsack(void)
{
    static int32_t best[300];
    for (int i = 0; i < 30; i++) {
        int32_t weight = (int32_t)(1 + number() % 60), worth = (int32_t)(number() % 100);
        for (int32_t w = 299; w >= weight; w--)
            if (best[w - weight] + worth > best[w])
                best[w] = best[w - weight] + worth;
    }
    return best[299];
}

static void shuffle(void)
{
    for (uint32_t i = 0; i < COUNT; i++)
        items[i] = number();
}

static uint32_t run(void)
{
    static int16_t few[200];
    uint32_t sum = 0;
    shuffle(), quick(items, 0, COUNT - 1), sum += items[7];
    shuffle(), merge(items, spare, 0, COUNT), sum += items[8];
    shuffle(), heap(items, COUNT), sum += items[9];
    for (uint32_t i = 0; i < 200; i++)
        few[i] = (int16_t)number();
    insertion(few, 200);
    for (uint32_t i = 0; i < COUNT; i++)
        sum += search(items, COUNT, number()), ++*place(number() % 700);
    shuffle(), radix(items, spare, COUNT), ways();
    for (uint16_t i = 0; i < 400; i++)
        parent[i] = i;
    for (uint32_t i = 0; i < 900; i++)
        parent[root_of((uint16_t)(number() % 400))] = root_of((uint16_t)(number() % 400));
    return sum + items[10] + (uint32_t)few[100] + way[23][23] + root_of(17) + (uint32_t)knapsack();
}
