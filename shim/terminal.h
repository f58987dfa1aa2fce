/* Makes a guest's output fit for a terminal: UTF-8 text and sequences that draw (terminal.def)
 * pass, everything else is dropped. Works on chunks of any size. */
#ifndef CARREL_SHIM_TERMINAL_H
#define CARREL_SHIM_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest sequence that passes; longer ones are dropped. */
#define TERMINAL_HELD 1024

struct terminal {
    int state;
    bool plain; /* nothing but text, tabs and ends of lines */
    size_t held_size;
    char held[TERMINAL_HELD]; /* a sequence or character that is not complete yet */
};

/* A filter at the start of the output. */
struct terminal terminal_new(void);

/* One that lets plain text through and nothing else: no sequence, no control, no character that is
 * invisible or changes the direction of writing (engine/base/utf.h). */
struct terminal terminal_plain(void);

/* Filters `size` bytes at `from` into `to`, which has room for size + TERMINAL_HELD. Returns the
 * number of bytes written. */
size_t terminal_filter(struct terminal *terminal, const char *from, size_t size, char *to);

#endif
