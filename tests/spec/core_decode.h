/* Decoding and validating the core modules of a script. */
#ifndef CARREL_SPEC_CORE_DECODE_H
#define CARREL_SPEC_CORE_DECODE_H

#include "engine/wasm/module.h"
#include "tests/spec/runner.h"

/* Memory for the modules of one script, and their types. */
struct core_store {
    struct region image;
    struct region scratch;
    struct types *types;
};

/* False: no memory. */
bool core_store_open(struct core_store *store);
void core_store_close(struct core_store *store);

/* Is it a core module (or nothing that has a header)? */
bool core_takes(struct bytes binary);

/* Features that the engine does not have. */
extern const char *const core_without[];

/* The module of a command. NULL: `err` tells, or the note if there was no file. */
struct module *core_module(struct core_store *store, const struct command *command, struct err *err,
                           struct note *note);

/* Carries out the commands that only decode: assert_malformed, assert_invalid,
 * assert_invalid_custom, module_definition. False if it is none of them. */
bool core_decode_command(struct core_store *store, const struct command *command, struct note *note,
                         enum verdict *ret_verdict);

#endif
