/* What an OCI runtime tells of itself and of containers: `ps`, `list`, `events` and `features`; see
 * oci.h. The shapes are runc's, which whoever asks was written for. */
#include "shim/containerd/oci.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/containerd/rootfs.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER 131072 /* bytes of one: as many processes as a shim has */

static void print(json_object *object)
{
    printf("%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE));
    fflush(stdout);
    json_object_put(object);
}

static json_object *number(uint64_t value)
{
    return json_object_new_uint64(value);
}

static json_object *text(const char *value)
{
    return json_object_new_string(value);
}

static json_object *list(const char *const *words)
{
    json_object *array = json_object_new_array();
    for (; *words; words++)
        json_object_array_add(array, text(*words));
    return array;
}

/* --- ps, list
 * -------------------------------------------------------------------------------------- */

static int read_format(const struct oci *oci, bool *ret_table, struct err *err)
{
    *ret_table = !oci->format || strcmp(oci->format, "table") == 0;
    return *ret_table || strcmp(oci->format, "json") == 0
               ? 0
               : err_set(err, ERR_USAGE, ERR_NOWHERE, "--format %s: write json or table",
                         oci->format);
}

int oci_ps(struct oci *oci, struct err *err)
{
    uint8_t bytes[ANSWER];
    struct writer space = WRITER(bytes);
    struct bytes body, one;
    struct message_pids_answer answer;
    struct message_process_info info;
    bool table;
    if (read_format(oci, &table, err))
        return -1;
    cleanup_close int fd = oci_reach(oci, err);
    if (fd < 0 || oci_call_task(fd, "Pids", oci->words[1], "", &space, &body, err))
        return -1;
    json_object *pids = json_object_new_array();
    if (table)
        printf("PID\n");
    message_get(pids_answer, body, &answer);
    while (message_next(&answer.processes, 1, &one)) {
        if (!message_get(process_info, one, &info))
            continue;
        json_object_array_add(pids, number(info.pid));
        if (table)
            printf("%d\n", (int)info.pid);
    }
    if (table)
        json_object_put(pids);
    else
        print(pids);
    return 0;
}

static const char *text_in(json_object *object, const char *key)
{
    json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "0";
}

/* Every folder below --root is of a container; without that folder there is none. */
int oci_list(struct oci *oci, struct err *err)
{
    bool table;
    if (read_format(oci, &table, err))
        return -1;
    cleanup_dir DIR *folder = opendir(oci->root);
    json_object *all = json_object_new_array();
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        struct oci one = {.root = oci->root, .words = {"list", entry->d_name}, .count = 2};
        struct oci_place place;
        if (oci_find(&one, &place, NULL) == 0)
            json_object_array_add(all, oci_state(&place, entry->d_name));
    }
    if (!table && !oci->quiet) {
        print(all);
        return 0;
    }
    if (!oci->quiet)
        printf("%-20s %-10s %-10s %-22s %s\n", "ID", "PID", "STATUS", "CREATED", "BUNDLE");
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        json_object *one = json_object_array_get_idx(all, i);
        if (oci->quiet)
            printf("%s\n", text_in(one, "id"));
        else
            printf("%-20s %-10s %-10s %-22s %s\n", text_in(one, "id"), text_in(one, "pid"),
                   text_in(one, "status"), text_in(one, "created"), text_in(one, "bundle"));
    }
    json_object_put(all);
    return 0;
}

/* --- events ---------------------------------------------------------------------------------- */

static json_object *pids_of(struct bytes from)
{
    struct message_pids_stat pids;
    json_object *object = json_object_new_object();
    if (message_get(pids_stat, from, &pids)) {
        json_object_object_add(object, "current", number(pids.current));
        json_object_object_add(object, "limit", number(pids.limit));
    }
    return object;
}

/* Nanoseconds. */
static json_object *cpu_of(uint64_t total, uint64_t kernel, uint64_t user)
{
    json_object *object = json_object_new_object(), *usage = json_object_new_object();
    json_object_object_add(usage, "total", number(total));
    json_object_object_add(usage, "kernel", number(kernel));
    json_object_object_add(usage, "user", number(user));
    json_object_object_add(object, "usage", usage);
    return object;
}

static json_object *memory_of(uint64_t limit, uint64_t usage, uint64_t most)
{
    json_object *object = json_object_new_object(), *entry = json_object_new_object();
    json_object_object_add(entry, "limit", number(limit));
    json_object_object_add(entry, "usage", number(usage));
    json_object_object_add(entry, "max", number(most));
    json_object_object_add(object, "usage", entry);
    return object;
}

static json_object *stats_v1(struct bytes from)
{
    struct message_metrics_v1 all = {0};
    struct message_cpu_v1 cpu = {0};
    struct message_cpu_usage_v1 used = {0};
    struct message_memory_v1 memory = {0};
    struct message_memory_entry entry = {0};
    json_object *object = json_object_new_object();
    if (message_get(metrics_v1, from, &all) && message_get(cpu_v1, all.cpu, &cpu) &&
        message_get(cpu_usage_v1, cpu.usage, &used) &&
        message_get(memory_v1, all.memory, &memory) &&
        message_get(memory_entry, memory.usage, &entry)) {
        json_object_object_add(object, "cpu", cpu_of(used.total, used.kernel, used.user));
        json_object_object_add(object, "memory", memory_of(entry.limit, entry.usage, entry.most));
        json_object_object_add(object, "pids", pids_of(all.pids));
    }
    return object;
}

static json_object *stats_v2(struct bytes from)
{
    const uint64_t microsecond = 1000;
    struct message_metrics_v2 all = {0};
    struct message_cpu_v2 cpu = {0};
    struct message_memory_v2 memory = {0};
    json_object *object = json_object_new_object();
    if (message_get(metrics_v2, from, &all) && message_get(cpu_v2, all.cpu, &cpu) &&
        message_get(memory_v2, all.memory, &memory)) {
        json_object_object_add(
            object, "cpu",
            cpu_of(cpu.usage * microsecond, cpu.system * microsecond, cpu.user * microsecond));
        json_object_object_add(object, "memory", memory_of(memory.limit, memory.usage, 0));
        json_object_object_add(object, "pids", pids_of(all.pids));
    }
    return object;
}

static int print_stats(const struct oci *oci, int fd, struct err *err)
{
    uint8_t bytes[ANSWER];
    struct writer space = WRITER(bytes);
    struct bytes body;
    struct message_stats_answer answer = {0};
    struct message_any any = {0};
    if (oci_call_task(fd, "Stats", oci->words[1], "", &space, &body, err))
        return -1;
    if (!message_get(stats_answer, body, &answer) || !message_get(any, answer.stats, &any))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the container's shim answers nonsense: is carrel-oci of another version "
                       "than it?");
    json_object *event = json_object_new_object();
    json_object_object_add(event, "type", text("stats"));
    json_object_object_add(event, "id", text(oci->words[1]));
    json_object_object_add(event, "data",
                           bytes_are(any.type, "io.containerd.cgroups.v1.Metrics")
                               ? stats_v1(any.value)
                               : stats_v2(any.value));
    print(event);
    return 0;
}

int oci_events(struct oci *oci, struct err *err)
{
    /* A number of seconds, as in 5 or 5s. */
    char *end = NULL;
    unsigned long pause = oci->interval ? strtoul(oci->interval, &end, 10) : 5;
    if (oci->interval &&
        (end == oci->interval || (*end && strcmp(end, "s") != 0) || pause == 0 || pause > 86400))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--interval %s: write a number of seconds, as in 5s", oci->interval);
    cleanup_close int fd = oci_reach(oci, err);
    if (fd < 0 || print_stats(oci, fd, err))
        return -1;
    /* Until the container has ended, which is no failure. */
    while (!oci->stats) {
        sleep((unsigned)pause);
        if (print_stats(oci, fd, NULL))
            return 0;
    }
    return 0;
}

/* --- features -------------------------------------------------------------------------------- */

static json_object *enabled(bool is)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "enabled", json_object_new_boolean(is));
    return object;
}

/* github.com/opencontainers/runtime-spec, features.md. What a specification asks of capabilities,
 * seccomp and the like is not carried out: a cell's walls follow from its component. */
int oci_features(struct oci *oci, struct err *err)
{
    static const char *const none[] = {NULL},
                             *const options[] = {"bind", "rbind", "ro", "rw", NULL},
                             *const namespaces[] = {"cgroup", "ipc",  "mount", "network",
                                                    "pid",    "user", "uts",   NULL};
    (void)oci;
    (void)err;
    json_object *object = json_object_new_object(), *of_linux = json_object_new_object(),
                *cgroup = json_object_new_object(), *annotations = json_object_new_object();
    for (const char *const *key = (const char *const[]){"v1", "v2", NULL}; *key; key++)
        json_object_object_add(cgroup, *key, json_object_new_boolean(true));
    for (const char *const *key = (const char *const[]){"systemd", "systemdUser", "rdma", NULL};
         *key; key++)
        json_object_object_add(cgroup, *key, json_object_new_boolean(false));
    json_object_object_add(of_linux, "namespaces", list(namespaces));
    json_object_object_add(of_linux, "capabilities", list(none));
    json_object_object_add(of_linux, "cgroup", cgroup);
    for (const char *const *key = (const char *const[]){"seccomp", "apparmor", "selinux", NULL};
         *key; key++)
        json_object_object_add(of_linux, *key, enabled(false));
    json_object_object_add(annotations, "carrel.version", text(CARREL_VERSION));
    json_object_object_add(object, "ociVersionMin", text("1.0.0"));
    json_object_object_add(object, "ociVersionMax", text("1.0.2"));
    json_object_object_add(object, "hooks", list(none));
    json_object_object_add(object, "mountOptions", list(options));
    json_object_object_add(object, "linux", of_linux);
    json_object_object_add(object, "annotations", annotations);
    print(object);
    return 0;
}
