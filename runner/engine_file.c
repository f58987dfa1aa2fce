/* Finds the engine; see engine_file.h. */
#include "runner/engine_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef CARREL_LIBEXEC
#error "the Makefile says where the engine is installed"
#endif

static const char name[] = "carrel-engine";

/* The path beside the running program; false if that cannot be told or is too long. */
static bool beside(char ret[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX - sizeof name);
    if (length <= 0 || length >= (ssize_t)(PATH_MAX - sizeof name))
        return false;
    char *slash = memrchr(ret, '/', (size_t)length);
    if (!slash)
        return false;
    memcpy(slash + 1, name, sizeof name);
    return true;
}

int engine_file_find(const char *given, char ret[PATH_MAX], struct err *err)
{
    if (given) {
        if (snprintf(ret, PATH_MAX, "%s", given) >= PATH_MAX)
            return err_set(err, ERR_FAULT, ERR_NOWHERE, "--engine: the path is too long");
        return 0;
    }
    if (beside(ret) && access(ret, F_OK) == 0)
        return 0;
    snprintf(ret, PATH_MAX, "%s/%s", CARREL_LIBEXEC, name);
    if (access(ret, F_OK) == 0)
        return 0;
    return err_set(
        err, ERR_FAULT, ERR_NOWHERE,
        "there is no %s beside carrel, and none in %s: run `make`, or install carrel again", name,
        CARREL_LIBEXEC);
}
