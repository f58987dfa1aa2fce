/* The bind mounts of a specification; see bundle.h. */
#include "engine/base/attr.h"
#include "shim/containerd/bundle.h"

#include <string.h>

bool bundle_clean_path(const char *path, char ret[PATH_MAX])
{
    size_t used = 0;
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && strncmp(path, "..", 2) == 0) {
            while (used && ret[used - 1] != '/')
                used--;
            used -= used > 0; /* its slash */
        } else if (length && !(length == 1 && *path == '.')) {
            if (used + length + 2 > PATH_MAX)
                return false;
            ret[used++] = '/';
            memcpy(ret + used, path, length);
            used += length;
        }
        path += length + (path[length] == '/');
    }
    if (used == 0)
        ret[used++] = '/';
    ret[used] = '\0';
    return true;
}

static bool has_text(json_object *list, const char *text)
{
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < count; i++) {
        json_object *one = json_object_array_get_idx(list, i);
        if (json_object_is_type(one, json_type_string) &&
            strcmp(json_object_get_string(one), text) == 0)
            return true;
    }
    return false;
}

static const char *text_at(json_object *mount, const char *key)
{
    json_object *value = NULL;
    json_object_object_get_ex(mount, key, &value);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool has_option(json_object *mount, const char *option)
{
    json_object *options = NULL;
    json_object_object_get_ex(mount, "options", &options);
    return has_text(options, option);
}

bool bundle_bind_mount(const struct bundle *bundle, const char *target, struct bind_mount *ret)
{
    json_object *list = NULL;
    char cleaned[PATH_MAX];
    bool found = false;
    json_object_object_get_ex(bundle->config, "mounts", &list);
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < count; i++) {
        json_object *one = json_object_array_get_idx(list, i);
        if (!json_object_is_type(one, json_type_object))
            continue;
        const char *destination = text_at(one, "destination"), *type = text_at(one, "type");
        if (!destination || !bundle_clean_path(destination, cleaned) ||
            strcmp(cleaned, target) != 0)
            continue;
        found = (type && strcmp(type, "bind") == 0) || has_option(one, "bind") ||
                has_option(one, "rbind");
        ret->source = text_at(one, "source");
        ret->read_only = has_option(one, "ro") || has_option(one, "rro");
    }
    return found && ret->source;
}
