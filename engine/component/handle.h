/* The handle table of a component instance (CanonicalABI.md "Table State", "Resource State"). One
 * table holds all that guests name by an index. */
#ifndef CARREL_COMPONENT_HANDLE_H
#define CARREL_COMPONENT_HANDLE_H

#include "engine/base/heap.h"

struct cm_resource;
struct cm_task;

#define HANDLE_MAX ((UINT32_C(1) << 28) - 1) /* Table.MAX_LENGTH */

enum handle_kind {
    HANDLE_FREE,
    HANDLE_OWN,
    HANDLE_BORROW,
    HANDLE_SUBTASK,     /* rep: struct cm_subtask (async.h) */
    HANDLE_STREAM_READ, /* rep: struct cm_end (stream.h), as of the next three */
    HANDLE_STREAM_WRITE,
    HANDLE_FUTURE_READ,
    HANDLE_FUTURE_WRITE,
    HANDLE_SET,           /* rep: struct waitable_set (waitable.h) */
    HANDLE_ERROR_CONTEXT, /* rep: nothing */
};

struct handle {
    uint32_t kind;
    uint32_t lends; /* calls at work that it was lent to */
    const struct cm_resource *resource;
    void *rep; /* of a resource: a guest's i32, or a host's pointer */
    union {
        struct cm_task *scope; /* BORROW: the call at whose end it must be gone */
        uint32_t next;         /* FREE: the next free one, 0 at the end */
    };
};

struct handle_table {
    struct handle *at; /* index 0 is never used */
    uint32_t count;    /* index 0 included */
    uint32_t room;
    uint32_t free; /* the one that was freed last */
};

/* The index of a new entry, which is a copy of `entry`; 0 if the heap or the table is full. */
uint32_t handle_add(struct handle_table *table, struct heap *heap, const struct handle *entry);

/* The entry in use at that index, or NULL. Good until one is added. */
static inline struct handle *handle_at(const struct handle_table *table, uint32_t index)
{
    return index < table->count && table->at[index].kind != HANDLE_FREE ? &table->at[index] : NULL;
}

/* Frees an entry that is in use. */
void handle_remove(struct handle_table *table, uint32_t index);

#endif
