/* The command line of an OCI runtime; see oci.h. Flags are runc's, which podman and CRI-O give. */
#include "shim/containerd/oci.h"

#include <stddef.h>
#include <string.h>

#define ROOT                                                                                       \
    "/run/carrel-oci" /* not below /run/carrel, which is the guardians' and nobody else's */

enum kind {
    TEXT,    /* has a value */
    FLAG,    /* has none */
    IGNORED, /* has none, and nothing that a component has depends on it */
    IGNORED_TEXT,
};

static const struct {
    const char *word;
    enum kind kind;
    size_t offset;
} flags[] = {
    {"root", TEXT, offsetof(struct oci, root)},
    {"log", TEXT, offsetof(struct oci, log)},
    {"log-format", TEXT, offsetof(struct oci, log_format)},
    {"bundle", TEXT, offsetof(struct oci, bundle)},
    {"b", TEXT, offsetof(struct oci, bundle)},
    {"pid-file", TEXT, offsetof(struct oci, pid_file)},
    {"console-socket", TEXT, offsetof(struct oci, console_socket)},
    {"preserve-fds", TEXT, offsetof(struct oci, preserve_fds)},
    {"force", FLAG, offsetof(struct oci, force)},
    {"f", FLAG, offsetof(struct oci, force)},
    {"version", FLAG, offsetof(struct oci, version)},
    {"v", FLAG, offsetof(struct oci, version)},
    {"help", FLAG, offsetof(struct oci, help)},
    {"h", FLAG, offsetof(struct oci, help)},
    {"debug", IGNORED, 0},
    {"all", IGNORED, 0}, /* of kill: a cell is one process */
    {"a", IGNORED, 0},
    {"no-pivot", IGNORED, 0},
    {"no-new-keyring", IGNORED, 0},
    {"no-subreaper", IGNORED, 0},
    {"systemd-cgroup", IGNORED, 0}, /* such a path is known by its form */
    {"cgroup-manager", IGNORED_TEXT, 0},
    {"rootless", IGNORED_TEXT, 0},
};

static int read_flag(char **argv, size_t *at, struct oci *ret, struct err *err)
{
    const char *word = argv[*at] + 1 + (argv[*at][1] == '-');
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strlen(flags[i].word) != length || strncmp(flags[i].word, word, length) != 0)
            continue;
        void *place = (char *)ret + flags[i].offset;
        const char *value = word[length] ? word + length + 1 : NULL;
        bool takes = flags[i].kind == TEXT || flags[i].kind == IGNORED_TEXT;
        if (takes && !value && !(value = argv[*at + 1]))
            return err_set(err, ERR_USAGE, ERR_NOWHERE, "--%s needs a value", flags[i].word);
        if (takes && !word[length])
            ++*at;
        if (flags[i].kind == TEXT)
            *(const char **)place = value;
        else if (flags[i].kind == FLAG)
            *(bool *)place = !value || strcmp(value, "false") != 0;
        return 0;
    }
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "the flag %s is not known", argv[*at]);
}

int oci_read(char **argv, struct oci *ret, struct err *err)
{
    *ret = (struct oci){.root = ROOT, .bundle = "."};
    for (size_t i = 0; argv[i]; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            if (read_flag(argv, &i, ret, err))
                return -1;
        } else if (ret->count < sizeof ret->words / sizeof *ret->words) {
            ret->words[ret->count++] = argv[i];
        } else {
            return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s is one word too many", argv[i]);
        }
    }
    return 0;
}
