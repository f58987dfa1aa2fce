/* Control groups. A group of version 2 is entered by the clone (moving a process later waits for an
 * RCU grace period); one of version 1 by the child, which writes to its `tasks`. */
#include "shim/cgroup.h"
#include "policies/cgroup.h"
#include "shim/child.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* The parent of all cells' groups, below the directory that the plan names. */
#define PARENT "carrel"

struct cgroups cgroups_none(void)
{
    return (struct cgroups){.count = 0};
}

static int write_at(int directory, const char *file, const char *text)
{
    cleanup_close int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = (ssize_t)strlen(text);
    return write(fd, text, (size_t)size) == size ? 0 : -1;
}

/* Lets groups below `parent` have the controllers; what cannot be enabled shows when a limit is
 * set. */
static void enable_controllers(const char *parent)
{
    cleanup_close int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
        char enable[32];
        snprintf(enable, sizeof enable, "+%s", cgroup_controllers[i].name);
        (void)write_at(directory, "cgroup.subtree_control", enable);
    }
}

/* Makes a directory of its own for the cell. Another shim may remove the common parent meanwhile.
 */
static int make_group(const char *parent, const char *id, bool unified, char path[CGROUP_PATH])
{
    static unsigned number;
    char common[CGROUP_PATH];
    if (snprintf(common, sizeof common, "%s/" PARENT, parent) >= (int)sizeof common) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (int attempt = 0; attempt < 16; attempt++) {
        bool made = mkdir(common, 0755) == 0;
        if (!made && errno != EEXIST)
            return -1;
        if (made && unified) {
            enable_controllers(parent);
            enable_controllers(common);
        }
        int length = snprintf(path, CGROUP_PATH, "%s/%s-%u", common, id, number++);
        if (length >= CGROUP_PATH) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (mkdir(path, 0755) == 0)
            return 0;
        if (errno != EEXIST && errno != ENOENT)
            return -1;
    }
    return -1;
}

static int add_group(struct cgroups *cgroups, const struct operation_cgroup *wanted, const char *id,
                     const char **ret_call)
{
    struct cgroup *group = &cgroups->at[cgroups->count];
    bool unified = wanted->controller[0] == '\0';
    *group = (struct cgroup){.controller = wanted->controller, .directory = -1, .procs = -1};
    *ret_call = "mkdir";
    if (cgroups->count == CGROUPS_MAX) {
        errno = E2BIG;
        return -1;
    }
    if (make_group(wanted->parent, id, unified, group->path))
        return -1;
    *ret_call = "open";
    group->directory = open(group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group->directory >= 0 && !unified)
        group->procs = openat(group->directory, "tasks", O_WRONLY | O_CLOEXEC);
    if (group->directory >= 0 && (unified || child_keeps(&group->procs))) {
        cgroups->count++;
        return 0;
    }
    int error = errno;
    if (group->directory >= 0)
        close(group->directory);
    rmdir(group->path);
    errno = error;
    return -1;
}

/* The file of a group that bounds what its members use of the processors. */
static const struct cgroup_file *processors_of(const struct cgroup *group)
{
    enum cgroup_version version = group->procs < 0 ? CGROUP_VERSION2 : CGROUP_VERSION1;
    return &cgroup_controllers[CGROUP_CPU].file[version];
}

int cgroups_prepare(struct cgroups *cgroups, const struct operation *operation, const char *id,
                    struct wall_report *report, struct err *err)
{
    const char *call = "write";
    int result = -1;
    if (operation->kind == OPERATION_CGROUP) {
        result = add_group(cgroups, &operation->of.cgroup, id, &call);
        cgroups->lacking = result != 0;
    } else if (!cgroups->lacking && cgroups->count > 0) {
        const struct operation_cgroup_limit *limit = &operation->of.cgroup_limit;
        struct cgroup *group = &cgroups->at[cgroups->count - 1];
        result = write_at(group->directory, limit->file, limit->value);
        group->throttles = group->throttles || strcmp(limit->file, processors_of(group)->name) == 0;
    } else {
        errno = ENOENT; /* the group that it belongs to could not be made */
    }
    const char *quota_file = cgroup_controllers[CGROUP_CPU].file[CGROUP_VERSION1].name;
    bool quota = operation->kind == OPERATION_CGROUP_LIMIT &&
                 strcmp(operation->of.cgroup_limit.file, quota_file) == 0;
    /* In version 1 a group below another cannot be given more than that has. */
    if (result && quota && errno == EINVAL && !operation->may_fail)
        return err_set(
            err, ERR_WALL, ERR_NOWHERE,
            "the wall \"%s\" cannot be built: carrel itself may use less than --cpus "
            "says: give a lower number, or leave it out: the cell is bounded as carrel is",
            walls[WALL_CGROUP].word);
    if (result)
        return walls_failed(report, operation, call, errno, err);
    walls_built(report, operation);
    return 0;
}

int cgroups_unified(const struct cgroups *cgroups)
{
    for (size_t i = 0; i < cgroups->count; i++) {
        if (cgroups->at[i].procs < 0)
            return cgroups->at[i].directory;
    }
    return -1;
}

void cgroups_entries(const struct cgroups *cgroups, const struct plan *plan, int *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count && count < CGROUPS_MAX; i++) {
        if (plan->at[i].kind != OPERATION_CGROUP_ENTER)
            continue;
        ret[count] = -1;
        for (size_t j = 0; j < cgroups->count; j++) {
            if (strcmp(cgroups->at[j].controller, plan->at[i].of.cgroup_enter.controller) == 0)
                ret[count] = cgroups->at[j].procs;
        }
        count++;
    }
}

void cgroups_release(const struct cgroups *cgroups)
{
    for (size_t i = 0; i < cgroups->count; i++) {
        const struct cgroup *group = &cgroups->at[i];
        const struct cgroup_file *file = processors_of(group);
        if (group->throttles && group->directory >= 0)
            (void)write_at(group->directory, file->name, file->unbounded);
    }
}

/* Removes an empty group and, if it was the last, the common parent. False while something is still
 * in it. */
static bool remove_group(const char *path)
{
    if (rmdir(path) && errno != ENOENT)
        return false;
    char common[CGROUP_PATH];
    snprintf(common, sizeof common, "%s", path);
    char *slash = strrchr(common, '/');
    if (slash) {
        *slash = '\0';
        rmdir(common);
    }
    return true;
}

/* A dead process leaves its groups a moment after it was reaped. */
static bool remove_patiently(const char *path)
{
    const struct timespec moment = {0, 1000000};
    for (int attempt = 0; attempt < 1000; attempt++) {
        if (remove_group(path))
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static bool remove_all(struct cgroups *cgroups, bool (*remove)(const char *path))
{
    size_t kept = 0;
    for (size_t i = 0; i < cgroups->count; i++) {
        struct cgroup *group = &cgroups->at[i];
        if (group->directory >= 0)
            close(take_fd(&group->directory));
        if (group->procs >= 0)
            close(take_fd(&group->procs));
        if (!remove(group->path))
            cgroups->at[kept++] = *group;
    }
    cgroups->count = kept;
    return kept == 0;
}

bool cgroups_remove(struct cgroups *cgroups)
{
    return remove_all(cgroups, remove_group);
}

bool cgroups_remove_patiently(struct cgroups *cgroups)
{
    return remove_all(cgroups, remove_patiently);
}

/* Calls `act` for each process of a group until it says true; whether it did. */
static bool any_member(int directory, bool (*act)(int directory, int pid, const void *data),
                       const void *data)
{
    int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    cleanup_file FILE *members = fd < 0 ? NULL : fdopen(fd, "r");
    int pid;
    while (members && fscanf(members, "%d", &pid) == 1)
        if (act(directory, pid, data))
            return true;
    return false;
}

static bool is_it(int directory, int pid, const void *data)
{
    (void)directory;
    return pid == *(const int *)data;
}

/* The number may be another's by now: what is killed is a process that is a member still after it
 * is held. */
static bool kill_member(int directory, int pid, const void *data)
{
    (void)data;
    cleanup_close int process = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (process >= 0 && any_member(directory, is_it, &pid))
        syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    return false;
}

/* Only cells are ever in such a group. */
static void kill_members(const char *path)
{
    cleanup_close int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0 && write_at(directory, "cgroup.kill", "1"))
        any_member(directory, kill_member, NULL);
}

bool cgroups_clear(const char *parent, const char *id)
{
    char common[CGROUP_PATH], path[CGROUP_PATH];
    bool all = true;
    snprintf(common, sizeof common, "%s/" PARENT, parent);
    cleanup_dir DIR *groups = opendir(common);
    const struct dirent *entry;
    while (groups && (entry = readdir(groups))) {
        size_t length = strlen(id); /* "ID-N", and not those of an ID that begins alike */
        if (!length || strncmp(entry->d_name, id, length) != 0 || entry->d_name[length] != '-' ||
            snprintf(path, sizeof path, "%s/%s", common, entry->d_name) >= (int)sizeof path)
            continue;
        kill_members(path);
        all = remove_patiently(path) && all;
    }
    return all;
}
