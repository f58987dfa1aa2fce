/* The commands of an OCI runtime (github.com/opencontainers/runtime-spec, runtime.md), for podman
 * and CRI-O: each is a call of a shim that has one container, and ends with it. */
#ifndef CARREL_SHIM_CONTAINERD_OCI_H
#define CARREL_SHIM_CONTAINERD_OCI_H

#include "engine/base/err.h"
#include "shim/containerd/message.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define OCI_WORD "oci"        /* the first argument of the shim's program */
#define OCI_NAME "carrel-oci" /* or the name that it was started by */

/* The command line: flags of the runtime, a command, its flags, and a container. */
struct oci {
    const char *root; /* of the containers' folders */
    const char *log;
    const char *log_format;
    const char *bundle;
    const char *pid_file;
    const char *console_socket;
    const char *preserve_fds;
    bool force;
    bool version;
    bool help;
    const char *words[4]; /* what is no flag: the command, the container, a signal */
    unsigned count;
};

/* Reads the arguments. Errors: USAGE. */
int oci_read(char **argv, struct oci *ret, struct err *err);

/* Carries them out; the exit code. `argv` begins with the first argument. */
int oci_main(char **argv);

/* --- The shim of a container ----------------------------------------------------------------- */

/* Connects to a shim. -1 with errno: there is none. */
int oci_connect(const char *path);

/* Calls a method of the task service and waits for its answer, which is in `space`. Errors: what
 * the shim answers; FAULT if it hangs up. */
int oci_call(int fd, const char *method, struct bytes request, struct writer *space,
             struct bytes *ret, struct err *err);

/* Waits until the shim hangs up, because its container has ended and is deleted. */
void oci_wait_end(int fd);

/* Becomes the shim of one container, on the socket `listener`: with standard streams of its own
 * that lead nowhere, those of the caller at OCI_STREAMS and after. Ends with the container, by its
 * exit status: whoever started the runtime (conmon) sees it as the container. */
#define OCI_STREAMS 10
_Noreturn void oci_serve(int listener);

/* `state`, as JSON. */
void oci_print_state(FILE *to, const char *id, const char *status, int pid, const char *bundle);

#endif
