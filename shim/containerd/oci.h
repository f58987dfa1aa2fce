/* The commands of an OCI runtime (github.com/opencontainers/runtime-spec, runtime.md), for podman
 * and CRI-O: each is a call of a shim that has one container, and ends with it. */
#ifndef CARREL_SHIM_CONTAINERD_OCI_H
#define CARREL_SHIM_CONTAINERD_OCI_H

#include "engine/base/err.h"
#include "shim/containerd/message.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

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
    const char *process;   /* of exec: a file that describes it */
    const char *resources; /* of update: a file of what changes; "-" is standard input */
    const char *format;    /* of ps and list */
    const char *interval;  /* of events: seconds between two */
    bool force;
    bool detach; /* of exec */
    bool tty;    /* of exec */
    bool stats;  /* of events: one, and no more */
    bool quiet;  /* of list: names alone */
    bool version;
    bool help;
    const char *words[4]; /* what is no flag: the command, the container, a signal */
    unsigned count;
    char **command; /* of exec: what follows the container; NULL: nothing does */
    int code;       /* which the command ends with, if nothing went wrong */
};

/* A container's folder, and what is in it. */
struct oci_place {
    char folder[PATH_MAX];
    char socket[sizeof((struct sockaddr_un *)0)->sun_path];
    char bundle_file[PATH_MAX];
    char bundle[PATH_MAX]; /* read from there */
};

/* Reads the arguments. Errors: USAGE. */
int oci_read(char **argv, struct oci *ret, struct err *err);

/* Carries them out; the exit code. `argv` begins with the first argument. */
int oci_main(char **argv);

/* The container that oci->words[1] names. Errors: USAGE, ABSENT. */
int oci_find(const struct oci *oci, struct oci_place *ret, struct err *err);

/* How it is, in the words and the shape of the specification; "created" as runc says it. */
struct json_object *oci_state(const struct oci_place *place, const char *id);

/* Reads --preserve-fds, and says what becomes of such descriptors. Errors: USAGE. */
int oci_check_fds(const struct oci *oci, struct err *err);

/* Connects to the shim of that container, which runs. -1; errors: USAGE, ABSENT. */
int oci_reach(const struct oci *oci, struct err *err);

/* Writes `pid` into the file of --pid-file, if there is one. Errors: FAULT. */
int oci_write_pid(const char *path, int pid, struct err *err);

/* The commands exec, ps, events, update, list and features. The process of an exec is a child of
 * this one, or, detached, of whoever adopts its children: it carries the streams and signals of the
 * cell, and ends as that does. Errors: USAGE, ABSENT, FAULT. */
int oci_exec(struct oci *oci, struct err *err);
int oci_ps(struct oci *oci, struct err *err);
int oci_events(struct oci *oci, struct err *err);
int oci_update(struct oci *oci, struct err *err);
int oci_list(struct oci *oci, struct err *err);
int oci_features(struct oci *oci, struct err *err);

/* --- The shim of a container ----------------------------------------------------------------- */

#define OCI_REQUEST_MOST (64 << 10) /* bytes */

/* Connects to a shim. -1 with errno: there is none. */
int oci_connect(const char *path);

/* Calls a method of the task service, and waits for its answer, which is in `space`; or does the
 * one and then the other. Errors: what the shim answers; FAULT if it hangs up. */
int oci_ask(int fd, const char *method, struct bytes request, struct err *err);
int oci_hear(int fd, struct writer *space, struct bytes *ret, struct err *err);
int oci_call(int fd, const char *method, struct bytes request, struct writer *space,
             struct bytes *ret, struct err *err);

/* The same with a request that names a container, and one of its execs or "". */
int oci_call_task(int fd, const char *method, const char *id, const char *exec,
                  struct writer *space, struct bytes *ret, struct err *err);
int oci_call_kill(int fd, const char *id, const char *exec, uint64_t signal, struct err *err);

/* Waits until the shim hangs up, because its container has ended and is deleted. */
void oci_wait_end(int fd);

/* Becomes the shim of one container, on the socket `listener`: with standard streams of its own
 * that lead nowhere, those of the caller at OCI_STREAMS and after. Ends with the container, by its
 * exit status: whoever started the runtime (conmon) sees it as the container. */
#define OCI_STREAMS 10
_Noreturn void oci_serve(int listener);

#endif
