/* A script of the conformance suites: JSON made from a .wast file, one command after another, with
 * binaries beside it. The layout is that of `wasm-tools json-from-wast` and wabt's `wast2json`. */
#ifndef CARREL_SPEC_SCRIPT_H
#define CARREL_SPEC_SCRIPT_H

#include "engine/base/bytes.h"
#include <json-c/json.h>

struct script {
    char *path; /* as it was found */
    char *dir;  /* where its binaries are */
    struct json_object *root;
    struct json_object *commands; /* an array */
};

struct command {
    const struct script *script;
    struct json_object *json;
    const char *type; /* "module", "assert_return", ... */
    uint32_t line;    /* in the .wast file */
};

/* Reads a script. False if the file is not one (it is JSON of another kind), or cannot be read;
 * then `why` tells. */
bool script_read(struct script *script, const char *path, const char **why);
void script_free(struct script *script);

size_t script_length(const struct script *script);
struct command script_command(const struct script *script, size_t index);

/* Members of a JSON object. Strings keep their length: names may hold NUL. Empty or NULL if there
 * is no such member. */
struct str json_text(struct json_object *json, const char *key);
struct json_object *json_member(struct json_object *json, const char *key);
bool json_is(struct json_object *json, const char *key, const char *text);

/* The binary that a command names, in memory from malloc; NULL if it cannot be read. */
uint8_t *command_binary(const struct command *command, size_t *ret_len);

#endif
