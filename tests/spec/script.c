/* Reading scripts; see script.h. */
#include "tests/spec/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct json_object *json_member(struct json_object *json, const char *key)
{
    struct json_object *member = NULL;
    return json && json_object_object_get_ex(json, key, &member) ? member : NULL;
}

struct str json_text(struct json_object *json, const char *key)
{
    struct json_object *member = json_member(json, key);
    if (!member || !json_object_is_type(member, json_type_string))
        return (struct str){0};
    return (struct str){json_object_get_string(member), (size_t)json_object_get_string_len(member)};
}

bool json_is(struct json_object *json, const char *key, const char *text)
{
    return str_is(json_text(json, key), text);
}

/* "dir/name" up to the last slash, or ".". */
static char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
}

bool script_read(struct script *script, const char *path, const char **why)
{
    *script = (struct script){.root = json_object_from_file(path)};
    *why = "it is not JSON";
    if (!script->root)
        return false;
    script->commands = json_member(script->root, "commands");
    *why = "it has no array of commands";
    if (!script->commands || !json_object_is_type(script->commands, json_type_array)) {
        json_object_put(script->root);
        return false;
    }
    script->path = strdup(path);
    script->dir = dir_of(path);
    return true;
}

void script_free(struct script *script)
{
    json_object_put(script->root);
    free(script->path);
    free(script->dir);
}

size_t script_length(const struct script *script)
{
    return json_object_array_length(script->commands);
}

struct command script_command(const struct script *script, size_t index)
{
    struct json_object *json = json_object_array_get_idx(script->commands, index);
    struct json_object *line = json_member(json, "line");
    struct str type = json_text(json, "type");
    return (struct command){
        .script = script,
        .json = json,
        .type = type.len ? type.at : "",
        .line = line ? (uint32_t)json_object_get_int64(line) : 0,
    };
}

uint8_t *command_binary(const struct command *command, size_t *ret_len)
{
    struct str name = json_text(command->json, "filename");
    char path[4096];
    if (!name.len ||
        (size_t)snprintf(path, sizeof path, "%s/%s", command->script->dir, name.at) >= sizeof path)
        return NULL;
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    /* The exact size, so that a sanitizer sees every step over the end. */
    size_t size = fstat(fileno(file), &status) == 0 ? (size_t)status.st_size : 0;
    uint8_t *at = malloc(size ? size : 1);
    size_t read = at ? fread(at, 1, size, file) : 0;
    (void)fclose(file);
    if (read != size) {
        free(at);
        return NULL;
    }
    *ret_len = size;
    return at;
}
