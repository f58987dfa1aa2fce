/* memcpy, memmove and memset of the engine, against loops of bytes: all sizes up to some steps, at
 * all ways to be aligned, and overlapping by every distance. */
#include "engine/base/copy.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SIZES 300u /* bytes: past everything that is done as a whole */
#define WAYS  17u  /* to be aligned to a block, and once around */
#define ROOM  1024u

static uint8_t area[ROOM];
static uint8_t expected[ROOM];

static void write_pattern(uint8_t *to)
{
    for (size_t i = 0; i < ROOM; i++)
        to[i] = (uint8_t)(i * 7 + i / 256);
}

static void what_lies_apart_is_copied(void **state)
{
    (void)state;
    static uint8_t from[ROOM];
    write_pattern(from);
    for (size_t size = 0; size < SIZES; size++)
        for (size_t way = 0; way < WAYS * WAYS; way++) {
            size_t to = 32 + way / WAYS;
            size_t start = way % WAYS;
            memset(area, 0xee, ROOM);
            memset(expected, 0xee, ROOM);
            for (size_t i = 0; i < size; i++)
                expected[to + i] = from[start + i];
            copy_apart(area + to, from + start, size);
            assert_memory_equal(area, expected, ROOM);
        }
}

static void what_overlaps_is_moved(void **state)
{
    (void)state;
    for (size_t size = 0; size < SIZES; size += size < 140 ? 1 : 13)
        for (size_t distance = 0; distance <= size + 1; distance++)
            for (unsigned below = 0; below < 2; below++) {
                size_t from = 330 + (below ? distance : 0);
                size_t to = 330 + (below ? 0 : distance);
                write_pattern(area);
                write_pattern(expected);
                for (size_t i = 0; i < size; i++)
                    expected[to + i] = area[from + i];
                copy_moved(area + to, area + from, size);
                assert_memory_equal(area, expected, ROOM);
            }
}

static void bytes_are_set(void **state)
{
    (void)state;
    for (size_t size = 0; size < SIZES; size++)
        for (size_t way = 0; way < WAYS; way++) {
            write_pattern(area);
            write_pattern(expected);
            for (size_t i = 0; i < size; i++)
                expected[32 + way + i] = 0xa5;
            copy_filled(area + 32 + way, 0xa5, size);
            assert_memory_equal(area, expected, ROOM);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_apart_is_copied),
        cmocka_unit_test(what_overlaps_is_moved),
        cmocka_unit_test(bytes_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
