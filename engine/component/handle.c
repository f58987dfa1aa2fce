/* Handle tables; see handle.h. */
#include "engine/component/handle.h"

#include "engine/base/attr.h"

#define FIRST_ROOM 16u

static bool grow(struct handle_table *table, struct heap *heap)
{
    uint32_t room = table->room ? table->room * 2 : FIRST_ROOM;
    if (table->count > HANDLE_MAX)
        return false;
    struct handle *at = heap_resize(heap, table->at, (size_t)room * sizeof *at);
    if (!at)
        return false;
    if (table->count == 0) {
        at[0] = (struct handle){.kind = HANDLE_FREE};
        table->count = 1;
    }
    table->at = at;
    table->room = room;
    return true;
}

uint32_t handle_add(struct handle_table *table, struct heap *heap, const struct handle *entry)
{
    uint32_t index = table->free;
    if (index) {
        table->free = table->at[index].next;
    } else {
        if (table->count == table->room && !grow(table, heap))
            return 0;
        index = table->count++;
    }
    table->at[index] = *entry;
    return index;
}

void handle_remove(struct handle_table *table, uint32_t index)
{
    table->at[index].kind = HANDLE_FREE;
    table->at[index].next = table->free;
    table->free = index;
}
