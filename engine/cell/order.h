/* How a cell learns what it becomes: the order, its data and its descriptors. */
#ifndef CARREL_CELL_ORDER_H
#define CARREL_CELL_ORDER_H

#include "engine/cell/role.h"

/* An order as it came. The texts in it are untrusted and have not been looked at. */
struct order {
    struct message_order head;
    const struct record_instruction *program;
    const struct record_instruction *narrow; /* of processes for requests */
    const struct record_rule *rules;
    const struct record_grant *grants;
    struct bytes texts;
    struct bytes component;         /* mapped */
    const volatile uint32_t *ticks; /* mapped; or NULL */
    volatile uint64_t *counters;    /* in which servers count; or NULL */
    enum cell_stream streams[3];
    size_t used; /* bytes at the start of the arena that the data takes, in whole pages */
};

/* Waits for the order and takes it in: the data go to the start of `arena`, the component is mapped
 * and its descriptor closed. Ends the cell if the shim is gone, or if what came is no order. */
void order_receive(void *arena, size_t size, struct order *ret);

/* Looks at the texts, once the walls stand. Places what it makes in the arena. */
void order_open(const struct order *order, void *arena, size_t size, struct cell *ret);

#endif
