/* The command line that containerd gives a shim
 * (github.com/containerd/containerd, core/runtime/v2/README.md). */
#ifndef CARREL_SHIM_CONTAINERD_COMMAND_H
#define CARREL_SHIM_CONTAINERD_COMMAND_H

#include "engine/base/err.h"
#include <stdbool.h>

struct command {
    const char *namespace;
    const char *address; /* of containerd's own socket */
    const char *id;
    const char *bundle;  /* or the working directory */
    const char *publish; /* the program for events, which is not needed */
    bool debug;
    bool version;
    bool info;
    const char *action; /* "start", "delete", or NULL */
};

/* Reads the arguments: flags have one dash or two, values follow or stand behind "=". Errors:
 * USAGE. */
int command_read(int argc, char **argv, struct command *ret, struct err *err);

/* `start`: starts a shim, or finds that of the pod, and prints its address. The exit code. */
int command_start(const struct command *command);

/* `delete`: removes what is left of a container whose shim is gone, or has deleted it already. */
int command_delete(const struct command *command);

/* Serves in this process, on the listening socket `listener`. */
int command_serve(const struct command *command, int listener);

/* Where the shim of a group listens; false if that is too long for a socket. */
bool command_socket(const struct command *command, const char *group, char *ret,
                    unsigned long size);

#endif
