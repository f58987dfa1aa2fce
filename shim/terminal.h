/* Makes a guest's output fit for a terminal: UTF-8 text and sequences that draw (terminal.def)
 * pass, everything else is dropped. Works on chunks of any size. */
#ifndef CARREL_SHIM_TERMINAL_H
#define CARREL_SHIM_TERMINAL_H

#include <stddef.h>
#include <stdint.h>

/* The longest sequence that passes; longer ones are dropped. */
#define TERMINAL_HELD 1024

struct terminal {
    int state;
    size_t held_size;
    char held[TERMINAL_HELD]; /* a sequence or character that is not complete yet */
};

/* A filter at the start of the output. */
struct terminal terminal_new(void);

/* Filters `size` bytes at `from` into `to`, which has room for size + TERMINAL_HELD. Returns the
 * number of bytes written. */
size_t terminal_filter(struct terminal *terminal, const char *from, size_t size, char *to);

#endif
