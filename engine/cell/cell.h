/* The life of a cell, from its start to its end. */
#ifndef CARREL_CELL_CELL_H
#define CARREL_CELL_CELL_H

/* Starts, waits for an order, builds the walls, does what its role asks, ends. */
_Noreturn void cell_live(void);

#endif
