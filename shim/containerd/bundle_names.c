/* Where a container belongs; see bundle.h. */
#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/containerd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

/* The types of namespaces in runtime-spec's words (config-linux.md). */
static const struct {
    const char *word;
    int type;
} types[] = {
    {"network", CLONE_NEWNET},   {"pid", CLONE_NEWPID},   {"mount", CLONE_NEWNS},
    {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},   {"user", CLONE_NEWUSER},
    {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

static int type_of(const char *word)
{
    for (size_t i = 0; i < countof(types); i++) {
        if (strcmp(types[i].word, word) == 0)
            return types[i].type;
    }
    return 0;
}

/* A cell has a namespace of its own of every type, so nothing depends on most of these; but what is
 * not there, or is of another type, is not what was meant. */
static int check_namespace(const char *word, const char *path, struct err *err)
{
    int type = type_of(word);
    if (!type)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "linux.namespaces: there is no type %s: write one like network or pid",
                       word);
    if (!*path)
        return 0;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == type)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "the %s namespace %s is none: %s: name one that is, or leave the path out", word,
                   path, fd < 0 ? strerror(errno) : "it is something else");
}

int bundle_check_namespaces(const struct bundle *bundle, struct err *err)
{
    const char *word, *path;
    for (size_t i = 0; bundle_namespace_at(bundle, i, &word, &path); i++) {
        if (check_namespace(word, path, err))
            return -1;
    }
    return 0;
}

void bundle_tell_namespaces(const struct bundle *bundle, const char *id)
{
    const char *word, *path;
    if (bundle_group(bundle)) /* in a pod all containers share them, by name */
        return;
    for (size_t i = 0; bundle_namespace_at(bundle, i, &word, &path); i++) {
        if (*path && strcmp(word, "network") != 0)
            log_line("info", id, "the %s namespace %s is not entered: a cell has its own", word,
                     path);
    }
}

int bundle_names(const struct bundle *bundle, struct prepared *ret, struct err *err)
{
    const char *group = bundle_text(bundle, "linux.cgroupsPath");
    const char *network = bundle_namespace(bundle, "network");
    const char *hostname = bundle_text(bundle, "hostname");
    if (group && *group && !group_path(group, ret->group))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "linux.cgroupsPath %s is no path: write one",
                       group);
    if (network &&
        snprintf(ret->network, sizeof ret->network, "%s", network) >= (int)sizeof ret->network)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the path of the network namespace is too long: give it a shorter one");
    ret->own_network = network && !*network;
    snprintf(ret->hostname, sizeof ret->hostname, "%s", hostname ? hostname : "");
    return 0;
}
