/* Scripts and manifests of a suite; see suite.h. */
#include "tests/spec/suite.h"

#include "tests/spec/script.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    return length >= strlen(suffix) && strcmp(text + length - strlen(suffix), suffix) == 0;
}

static void add_path(struct suite *suite, const char *path)
{
    char **paths = realloc(suite->paths, (suite->count + 1) * sizeof *paths);
    if (!paths)
        abort();
    suite->paths = paths;
    paths[suite->count++] = strdup(path);
}

static bool add_folder(struct suite *suite, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char inner[4096];
        struct stat status;
        if (entry->d_name[0] == '.' ||
            (size_t)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= sizeof inner ||
            lstat(inner, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) /* no link to one: it could lead back */
            add_folder(suite, inner);
        else if (has_suffix(inner, ".json") && strcmp(entry->d_name, "manifest.json") != 0)
            add_path(suite, inner);
    }
    closedir(dir);
    return true;
}

bool suite_add(struct suite *suite, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    if (S_ISDIR(status.st_mode))
        return add_folder(suite, path);
    add_path(suite, path);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void suite_sort(struct suite *suite)
{
    qsort(suite->paths, suite->count, sizeof *suite->paths, by_name);
}

void suite_free(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++)
        free(suite->paths[i]);
    free(suite->paths);
}

/* --- Levels -------------------------------------------------------------------------------------
 */

/* Manifests that were read, by their folder; `json` is NULL where there is none. */
static struct manifest {
    char *dir;
    struct json_object *json;
    struct manifest *next;
} *manifests;

static struct json_object *manifest_of(const char *dir)
{
    for (struct manifest *m = manifests; m; m = m->next)
        if (strcmp(m->dir, dir) == 0)
            return m->json;
    char path[4200];
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    struct stat status;
    struct manifest *m = malloc(sizeof *m);
    if (!m)
        abort();
    m->dir = strdup(dir);
    m->json = stat(path, &status) == 0 ? json_object_from_file(path) : NULL;
    m->next = manifests;
    manifests = m;
    return m->json;
}

const char *suite_level(const char *path)
{
    char key[4096];
    if ((size_t)snprintf(key, sizeof key, "%s", path) >= sizeof key || !has_suffix(key, ".json"))
        return NULL;
    key[strlen(key) - strlen(".json")] = '\0';
    /* "a/b/c": is "c" in a/b, or "b/c" in a, or "a/b/c" here? */
    for (char *slash = strrchr(key, '/'); slash; slash = strrchr(key, '/')) {
        const char *name = path + (slash + 1 - key);
        *slash = '\0';
        char rest[4096];
        snprintf(rest, sizeof rest, "%.*s", (int)(strlen(name) - strlen(".json")), name);
        struct json_object *entry = json_member(manifest_of(key[0] ? key : "/"), rest);
        if (entry)
            return json_text(entry, "level").at;
    }
    return NULL;
}
