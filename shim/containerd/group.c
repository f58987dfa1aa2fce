/* Control groups of containers; see group.h. Version 2 where it has the controllers, else each
 * hierarchy of version 1 that is mounted. */
#include "shim/containerd/group.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define ROOT    "/sys/fs/cgroup"
#define UNIFIED 0x63677270 /* CGROUP2_SUPER_MAGIC */
#define PLACE   GROUP_FILE

#define PARENT_LOST_MOST 1000

/* The hierarchies of version 1 that matter, by their usual places. A group has its own part of
 * CPUSET only if it is bound to processors. */
enum hierarchy { MEMORY, CPU, CPUACCT, PIDS, FREEZER, CPUSET, HIERARCHIES };
static const char *const names[HIERARCHIES] = {"memory", "cpu",     "cpuacct",
                                               "pids",   "freezer", "cpuset"};

static bool unified(void)
{
    static enum { UNKNOWN, YES, NO } known; /* a host does not change it while it runs */
    struct statfs status;
    if (known == UNKNOWN)
        known = statfs(ROOT, &status) == 0 && status.f_type == UNIFIED ? YES : NO;
    return known == YES;
}

/* The directory of a group: of a hierarchy of version 1, or of version 2. */
static bool place(enum hierarchy hierarchy, const char *path, const char *file, char ret[PLACE])
{
    const char *slash = file[0] ? "/" : "";
    int length = unified()
                     ? snprintf(ret, PLACE, ROOT "%s%s%s", path, slash, file)
                     : snprintf(ret, PLACE, ROOT "/%s%s%s%s", names[hierarchy], path, slash, file);
    return length < PLACE;
}

/* --- Files ----------------------------------------------------------------------------------- */

static int put(enum hierarchy hierarchy, const char *path, const char *file, const char *value)
{
    char name[PLACE];
    errno = ENAMETOOLONG;
    cleanup_close int fd =
        place(hierarchy, path, file, name) ? open(name, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return -1;
    return write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

static int put_number(enum hierarchy hierarchy, const char *path, const char *file, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return put(hierarchy, path, file, text);
}

/* A file's text, NUL-terminated; "" if it cannot be read. */
static const char *get(enum hierarchy hierarchy, const char *path, const char *file, char *ret,
                       size_t size)
{
    char name[PLACE];
    cleanup_close int fd =
        place(hierarchy, path, file, name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t length = fd < 0 ? -1 : read(fd, ret, size - 1);
    ret[length > 0 ? length : 0] = '\0';
    return ret;
}

static uint64_t get_number(enum hierarchy hierarchy, const char *path, const char *file)
{
    char text[64];
    get(hierarchy, path, file, text, sizeof text);
    return strcmp(text, "max\n") == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* The number behind `key` in a file of "key number" lines. */
static uint64_t keyed(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length + 1, NULL, 10);
    }
    return 0;
}

/* --- Paths ----------------------------------------------------------------------------------- */

/* a-b-c.slice -> /a.slice/a-b.slice/a-b-c.slice (systemd.slice(5)) */
static bool slice_path(const char *slice, size_t length, char *ret, size_t size)
{
    const char *suffix = ".slice";
    size_t used = 0, body = length - strlen(suffix);
    if (length <= strlen(suffix) || strncmp(slice + body, suffix, strlen(suffix)) != 0)
        return false;
    for (size_t i = 1; i <= body; i++) {
        if (i < body && slice[i] != '-')
            continue;
        used += (size_t)snprintf(ret + used, size - used, "/%.*s%s", (int)i, slice, suffix);
        if (used >= size)
            return false;
    }
    return true;
}

static bool leads_out(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at++) {
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return true;
    }
    return false;
}

bool group_path(const char *from, char ret[GROUP_PATH])
{
    const char *first = strchr(from, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    char parent[GROUP_PATH];
    int length;
    if (leads_out(from) || !from[0])
        return false;
    if (!second) {
        length = snprintf(ret, GROUP_PATH, "%s%s", from[0] == '/' ? "" : "/", from);
        return length < GROUP_PATH && strcmp(ret, "/") != 0;
    }
    if (first == from)
        snprintf(parent, sizeof parent, "/system.slice");
    else if (!slice_path(from, (size_t)(first - from), parent, sizeof parent))
        return false;
    length = snprintf(ret, GROUP_PATH, "%s/%.*s-%s.scope", parent, (int)(second - first - 1),
                      first + 1, second + 1);
    return length < GROUP_PATH && !strchr(second + 1, '/');
}

/* Each by itself if not all are there. */
static void give_controllers(const char *path)
{
    static const char *const all[] = {"+memory", "+pids", "+cpu", "+cpuset"};
    if (put(MEMORY, path, "cgroup.subtree_control", "+memory +pids +cpu +cpuset") == 0)
        return;
    for (size_t i = 0; i < countof(all); i++)
        put(MEMORY, path, "cgroup.subtree_control", all[i]);
}

/* A new group of version 1 is bound to no processor, and takes no process before it is. */
static void inherit_set(const char *path)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    char parent[GROUP_PATH], text[1024];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    for (size_t i = 0; i < countof(files); i++) {
        if (get(CPUSET, path, files[i], text, sizeof text)[0] <= '\n')
            put(CPUSET, path, files[i], get(CPUSET, parent, files[i], text, sizeof text));
    }
}

/* Makes every directory of a path below a hierarchy's root; in version 2 each gets the controllers.
 * `*made` is how many there are. */
static int make_parts(enum hierarchy hierarchy, const char *path, size_t *made)
{
    char part[GROUP_PATH], name[PLACE];
    *made = 0;
    for (size_t i = 1;; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (!place(hierarchy, part, "", name) || (mkdir(name, 0755) && errno != EEXIST))
            return -1;
        ++*made;
        if (hierarchy == CPUSET)
            inherit_set(part);
        if (path[i] == '\0')
            return 0;
        if (unified())
            give_controllers(part);
    }
}

/* Whoever removes the last group beside this one takes their parent with it: then it is made again.
 * Nobody loses it often; a hierarchy that is not mounted has no first directory. */
static int make_path(enum hierarchy hierarchy, const char *path)
{
    size_t made;
    for (int i = 0; i < PARENT_LOST_MOST; i++) {
        if (make_parts(hierarchy, path, &made) == 0)
            return 0;
        if (errno != ENOENT || made == 0)
            return -1;
    }
    errno = EBUSY;
    return -1;
}

/* --- Limits ---------------------------------------------------------------------------------- */

static const char *bound(int64_t value, char text[32])
{
    snprintf(text, 32, "%" PRId64, value);
    return value < 0 ? "max" : text;
}

/* cpu.weight of cpu.shares, as the OCI specification converts it. */
static int64_t weight(uint64_t shares)
{
    uint64_t within = shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
    return (int64_t)(1 + (within - 2) * 9999 / 262142);
}

static int limit_unified(const char *path, const struct group_limits *limits)
{
    char text[80], number[32];
    if (limits->memory && put(MEMORY, path, "memory.max", bound(limits->memory, number)))
        return -1;
    if (limits->swap < 0 || (limits->swap && limits->memory > 0))
        put(MEMORY, path, "memory.swap.max",
            bound(limits->swap < 0 ? -1 : limits->swap - limits->memory, number));
    if (limits->pids && put(PIDS, path, "pids.max", bound(limits->pids, number)))
        return -1;
    if (limits->shares && put_number(CPU, path, "cpu.weight", weight(limits->shares)))
        return -1;
    if (limits->reservation && put(MEMORY, path, "memory.low", bound(limits->reservation, number)))
        return -1;
    if ((limits->cpus && put(CPUSET, path, "cpuset.cpus", limits->cpus)) ||
        (limits->mems && put(CPUSET, path, "cpuset.mems", limits->mems)))
        return -1;
    if (limits->quota || limits->period) {
        snprintf(text, sizeof text, "%s %" PRIu64,
                 bound(limits->quota ? limits->quota : -1, number),
                 limits->period ? limits->period : 100000);
        if (put(CPU, path, "cpu.max", text))
            return -1;
    }
    for (size_t i = 0; i < limits->file_count; i++) {
        if (put(MEMORY, path, limits->files[i].name, limits->files[i].value))
            return -1;
    }
    return 0;
}

/* Binds the group to processors. Of what runs in it already, each process is moved. */
static int bind_version1(const char *path, const struct group_limits *limits)
{
    char text[4096], pid[16];
    if (make_path(CPUSET, path) ||
        (limits->cpus && put(CPUSET, path, "cpuset.cpus", limits->cpus)) ||
        (limits->mems && put(CPUSET, path, "cpuset.mems", limits->mems)))
        return -1;
    const char *at = get(PIDS, path, "cgroup.procs", text, sizeof text);
    for (size_t length; (length = strcspn(at, "\n")); at += length + (at[length] == '\n')) {
        snprintf(pid, sizeof pid, "%.*s", (int)length, at);
        if (put(CPUSET, path, "cgroup.procs", pid) && errno != ESRCH)
            return -1;
    }
    return 0;
}

static int limit_version1(const char *path, const struct group_limits *limits)
{
    char number[32];
    int64_t now = (int64_t)get_number(MEMORY, path, "memory.limit_in_bytes");
    /* Swap may never be less than memory: which goes first depends on the direction. */
    bool unlimited = limits->memory < 0, raised = unlimited || limits->memory > now;
    int64_t swap = unlimited && !limits->swap ? -1 : limits->swap;
    if (swap && raised)
        put_number(MEMORY, path, "memory.memsw.limit_in_bytes", swap);
    if (limits->memory && put_number(MEMORY, path, "memory.limit_in_bytes", limits->memory))
        return -1;
    if (swap && !raised)
        put_number(MEMORY, path, "memory.memsw.limit_in_bytes", swap);
    if (limits->pids && put(PIDS, path, "pids.max", bound(limits->pids, number)))
        return -1;
    if (limits->reservation &&
        put_number(MEMORY, path, "memory.soft_limit_in_bytes", limits->reservation))
        return -1;
    if ((limits->cpus || limits->mems) && bind_version1(path, limits))
        return -1;
    if (limits->shares && put_number(CPU, path, "cpu.shares", (int64_t)limits->shares))
        return -1;
    if (limits->period && put_number(CPU, path, "cpu.cfs_period_us", (int64_t)limits->period))
        return -1;
    return limits->quota ? put_number(CPU, path, "cpu.cfs_quota_us", limits->quota) : 0;
}

/* Controllers' files are limits; cgroup.procs and its like are not. */
static int check_files(const struct group_limits *limits, struct err *err)
{
    for (size_t i = 0; i < limits->file_count; i++) {
        const char *name = limits->files[i].name;
        if (!unified())
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "linux.resources.unified %s: this host has version 1 of control groups: "
                           "leave it out",
                           name);
        if (strchr(name, '/') || !strchr(name, '.') || strncmp(name, "cgroup.", 7) == 0)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "linux.resources.unified: '%s' is no file of a controller: write one "
                           "like memory.high",
                           name);
        if (!limits->files[i].value)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "linux.resources.unified: %s has no text, or there are more than %d: "
                           "write as many texts at most",
                           name, GROUP_FILES_MOST);
    }
    return 0;
}

int group_limit(const char *path, const struct group_limits *limits, struct err *err)
{
    if (check_files(limits, err))
        return -1;
    int result = unified() ? limit_unified(path, limits) : limit_version1(path, limits);
    return result ? err_set(err, ERR_FAULT, ERR_NOWHERE,
                            "cannot set the limits of the control group %s: %s: enable its "
                            "controllers above it",
                            path, strerror(errno))
                  : 0;
}

int group_make(const char *path, const struct group_limits *limits, struct err *err)
{
    for (enum hierarchy i = 0; i < (unified() ? 1 : CPUSET); i++) {
        if (make_path(i, path) && errno != ENOENT) /* a hierarchy that is not mounted */
            return err_set(
                err, ERR_FAULT, ERR_NOWHERE,
                "cannot make the control group %s: %s: mount the cgroup file system for writing",
                path, strerror(errno));
    }
    return group_limit(path, limits, err);
}

int group_unified(const char *path)
{
    char name[PLACE];
    return unified() && place(MEMORY, path, "", name)
               ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
               : -1;
}

bool group_entry(const char *path, unsigned number, char ret[GROUP_FILE])
{
    for (enum hierarchy i = 0; !unified() && i < HIERARCHIES; i++) {
        if (place(i, path, "tasks", ret) && access(ret, W_OK) == 0 && number-- == 0)
            return true;
    }
    return false;
}

/* --- The freezer ----------------------------------------------------------------------------- */

static bool is_frozen(const char *path, bool frozen)
{
    char text[256];
    if (unified())
        return keyed(get(FREEZER, path, "cgroup.events", text, sizeof text), "frozen") == frozen;
    get(FREEZER, path, "freezer.state", text, sizeof text);
    return strcmp(text, frozen ? "FROZEN\n" : "THAWED\n") == 0;
}

int group_freeze(const char *path, bool frozen, struct err *err)
{
    const struct timespec moment = {0, 500000};
    int result = unified() ? put(FREEZER, path, "cgroup.freeze", frozen ? "1" : "0")
                           : put(FREEZER, path, "freezer.state", frozen ? "FROZEN" : "THAWED");
    for (int i = 0; result == 0 && i < 2000; i++) {
        if (is_frozen(path, frozen))
            return 0;
        nanosleep(&moment, NULL);
    }
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot %s the control group %s: %s",
                   frozen ? "freeze" : "thaw", path,
                   result ? strerror(errno) : "it takes too long: try again");
}

/* --- What was used --------------------------------------------------------------------------- */

uint64_t group_oom_kills(const char *path)
{
    char text[512];
    get(MEMORY, path, unified() ? "memory.events" : "memory.oom_control", text, sizeof text);
    return keyed(text, "oom_kill");
}

static uint64_t limit_of(enum hierarchy hierarchy, const char *path, const char *file)
{
    uint64_t limit = get_number(hierarchy, path, file);
    return limit == UINT64_MAX ? 0 : limit;
}

/* A kind of memory of version 1, by how its files begin. */
static struct bytes memory_entry(const char *path, const char *kind, uint8_t space[64])
{
    static const char *const files[] = {"limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes",
                                        "failcnt"};
    struct writer writer = {space, 64, 0};
    uint64_t numbers[countof(files)];
    for (size_t i = 0; i < countof(files); i++) {
        char file[64];
        snprintf(file, sizeof file, "%s%s", kind, files[i]);
        numbers[i] = get_number(MEMORY, path, file);
    }
    const struct message_memory_entry entry = {numbers[0], numbers[1], numbers[2], numbers[3]};
    message_put(memory_entry, &entry, &writer);
    return written(&writer);
}

static void metrics_v1(const char *path, struct writer *writer)
{
    uint8_t parts[4][384], inner[3][64];
    struct writer pids = WRITER(parts[0]), cpu = WRITER(parts[1]), memory = WRITER(parts[2]),
                  oom = WRITER(parts[3]), first = WRITER(inner[0]), second = WRITER(inner[1]);
    char text[4096];
    const struct message_pids_stat counts = {get_number(PIDS, path, "pids.current"),
                                             limit_of(PIDS, path, "pids.max")};
    message_put(pids_stat, &counts, &pids);

    get(CPUACCT, path, "cpuacct.stat", text, sizeof text);
    const struct message_cpu_usage_v1 usage = {get_number(CPUACCT, path, "cpuacct.usage"),
                                               keyed(text, "system") * 10000000,
                                               keyed(text, "user") * 10000000};
    message_put(cpu_usage_v1, &usage, &first);
    get(CPU, path, "cpu.stat", text, sizeof text);
    const struct message_throttling_v1 throttling = {
        keyed(text, "nr_periods"), keyed(text, "nr_throttled"), keyed(text, "throttled_time")};
    message_put(throttling_v1, &throttling, &second);
    const struct message_cpu_v1 both = {written(&first), written(&second)};
    message_put(cpu_v1, &both, &cpu);

    get(MEMORY, path, "memory.stat", text, sizeof text);
    const struct message_memory_v1 used = {
        .cache = keyed(text, "cache"),
        .rss = keyed(text, "rss"),
        .mapped_file = keyed(text, "mapped_file"),
        .faults = keyed(text, "pgfault"),
        .major_faults = keyed(text, "pgmajfault"),
        .inactive_anonymous = keyed(text, "inactive_anon"),
        .active_anonymous = keyed(text, "active_anon"),
        .inactive_file = keyed(text, "inactive_file"),
        .active_file = keyed(text, "active_file"),
        .hierarchical_limit = keyed(text, "hierarchical_memory_limit"),
        .total_cache = keyed(text, "total_cache"),
        .total_rss = keyed(text, "total_rss"),
        .total_inactive_file = keyed(text, "total_inactive_file"),
        .total_active_file = keyed(text, "total_active_file"),
        .usage = memory_entry(path, "memory.", inner[0]),
        .swap = memory_entry(path, "memory.memsw.", inner[1]),
        .kernel = memory_entry(path, "memory.kmem.", inner[2])};
    message_put(memory_v1, &used, &memory);
    get(MEMORY, path, "memory.oom_control", text, sizeof text);
    const struct message_oom_v1 ooms = {keyed(text, "oom_kill_disable"), keyed(text, "under_oom"),
                                        keyed(text, "oom_kill")};
    message_put(oom_v1, &ooms, &oom);
    const struct message_metrics_v1 all = {written(&pids), written(&cpu), written(&memory),
                                           written(&oom)};
    message_put(metrics_v1, &all, writer);
}

static void metrics_v2(const char *path, struct writer *writer)
{
    uint8_t parts[4][384];
    struct writer pids = WRITER(parts[0]), cpu = WRITER(parts[1]), memory = WRITER(parts[2]),
                  events = WRITER(parts[3]);
    char text[4096];
    const struct message_pids_stat counts = {get_number(PIDS, path, "pids.current"),
                                             limit_of(PIDS, path, "pids.max")};
    message_put(pids_stat, &counts, &pids);
    get(CPU, path, "cpu.stat", text, sizeof text);
    const struct message_cpu_v2 times = {
        keyed(text, "usage_usec"), keyed(text, "user_usec"),    keyed(text, "system_usec"),
        keyed(text, "nr_periods"), keyed(text, "nr_throttled"), keyed(text, "throttled_usec")};
    message_put(cpu_v2, &times, &cpu);
    get(MEMORY, path, "memory.stat", text, sizeof text);
    const struct message_memory_v2 used = {.anonymous = keyed(text, "anon"),
                                           .file = keyed(text, "file"),
                                           .kernel_stack = keyed(text, "kernel_stack"),
                                           .slab = keyed(text, "slab"),
                                           .shared = keyed(text, "shmem"),
                                           .file_mapped = keyed(text, "file_mapped"),
                                           .inactive_anonymous = keyed(text, "inactive_anon"),
                                           .active_anonymous = keyed(text, "active_anon"),
                                           .inactive_file = keyed(text, "inactive_file"),
                                           .active_file = keyed(text, "active_file"),
                                           .faults = keyed(text, "pgfault"),
                                           .major_faults = keyed(text, "pgmajfault"),
                                           .usage = get_number(MEMORY, path, "memory.current"),
                                           .limit = get_number(MEMORY, path, "memory.max"),
                                           .swap = get_number(MEMORY, path, "memory.swap.current"),
                                           .swap_limit =
                                               get_number(MEMORY, path, "memory.swap.max")};
    message_put(memory_v2, &used, &memory);
    get(MEMORY, path, "memory.events", text, sizeof text);
    const struct message_memory_events happened = {keyed(text, "low"), keyed(text, "high"),
                                                   keyed(text, "max"), keyed(text, "oom"),
                                                   keyed(text, "oom_kill")};
    message_put(memory_events, &happened, &events);
    const struct message_metrics_v2 all = {written(&pids), written(&cpu), written(&memory),
                                           written(&events)};
    message_put(metrics_v2, &all, writer);
}

bool group_metrics(const char *path, struct writer *writer)
{
    uint8_t bytes[1024];
    struct writer metrics = WRITER(bytes);
    bool two = unified();
    if (two)
        metrics_v2(path, &metrics);
    else
        metrics_v1(path, &metrics);
    const struct message_any any = {
        bytes_of(two ? "io.containerd.cgroups.v2.Metrics" : "io.containerd.cgroups.v1.Metrics"),
        written(&metrics)};
    message_put(any, &any, writer);
    return any.value.len > 0;
}

/* --- The end --------------------------------------------------------------------------------- */

/* Only cells, and the process of a pod, are ever in such a group. */
static void kill_members(enum hierarchy hierarchy, const char *path)
{
    char text[4096];
    if (unified() && put(hierarchy, path, "cgroup.kill", "1") == 0)
        return;
    const char *at = get(hierarchy, path, "cgroup.procs", text, sizeof text);
    for (char *end = NULL; *at; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            return;
        if (pid > 1)
            kill((pid_t)pid, SIGKILL);
        end += *end == '\n';
    }
}

/* A dead process leaves its groups a moment after it was reaped. */
static void remove_one(enum hierarchy hierarchy, const char *path)
{
    const struct timespec moment = {0, 1000000};
    char name[PLACE];
    if (!place(hierarchy, path, "", name))
        return;
    for (int i = 0; i < 500 && rmdir(name) && errno == EBUSY; i++) {
        kill_members(hierarchy, path);
        nanosleep(&moment, NULL);
    }
}

void group_remove(const char *path, const char *namespace)
{
    char parent[GROUP_PATH], name[PLACE];
    const char *slash = strrchr(path, '/');
    if (!slash || !path[0])
        return;
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    bool own = parent[0] == '/' && strcmp(parent + 1, namespace) == 0;
    if (!unified()) /* what is frozen cannot die */
        put(FREEZER, path, "freezer.state", "THAWED");
    for (enum hierarchy i = 0; i < (unified() ? 1 : HIERARCHIES); i++) {
        remove_one(i, path);
        if (own && place(i, parent, "", name))
            rmdir(name);
    }
}
