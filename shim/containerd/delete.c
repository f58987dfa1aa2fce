/* `delete`: run by containerd after a container is deleted, and in place of a shim that died. Ends
 * and removes what is left, and touches nothing of a shim that still serves others; see command.h.
 */
#include "shim/containerd/command.h"

#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/containerd/task.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The process that the container had, as its shim wrote it down; 0 if it did not. */
static uint64_t pid_of(const char *directory)
{
    char path[PATH_MAX], text[16] = "";
    snprintf(path, sizeof path, "%s/init.pid", directory);
    cleanup_file FILE *file = fopen(path, "re");
    return file && fgets(text, sizeof text, file) ? strtoull(text, NULL, 10) : 0;
}

static int answer(uint64_t pid)
{
    uint8_t time[32], bytes[64];
    struct writer writer = WRITER(bytes);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct message_delete_answer deleted = {pid, 128 + SIGKILL, time_bytes(&now, time)};
    message_put(delete_answer, &deleted, &writer);
    struct bytes said = written(&writer);
    return fwrite(said.at, 1, said.len, stdout) == said.len && fflush(stdout) == 0 ? 0 : 1;
}

/* Removes the socket of a shim that does not serve any more. */
static void remove_socket(const char *bundle)
{
    char path[PATH_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s/address", bundle);
    cleanup_file FILE *file = fopen(path, "re");
    char url[PATH_MAX] = "";
    if (!file || !fgets(url, sizeof url, file) || strncmp(url, "unix://", 7) != 0)
        return;
    snprintf(address.sun_path, sizeof address.sun_path, "%.*s", (int)sizeof address.sun_path - 1,
             url + 7);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address))
        unlink(address.sun_path);
}

/* What containerd mounted in the bundle. Never what `root.path` names: that may be a folder of the
 * host's (`ctr run --rootfs /`), with mounts of whoever keeps it. Without a mount there, or if it
 * is a link, nothing is done. */
static void unmount_root(const char *bundle)
{
    char root[PATH_MAX];
    int length = snprintf(root, sizeof root, "%s/rootfs", bundle);
    if (length > 0 && length < (int)sizeof root)
        umount2(root, MNT_DETACH | UMOUNT_NOFOLLOW);
}

int command_delete(const struct command *command)
{
    struct bundle bundle;
    char group[GROUP_PATH];
    if (bundle_read(command->bundle, &bundle, NULL) == 0) {
        /* A cell dies with its shim, and is in no other group. */
        const char *path = bundle_text(&bundle, "linux.cgroupsPath");
        if (path && group_path(path, group))
            group_remove(group, command->namespace);
    }
    unmount_root(command->bundle);
    remove_socket(command->bundle);
    return answer(pid_of(command->bundle));
}
