/* Finds the engine; see engine_file.h. */
#include "shim/engine_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CARREL_LIBEXEC
#error "the Makefile says where the engine is installed"
#endif

static const char name[] = "carrel-engine";

/* The folder of the running program; false if that cannot be told or is too long. */
static bool own_folder(char ret[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX);
    char *slash = length > 0 && length < PATH_MAX ? memrchr(ret, '/', (size_t)length) : NULL;
    if (slash)
        *slash = '\0';
    return slash;
}

static bool is_there(char ret[PATH_MAX], const char *folder, const char *below)
{
    return snprintf(ret, PATH_MAX, "%s%s%s", folder, below, name) < PATH_MAX &&
           access(ret, F_OK) == 0;
}

/* A folder, no link to one, in which only root or this user can put anything. */
static bool is_safe(const char *folder)
{
    struct stat status;
    return lstat(folder, &status) == 0 && S_ISDIR(status.st_mode) &&
           (status.st_uid == 0 || status.st_uid == geteuid()) &&
           !(status.st_mode & (S_IWGRP | S_IWOTH));
}

/* PREFIX/libexec/carrel of a program in PREFIX/bin that was installed and then moved as a whole.
 *
 * This must trust nobody that running the program did not trust. Whoever could put a file beside it
 * could have replaced the program itself; but here something is looked for in folders other than
 * the program's own, and in a PREFIX where everybody may make folders (as /tmp/bin/carrel) a
 * stranger could make `libexec`. So all three folders have to be root's or the user's own, with
 * nobody else writing to them. Then the file is as safe as that of the compiled-in path, and as
 * with that one shim_open_engine judges the file itself.
 *
 * Not inlined, so that pages of the stack for three paths are not touched where this is not asked.
 */
static __attribute__((noinline)) bool is_below_prefix(char ret[PATH_MAX], const char *folder)
{
    char prefix[PATH_MAX], libexec[PATH_MAX + 16], own[PATH_MAX + 32];
    const char *slash = strrchr(folder, '/');
    if (!slash || strcmp(slash, "/bin") != 0)
        return false;
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - folder), folder);
    snprintf(libexec, sizeof libexec, "%s/libexec", prefix);
    snprintf(own, sizeof own, "%s/libexec/carrel", prefix);
    return is_safe(slash == folder ? "/" : prefix) && is_safe(libexec) && is_safe(own) &&
           is_there(ret, prefix, "/libexec/carrel/");
}

int engine_file_find(const char *given, char ret[PATH_MAX], struct err *err)
{
    if (given) {
        if (snprintf(ret, PATH_MAX, "%s", given) >= PATH_MAX)
            return err_set(err, ERR_FAULT, ERR_NOWHERE,
                           "--engine: the path is too long: name a shorter one");
        return 0;
    }
    char folder[PATH_MAX];
    if (own_folder(folder) && (is_there(ret, folder, "/") || is_below_prefix(ret, folder)))
        return 0;
    if (is_there(ret, CARREL_LIBEXEC, "/"))
        return 0;
    if (access("/proc/self/exe", F_OK))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "there is no %s in %s, and where carrel itself lies cannot be told without "
                       "/proc: mount it (mount -t proc proc /proc), or name the engine with "
                       "--engine",
                       name, CARREL_LIBEXEC);
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "there is no %s beside carrel, none in ../libexec/carrel that only root or you "
                   "can write to, "
                   "and none in %s: run `make`, or install carrel again",
                   name, CARREL_LIBEXEC);
}
