/* Recursion with state: queens, permutations, subset sums, a knight's tour, towers. */
#include "training.h"

static uint32_t solutions;
static uint8_t column[16], line[16], board[36];
static const int8_t knight[8][2] = {{1, 2},   {2, 1},   {2, -1}, {1, -2},
                                    {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}};

static void queens(int row, int size)
{
    if (row == size) {
        solutions++;
        return;
    }
    for (int at = 0; at < size; at++) {
        int clear = 1;
        for (int i = 0; i < row && clear; i++)
            clear = column[i] != at && column[i] + row - i != at && column[i] - row + i != at;
        if (clear) {
            column[row] = (uint8_t)at;
            queens(row + 1, size);
        }
    }
}

static uint32_t queens_by_bits(uint32_t all, uint32_t columns, uint32_t left, uint32_t right)
{
    uint32_t count = columns == all;
    for (uint32_t free = all & ~(columns | left | right); free;) {
        uint32_t bit = free & -free;
        free ^= bit;
        count += queens_by_bits(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

static void permute(uint8_t *items, int from, int count)
{
    if (from == count)
        solutions += items[0] * 3u + items[count - 1];
    for (int i = from; i < count; i++) {
        uint8_t held = items[from];
        items[from] = items[i], items[i] = held;
        permute(items, from + 1, count);
        held = items[from];
        items[from] = items[i], items[i] = held;
    }
}

static uint32_t subsets(const uint32_t *items, uint32_t count, int32_t rest)
{
    if (rest == 0)
        return 1;
    if (count == 0 || rest < 0)
        return 0;
    return subsets(items + 1, count - 1, rest) +
           subsets(items + 1, count - 1, rest - (int32_t)*items);
}

static int tour(int x, int y, int step)
{
    if (x < 0 || y < 0 || x >= 5 || y >= 5 || board[x * 6 + y])
        return 0;
    board[x * 6 + y] = (uint8_t)step;
    if (step == 25)
        return 1;
    for (int i = 0; i < 8; i++)
        if (tour(x + knight[i][0], y + knight[i][1], step + 1))
            return 1;
    board[x * 6 + y] = 0;
    return 0;
}

static void towers(uint32_t height, uint32_t *pegs, uint32_t from, uint32_t to, uint32_t by)
{
    if (height == 0)
        return;
    towers(height - 1, pegs, from, by, to);
    pegs[from]--;
    pegs[to]++;
    towers(height - 1, pegs, by, to, from);
}

static uint32_t run(void)
{
    static uint32_t weights[20];
    uint32_t pegs[3] = {13, 0, 0};
    for (int i = 0; i < 20; i++)
        weights[i] = 5 + number() % 40;
    for (int i = 0; i < 8; i++)
        line[i] = (uint8_t)(i * 7);
    queens(0, 7);
    permute(line, 0, 7);
    towers(13, pegs, 0, 2, 1);
    tour(0, 0, 1);
    return solutions + queens_by_bits(0xff, 0, 0, 0) + subsets(weights, 20, 97) + pegs[2] +
           board[7];
}
