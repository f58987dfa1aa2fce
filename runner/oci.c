/* `carrel oci`: the program of containerd's shim has the commands of an OCI runtime, too. It lies
 * beside this one, if its package is installed. */
#include "runner/command.h"
#include "runner/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_oci(char **operands, size_t count)
{
    static char word[] = "oci";
    struct err err = {.offset = ERR_NOWHERE};
    char path[PATH_MAX + 32];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    char **arguments = calloc(count + 3, sizeof *arguments);
    if (slash && arguments) {
        strcpy(slash + 1, "containerd-shim-carrel-v1");
        arguments[0] = path;
        arguments[1] = word;
        memcpy(arguments + 2, operands, count * sizeof *operands);
        execv(path, arguments);
    }
    free(arguments);
    err_set(&err, ERR_FAULT, ERR_NOWHERE,
            "cannot execute %s: %s: install the package carrel-shim, or run `make`", path,
            strerror(errno));
    return report_error(NULL, &err);
}
