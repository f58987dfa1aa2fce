/* Comparisons that nobody predicts, swaps in memory, recursion: quicksort. */
#define ROUNDS 15
#define RESULT 176778843u
#include "kernel.h"

enum { COUNT = 60000 };
static int32_t numbers[COUNT];

static void sort(int32_t low, int32_t high)
{
    while (low < high) {
        int32_t pivot = numbers[low + (high - low) / 2], i = low, k = high;
        while (i <= k) {
            while (numbers[i] < pivot)
                i++;
            while (numbers[k] > pivot)
                k--;
            if (i <= k) {
                int32_t swap = numbers[i];
                numbers[i++] = numbers[k];
                numbers[k--] = swap;
            }
        }
        sort(low, k);
        low = i;
    }
}

static uint32_t run(uint32_t rounds)
{
    uint32_t result = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++)
            numbers[i] = (int32_t)random32();
        sort(0, COUNT - 1);
        for (int i = 0; i < COUNT; i += 97)
            result = result * 31 + (uint32_t)numbers[i];
    }
    return result;
}
