/* Where the shim may make control groups. In version 1 that is below its own group, so that a cell
 * stays within whatever bounds the shim. In version 2 a group with processes in it can have no
 * children with limits, so it is its own group only if that was prepared for it, and for root the
 * top of the hierarchy. */
#include "shim/cleanup.h"
#include "shim/host.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define PLACE 256 /* as the paths in struct host_cgroups */

/* Whether `word` is in `list`, which is separated by `separator`. */
static bool has_word(const char *list, const char *word, char separator)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length) {
        bool begins = at == list || at[-1] == separator;
        char after = at[length];
        if (begins && (after == separator || after == '\0' || after == '\n'))
            return true;
    }
    return false;
}

static bool file_has(const char *directory, const char *file, const char *word)
{
    char path[PLACE + 32], text[512];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size < 0)
        return false;
    text[size] = '\0';
    return has_word(text, word, ' ');
}

/* The shim's own group in a hierarchy: the line of /proc/self/cgroup whose controllers are, or
 * contain, `controller` ("" for version 2). */
static bool own_group(const char *controller, char ret[PLACE])
{
    cleanup_file FILE *file = fopen("/proc/self/cgroup", "re");
    char line[1024];
    while (file && fgets(line, sizeof line, file)) {
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        list++;
        bool match = *controller ? has_word(list, controller, ',') : *list == '\0';
        if (match && (size_t)snprintf(ret, PLACE, "%s", path) < PLACE)
            return true;
    }
    return false;
}

/* The directory of a group whose path within the hierarchy is `path`, where the hierarchy is
 * mounted from `root` at `point`. */
static bool group_directory(const char *point, const char *root, const char *path, char ret[PLACE])
{
    size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (skip > 0 && strncmp(path, root, skip) != 0)
        return false;
    const char *rest = path + skip;
    return (size_t)snprintf(ret, PLACE, "%s%s", point, strcmp(rest, "/") == 0 ? "" : rest) <
               PLACE &&
           access(ret, W_OK) == 0;
}

/* Version 2: the directory, if any controller can limit groups below it, or if programs can be
 * attached to them. */
static void look_at_unified(bool root, const char *point, const char *from,
                            struct host_cgroups *ret)
{
    char path[PLACE], places[2][PLACE];
    size_t count = 0;
    if (own_group("", path) && group_directory(point, from, path, places[count]))
        count++;
    if (root && (size_t)snprintf(places[count], PLACE, "%s", point) < PLACE)
        count++;
    for (size_t i = 0; i < count && !ret->unified[0]; i++) {
        char type[PLACE + 16];
        snprintf(type, sizeof type, "%.255s/cgroup.type", places[i]);
        bool top = access(type, F_OK) != 0; /* only the top has no type, and may have processes */
        for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
            const char *name = cgroup_controllers[c].name;
            ret->in_unified[c] = file_has(places[i], "cgroup.controllers", name) &&
                                 (top || file_has(places[i], "cgroup.subtree_control", name));
            if (ret->in_unified[c])
                memcpy(ret->unified, places[i], sizeof ret->unified);
        }
    }
    if (root && !ret->unified[0])
        memcpy(ret->unified, places[0], sizeof ret->unified);
}

static void look_at_version1(const char *point, const char *from, const char *options,
                             struct host_cgroups *ret)
{
    char path[PLACE], place[PLACE];
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        const char *name = cgroup_controllers[c].name;
        if (has_word(options, name, ',') && own_group(name, path) &&
            group_directory(point, from, path, place))
            snprintf(ret->version1[c], sizeof ret->version1[c], "%s", place);
    }
}

void host_probe_cgroups(bool root, struct host_cgroups *ret)
{
    *ret = (struct host_cgroups){0};
    cleanup_file FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    while (mounts && fgets(line, sizeof line, mounts)) {
        char from[PLACE], point[PLACE], kind[32], options[512];
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %255s %255s", from, point) != 2 ||
            sscanf(rest, " - %31s %*s %511s", kind, options) != 2)
            continue;
        if (strcmp(kind, "cgroup2") == 0 && !ret->unified[0])
            look_at_unified(root, point, from, ret);
        else if (strcmp(kind, "cgroup") == 0)
            look_at_version1(point, from, options, ret);
    }
}
