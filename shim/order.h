/* The order that tells a cell what it becomes: made from the phases MESSAGE and LOCKDOWN of an
 * array of operations, and sent as fast as the cell takes it. */
#ifndef CARREL_SHIM_ORDER_H
#define CARREL_SHIM_ORDER_H

#include "shim/component.h"
#include "shim/grant.h"

struct order {
    struct message_order head;
    uint8_t *data; /* head.data_size bytes; owned */
    size_t sent;   /* of them */
    bool begun;    /* the first packet, with the descriptors, is on its way */
    uint64_t time; /* nanoseconds after which the cell is killed; UINT64_MAX: none */
};

/* Makes the order. Errors: FAULT (an array that makes no sense), LIMIT (too many arguments). */
int order_make(const struct plan *plan, const struct component *component, struct order *ret,
               struct err *err);

/* Sends what the socket takes without blocking. 1 if all is sent, 0 if more is to be sent later, -1
 * if the cell is gone. */
int order_send(struct order *order, int socket, const struct component *component,
               const struct grants *grants);

void order_free(struct order *order);

#endif
