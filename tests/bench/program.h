/* A core module, linked with WASI preview 1 and run by the engine alone: no cell, no component. For
 * programs that one trusts. What goes wrong ends the program. */
#ifndef CARREL_TESTS_BENCH_PROGRAM_H
#define CARREL_TESTS_BENCH_PROGRAM_H

#include "engine/exec/state.h"

#define PROGRAM_IMAGE ((size_t)1 << 30) /* bytes for modules and their code */

struct program {
    const char *path;
    const void *image_at; /* where the image begins */
    struct region image;
    struct region scratch;
    const struct module *module;
    struct vm *vm;
};

/* Says why, and ends with exit code 2. */
_Noreturn void give_up(const char *what, const char *why);

/* Zeroed pages, taken as they are touched. */
void *reserve(size_t size);

/* Limits that are never reached, as bits: what it costs to be able to reach them. */
enum { PROGRAM_POLLED = 1, PROGRAM_FUELLED = 2 };

/* Reads a file and makes a machine for it, which points into *ret. */
void program_load(const char *path, unsigned limits, struct program *ret);

/* Translates all its functions. */
void program_translate(struct program *program);

/* Carries out its initializer and _start; gives the exit code. */
int program_run(struct program *program);

#endif
