/* The command line of an OCI runtime; see oci.h. Flags are runc's, which podman and CRI-O give. */
#include "engine/base/attr.h"
#include "shim/containerd/flag.h"
#include "shim/containerd/oci.h"

#include <stddef.h>
#include <string.h>

#define ROOT                                                                                       \
    "/run/carrel-oci" /* not below /run/carrel, which is the guardians' and nobody else's */

static const struct flag flags[] = {
    {"root", FLAG_TEXT, offsetof(struct oci, root)},
    {"log", FLAG_TEXT, offsetof(struct oci, log)},
    {"log-format", FLAG_TEXT, offsetof(struct oci, log_format)},
    {"bundle", FLAG_TEXT, offsetof(struct oci, bundle)},
    {"b", FLAG_TEXT, offsetof(struct oci, bundle)},
    {"pid-file", FLAG_TEXT, offsetof(struct oci, pid_file)},
    {"console-socket", FLAG_TEXT, offsetof(struct oci, console_socket)},
    {"preserve-fds", FLAG_TEXT, offsetof(struct oci, preserve_fds)},
    {"process", FLAG_TEXT, offsetof(struct oci, process)},
    {"p", FLAG_TEXT, offsetof(struct oci, process)},
    {"resources", FLAG_TEXT, offsetof(struct oci, resources)},
    {"r", FLAG_TEXT, offsetof(struct oci, resources)},
    {"format", FLAG_TEXT, offsetof(struct oci, format)},
    {"interval", FLAG_TEXT, offsetof(struct oci, interval)},
    {"detach", FLAG_BOOL, offsetof(struct oci, detach)},
    {"d", FLAG_BOOL, offsetof(struct oci, detach)},
    {"tty", FLAG_BOOL, offsetof(struct oci, tty)},
    {"t", FLAG_BOOL, offsetof(struct oci, tty)},
    {"quiet", FLAG_BOOL, offsetof(struct oci, quiet)},
    {"q", FLAG_BOOL, offsetof(struct oci, quiet)},
    {"stats", FLAG_BOOL, offsetof(struct oci, stats)},
    {"force", FLAG_BOOL, offsetof(struct oci, force)},
    {"f", FLAG_BOOL, offsetof(struct oci, force)},
    {"version", FLAG_BOOL, offsetof(struct oci, version)},
    {"v", FLAG_BOOL, offsetof(struct oci, version)},
    {"help", FLAG_BOOL, offsetof(struct oci, help)},
    {"h", FLAG_BOOL, offsetof(struct oci, help)},
    {"debug", FLAG_IGNORE, 0},
    {"all", FLAG_IGNORE, 0}, /* of kill: a cell is one process */
    {"a", FLAG_IGNORE, 0},
    {"no-pivot", FLAG_IGNORE, 0},
    {"no-new-keyring", FLAG_IGNORE, 0},
    {"no-subreaper", FLAG_IGNORE, 0},
    {"systemd-cgroup", FLAG_IGNORE, 0}, /* such a path is known by its form */
    {"cgroup-manager", FLAG_IGNORE_TEXT, 0},
    {"rootless", FLAG_IGNORE_TEXT, 0},
    {"log-level", FLAG_IGNORE_TEXT, 0},
    {"criu", FLAG_IGNORE_TEXT, 0},
    /* Of exec: what a component has none of. */
    {"cwd", FLAG_IGNORE_TEXT, 0},
    {"user", FLAG_IGNORE_TEXT, 0},
    {"u", FLAG_IGNORE_TEXT, 0},
    {"additional-gids", FLAG_IGNORE_TEXT, 0},
    {"g", FLAG_IGNORE_TEXT, 0},
    {"cap", FLAG_IGNORE_TEXT, 0},
    {"c", FLAG_IGNORE_TEXT, 0},
    {"apparmor", FLAG_IGNORE_TEXT, 0},
    {"process-label", FLAG_IGNORE_TEXT, 0},
    {"cgroup", FLAG_IGNORE_TEXT, 0}, /* the container's own */
    {"no-new-privs", FLAG_IGNORE, 0},
};

/* What is --force of the others. */
static const struct flag formats[] = {{"f", FLAG_TEXT, offsetof(struct oci, format)}};

static int read_one(char **argv, size_t *at, struct oci *ret, struct err *err)
{
    bool tells =
        ret->count && (strcmp(ret->words[0], "ps") == 0 || strcmp(ret->words[0], "list") == 0);
    if (tells && (strcmp(argv[*at], "-f") == 0 || strncmp(argv[*at], "-f=", 3) == 0))
        return flag_read(formats, countof(formats), argv, at, ret, err);
    return flag_read(flags, countof(flags), argv, at, ret, err);
}

int oci_read(char **argv, struct oci *ret, struct err *err)
{
    *ret = (struct oci){.root = ROOT, .bundle = "."};
    for (size_t i = 0; argv[i]; i++) {
        /* What follows is not for this program. */
        if (ret->count == 2 && strcmp(ret->words[0], "exec") == 0) {
            ret->command = argv + i;
            return 0;
        }
        if (argv[i][0] == '-' && argv[i][1]) {
            if (read_one(argv, &i, ret, err))
                return -1;
        } else if (ret->count < sizeof ret->words / sizeof *ret->words) {
            ret->words[ret->count++] = argv[i];
        } else {
            return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s is one word too many: leave it out",
                           argv[i]);
        }
    }
    return 0;
}
