/* The root file system; see rootfs.h. An image is hostile: it may hold links, devices and pipes. */
#include "shim/containerd/rootfs.h"

#include "shim/cleanup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define OPTIONS_MOST 4096 /* what mount(2) takes: a page */

/* The flags of options; what is none is the file system's. */
static const struct {
    const char *word;
    unsigned long flag;
} flags[] = {
    {"bind", MS_BIND},
    {"rbind", MS_BIND | MS_REC},
    {"ro", MS_RDONLY},
    {"rw", 0},
    {"nosuid", MS_NOSUID},
    {"suid", 0},
    {"nodev", MS_NODEV},
    {"dev", 0},
    {"noexec", MS_NOEXEC},
    {"exec", 0},
    {"noatime", MS_NOATIME},
    {"relatime", MS_RELATIME},
    {"nodiratime", MS_NODIRATIME},
    {"defaults", 0},
    {"sync", MS_SYNCHRONOUS},
};

static bool is_flag(struct bytes option, unsigned long *set)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (bytes_are(option, flags[i].word)) {
            *set |= flags[i].flag;
            return true;
        }
    }
    return false;
}

static int failed(const char *type, const char *root, struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "cannot mount the root file system (%s) at %s: %s: see the log of containerd",
                   type, root, strerror(errno));
}

static int mount_one(struct bytes bytes, const char *root, struct err *err)
{
    struct message_mount mount_of;
    struct bytes option;
    char type[64], source[PATH_MAX], options[OPTIONS_MOST];
    size_t used = 0;
    unsigned long set = 0;
    if (!message_get(mount, bytes, &mount_of) || !bytes_copy(mount_of.type, type, sizeof type) ||
        !bytes_copy(mount_of.source, source, sizeof source))
        return err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "a mount of the root file system is malformed: use a snapshotter that containerd has");
    options[0] = '\0';
    while (message_next(&mount_of.options, 4, &option)) {
        if (is_flag(option, &set))
            continue;
        if (option.len + 2 > sizeof options - used)
            return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                           "the options of a mount of the root file system have more than %d bytes",
                           OPTIONS_MOST);
        used += (size_t)snprintf(options + used, sizeof options - used, "%s%.*s", used ? "," : "",
                                 (int)option.len, (const char *)option.at);
    }
    unsigned long only_read = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount(source, root, type, set & MS_BIND ? set : set | only_read, options))
        return failed(type, root, err);
    /* A bind mount takes its flags only when it is mounted again. */
    if (set & MS_BIND && mount(NULL, root, NULL, MS_REMOUNT | MS_BIND | only_read, NULL))
        return failed(type, root, err);
    return 0;
}

int rootfs_mount(struct bytes mounts, const char *root, struct err *err)
{
    struct bytes one;
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return failed("a namespace", root, err);
    while (message_next(&mounts, 3, &one)) {
        if (mount_one(one, root, err))
            return -1;
    }
    return 0;
}

/* --- The component --------------------------------------------------------------------------- */

/* A regular file, by a path that is resolved as if `root` were "/"; O_PATH, or -1. */
static int find_below(int root, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    struct stat status;
    cleanup_close int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 || fstat(fd, &status))
        return -1;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return take_fd(&fd);
}

static int find_joined(int root, const char *folder, size_t length, const char *name)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, name);
    return size < (int)sizeof path ? find_below(root, path) : -1;
}

static int find_in_path(int root, const struct prepared *prepared, const char *name)
{
    const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const struct text_list *environment = &prepared->policy.environment;
    for (size_t i = 0; i < environment->count; i++) {
        if (strncmp(environment->at[i], "PATH=", 5) == 0)
            path = environment->at[i] + 5;
    }
    while (*path) {
        size_t length = strcspn(path, ":");
        int fd = length ? find_joined(root, path, length, name) : -1;
        if (fd >= 0)
            return fd;
        path += length + (path[length] == ':');
    }
    return -1;
}

/* An image whose layers are components and no file systems has nothing in it. */
static bool is_empty(const char *root)
{
    DIR *folder = opendir(root);
    const struct dirent *entry = NULL;
    while (folder && (entry = readdir(folder)) &&
           (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
        ;
    if (folder)
        closedir(folder);
    return folder && !entry;
}

int rootfs_find(const struct bundle *bundle, const char *root, const struct prepared *prepared,
                char ret[64], struct err *err)
{
    cleanup_close int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *cwd = bundle_text(bundle, "process.cwd");
    const char *name = prepared->arguments.count ? prepared->arguments.at[0] : "";
    if (top < 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "cannot open the root file system %s: %s: make the bundle again", root,
                       strerror(errno));
    if (!*name)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the container has no arguments: name its component as the first");
    int fd = name[0] == '/'      ? find_below(top, name)
             : strchr(name, '/') ? -1
                                 : find_in_path(top, prepared, name);
    if (fd < 0 && name[0] != '/')
        fd = find_joined(top, cwd ? cwd : "/", strlen(cwd ? cwd : "/"), name);
    int why = errno;
    if (fd < 0 && is_empty(root))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "the container's root file system is empty: put a component into its image");
    if (fd < 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "there is no component %s in the container's root file system: %s", name,
                       why == EINVAL ? "it is no regular file: name one that is" : strerror(why));
    snprintf(ret, 64, "/proc/self/fd/%d", fd);
    return 0;
}
