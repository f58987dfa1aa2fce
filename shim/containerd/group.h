/* The control group of a container, at the path that its specification names: below it kubelet and
 * containerd look for it. Limits, the freezer, and what was used. */
#ifndef CARREL_SHIM_CONTAINERD_GROUP_H
#define CARREL_SHIM_CONTAINERD_GROUP_H

#include "engine/base/err.h"
#include "shim/containerd/message.h"

#define GROUP_PATH       256
#define GROUP_FILES_MOST 32

/* The limits of linux.resources; 0: not said. */
struct group_limits {
    int64_t memory; /* bytes; -1: unlimited, as in all that are signed */
    int64_t swap;   /* bytes of memory and swap */
    int64_t pids;
    int64_t quota; /* microseconds in a period */
    uint64_t period;
    uint64_t shares;
    int64_t reservation; /* of memory, which is taken from others first */
    const char *cpus;    /* the processors, and the nodes of memory, as lists: "0-3,5"; NULL */
    const char *mems;
    struct group_file { /* of version 2, as they are */
        const char *name;
        const char *value; /* NULL: it is no text, or one too many */
    } files[GROUP_FILES_MOST];
    size_t file_count;
};

/* The path within each hierarchy of what a specification calls cgroupsPath: absolute, or of
 * systemd's form SLICE:PREFIX:NAME. False if it is neither, or would lead out. */
bool group_path(const char *from, char ret[GROUP_PATH]);

/* Makes the group in each hierarchy that limits, counts or freezes, and sets the limits. Errors:
 * FAULT; USAGE for a file that is none of a controller's. */
int group_make(const char *path, const struct group_limits *limits, struct err *err);
int group_limit(const char *path, const struct group_limits *limits, struct err *err);

#define GROUP_FILE 400

/* The file by which a process enters the group in the hierarchy `number` of those that are to be
 * entered so: it writes "0" there. False if there is no hierarchy of that number. Of version 2
 * there is none: see group_unified. */
bool group_entry(const char *path, unsigned number, char ret[GROUP_FILE]);

/* The directory of the group in a hierarchy of version 2 that has the controllers, for the clone;
 * -1 if there is none. */
int group_unified(const char *path);

/* Stops everything in the group, or lets it go on. Returns when that is so, or with FAULT after a
 * second. */
int group_freeze(const char *path, bool frozen, struct err *err);

/* How often the kernel has killed something in the group for want of memory. */
uint64_t group_oom_kills(const char *path);

/* Writes what the group has used, as an `any` of the kind that containerd expects on this host. */
bool group_metrics(const char *path, struct writer *writer);

/* Kills what is in the group, and removes it; and the group above it, if nothing else is in that
 * and it is `namespace`'s own. */
void group_remove(const char *path, const char *namespace);

#endif
