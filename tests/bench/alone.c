/* Runs a core module with the engine alone: no cell, no component. For measuring against engines
 * that are a program of their own, so not for programs that one does not trust.
 *
 *   alone [--eager] [--load] [--polled] [--fuelled] MODULE
 *
 * --eager translates everything first; --load runs nothing; --polled makes code that can be
 * interrupted, --fuelled code that counts its operators. */
#include "tests/bench/program.h"

#include <string.h>

int main(int count, char **arguments)
{
    static struct program program;
    bool eager = false, load = false;
    unsigned limits = 0;
    int at = 1;
    for (; at < count - 1; at++) {
        eager |= strcmp(arguments[at], "--eager") == 0;
        load |= strcmp(arguments[at], "--load") == 0;
        limits |= strcmp(arguments[at], "--polled") == 0 ? PROGRAM_POLLED : 0;
        limits |= strcmp(arguments[at], "--fuelled") == 0 ? PROGRAM_FUELLED : 0;
    }
    if (at != count - 1)
        give_up("usage", "alone [--eager] [--load] [--polled] [--fuelled] MODULE");
    program_load(arguments[at], limits, &program);
    if (eager)
        program_translate(&program);
    return load ? 0 : program_run(&program);
}
