/* The runners of a replay that only decodes and validates: a `module` is not instantiated, and what
 * would execute is skipped. */
#include "tests/spec/core_decode.h"

#include <stdlib.h>
#include <string.h>

static void *decode_open(void)
{
    struct core_store *store = malloc(sizeof *store);
    return store && core_store_open(store) ? store : NULL;
}

static void decode_close(void *state)
{
    core_store_close(state);
    free(state);
}

static enum verdict decode_command(void *state, const struct command *command, struct note *note)
{
    enum verdict result;
    struct err err = {0};
    if (core_decode_command(state, command, note, &result))
        return result;
    /* Those that do not link or trap are valid all the same. */
    if (strcmp(command->type, "module") == 0 || strcmp(command->type, "assert_unlinkable") == 0 ||
        strcmp(command->type, "assert_uninstantiable") == 0)
        return core_module(state, command, &err, note) ? PASSED : FAILED;
    return verdict(note, SKIPPED, "%s is not executed", command->type);
}

static const struct runner core_decode_runner = {
    .name = "core modules, decoded",
    .without = core_without,
    .takes = core_takes,
    .open = decode_open,
    .close = decode_close,
    .command = decode_command,
};

const struct runner *const runners[] = {&core_decode_runner, NULL};
