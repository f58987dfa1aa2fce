/* libFuzzer on images, whose layers may be compressed: what is found lies in the file or in the
 * room, and nothing is written beyond the room. */
#include "engine/cell/image.h"

#include <stdlib.h>

static uint8_t memory[1 << 22];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes file = {data, size}, found = {NULL, 0};
    struct err err = {0};
    size_t given = size % 3 ? sizeof memory / 2 : sizeof memory / 64;
    struct unpack_room room = {memory, memory + given};
    if (!(image_is(file) || unpack_is(file)) || image_component(file, &room, &found, &err))
        return 0;
    bool within_file = found.at >= data && found.at + found.len <= data + size,
         within_room = found.at >= memory && found.at + found.len <= memory + given;
    if (!within_file && !within_room)
        abort();
    return 0;
}
