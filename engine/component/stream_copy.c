/* Elements of streams and futures on their way from one buffer to another; see stream.h. */
#include "engine/component/layout.h"
#include "engine/component/lift.h"
#include "engine/component/lower.h"
#include "engine/component/stream.h"
#include "engine/component/within.h"

#define CHUNK 65536u /* bytes in host layout that are on their way at once, or one element */

static const struct cm_type *element_of(const struct cm_end *end)
{
    return end->type->element;
}

/* Where the next element of a guest's buffer lies. */
static uint32_t place(const struct cm_end *end)
{
    return end->at + end->progress * element_of(end)->layout.size;
}

static uint8_t *host_place(const struct cm_end *end)
{
    return end->host + (size_t)end->progress * element_of(end)->layout.host_size;
}

/* Lifts elements from a guest's buffer to `to`, zeroed. */
static bool lift(struct cm_end *from, const struct cm_end *to_end, uint32_t count,
                 struct host_scratch *values, uint8_t *to)
{
    const struct cm_type *element = element_of(from);
    struct cm_lift lift = {
        .instance = from->instance,
        .for_host = !to_end->instance,
        .for_itself = from->instance == to_end->instance,
        .encoding = from->abi->encoding,
        .memory = from->abi->memory,
        .scratch = values,
    };
    for (uint32_t i = 0; i < count; i++)
        if (!cm_lift_memory(&lift, element, place(from) + i * element->layout.size,
                            to + (size_t)i * element->layout.host_size))
            return cm_within_written(from, from->progress + i);
    return true;
}

/* Where the next `count` elements go in a guest's memory, within which the buffer lay from the
 * beginning. Noted only now that they are written: an image (engine/exec/image.h) may have been
 * made since then. */
static uint8_t *room_of(const struct cm_end *to, uint32_t count)
{
    return memory_to(to->abi->memory, place(to), (uint64_t)count * element_of(to)->layout.size);
}

/* Lowers elements into a guest's buffer. */
static bool lower(struct cm_end *to, uint32_t count, const uint8_t *from, struct native *frame)
{
    const struct cm_type *element = element_of(to);
    struct cm_lower lower = {to->instance, frame, to->abi, NULL};
    (void)room_of(to, count);
    for (uint32_t i = 0; i < count; i++)
        if (!cm_lower_memory(&lower, element, from + (size_t)i * element->layout.host_size,
                             place(to) + i * element->layout.size))
            return cm_within_read(to, to->progress + i);
    return true;
}

/* A few elements. */
static bool pass(struct cm_end *from, struct cm_end *to, uint32_t count, struct native *frame)
{
    struct cm_store *store = from->stream->store;
    size_t size = (size_t)count * element_of(from)->layout.host_size;
    struct host_scratch values = {.store = store};
    /* What the host gets points into memory that is its own for as long as it reads. */
    uint8_t *way = from->instance ? scratch_take(&values, size) : host_place(from);
    if (!way)
        return scratch_full(&values, size);
    bool done = true;
    if (from->instance) {
        memset(way, 0, size);
        done = lift(from, to, count, &values, way);
    }
    if (done && to->instance)
        done = lower(to, count, way, frame);
    else if (done)
        memcpy(host_place(to), way, size);
    scratch_release(&values);
    return done;
}

/* Plain values are bytes, the same on both sides. */
static void pass_plain(const struct cm_end *from, const struct cm_end *to, uint32_t count)
{
    const uint8_t *source =
        from->instance ? from->abi->memory->span.at + place(from) : host_place(from);
    uint8_t *target = to->instance ? room_of(to, count) : host_place(to);
    memmove(target, source, (size_t)count * element_of(from)->layout.size);
}

bool end_transfer(struct cm_end *from, struct cm_end *to, uint32_t count, struct native *frame)
{
    const struct cm_type *element = element_of(from);
    uint32_t most = count;
    if (element && !(element->flags & CM_PLAIN))
        most = element->layout.host_size < CHUNK ? CHUNK / element->layout.host_size : 1;
    while (count) {
        uint32_t some = count < most ? count : most;
        if (element && element->flags & CM_PLAIN)
            pass_plain(from, to, some);
        else if (element && !pass(from, to, some, frame))
            return false;
        from->progress += some;
        to->progress += some;
        count -= some;
    }
    return true;
}
