/* The part of `carrel trace` that watches a cell; see trace.h. Loads BPF programs of carrel's own,
 * which only look; reads their maps when the cell is gone. */
#include "runner/trace.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "policies/bpf/trace.skel.h"

/* libbpf's own messages are for those who write such programs. */
static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    return 0;
}

static int set(struct bpf_map *map, uint32_t key, const void *value, size_t size)
{
    return bpf_map__update_elem(map, &key, sizeof key, value, size, BPF_ANY);
}

/* The bits of arguments that rules look at. */
static int set_masks(struct bpf_map *map)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        struct trace_masks masks = {{0}};
        if (rules[i].number < 0 || rules[i].number >= TRACE_CALLS)
            continue;
        for (int k = 0; k < RULE_COUNT; k++)
            for (int c = 0; rules[k].number == rules[i].number && c < RULE_CHECKS; c++)
                masks.at[rules[k].checks[c].arg] |= rules[k].checks[c].mask;
        if (set(map, (uint32_t)rules[i].number, &masks, sizeof masks))
            return -1;
    }
    return 0;
}

int trace_open(struct trace *trace, struct err *err)
{
    libbpf_set_print(quiet);
    *trace = (struct trace){.programs = trace_bpf__open_and_load()};
    trace->heard = !trace->programs;
    if (trace->heard)
        return 0;
    if (set_masks(trace->programs->maps.masks) || trace_bpf__attach(trace->programs))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the cell cannot be watched: %s: run carrel trace as root", strerror(errno));
    return 0;
}

int trace_watch(struct trace *trace, pid_t pid, struct err *err)
{
    char path[64];
    struct stat space;
    if (trace->heard)
        return 0;
    static struct trace_state state;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    if (stat(path, &space))
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "the cell's pid namespace cannot be found: %s: mount /proc where carrel runs",
            strerror(errno));
    state = (struct trace_state){.space = (uint32_t)space.st_ino,
                                 .lockdown = SYS_seccomp,
                                 .openat = SYS_openat,
                                 .close = SYS_close};
    if (set(trace->programs->maps.state, 0, &state, sizeof state))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the cell cannot be watched: %s: run carrel trace as root", strerror(errno));
    return 0;
}

static bool checks_pass(const struct rule *rule, const __u64 arguments[TRACE_ARGUMENTS])
{
    for (int i = 0; i < RULE_CHECKS && rule->checks[i].mask; i++)
        if ((arguments[rule->checks[i].arg] & rule->checks[i].mask) != rule->checks[i].value)
            return false;
    return true;
}

/* Is its first argument a descriptor? */
static bool takes_descriptor(enum rule_name rule)
{
    const struct rule_check *check = &rules[rule].checks[0];
    return rule == RULE_READ || rule == RULE_WRITE ||
           (check->arg == 0 && check->mask > UINT32_MAX && check->mask != UINT64_MAX);
}

/* Counts it for the first rule that allows it, of those in the filter if there is one: what reads
 * is before what writes in the table. `time`: when it was first seen. */
static void take(struct trace *trace, const struct trace_key *key, uint64_t count, uint64_t time)
{
    int by = RULE_COUNT;
    for (int i = 0; i < RULE_COUNT; i++) {
        if (rules[i].number != (int)key->number || !checks_pass(&rules[i], key->arguments))
            continue;
        if (by == RULE_COUNT || (!(trace->allowed >> by & 1) && trace->allowed >> i & 1))
            by = i;
    }
    if (by < RULE_COUNT) {
        if (trace->rules[by] == 0 || time < trace->first[by])
            trace->first[by] = time;
        trace->rules[by] += count;
        if (key->grant < TRACE_DESCRIPTORS && takes_descriptor((enum rule_name)by))
            trace->by_grant[key->grant] |= UINT64_C(1) << by;
    } else if (trace->other_count < TRACE_OTHERS) {
        trace->others[trace->other_count++] = (int)key->number;
    }
}

/* Everything after the call that installs the filter. The same call is told of once more if a
 * signal came in between, which none does in a cell. */
void trace_hear(struct trace *trace, const struct seccomp_data *call)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t time = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    if (!trace->stood) {
        trace->stood = call->nr == SYS_seccomp;
        trace->since = time;
        return;
    }
    struct trace_key key = {.number = (uint32_t)call->nr,
                            .grant = call->args[0] < TRACE_DESCRIPTORS ? (uint32_t)call->args[0]
                                                                       : TRACE_NO_GRANT};
    for (int i = 0; i < TRACE_ARGUMENTS; i++)
        key.arguments[i] = call->args[i];
    take(trace, &key, 1, time - trace->since);
}

/* A distinct call of those that the ring buffer has told: how often it was made is in the map. */
static int take_sight(void *data, void *sample, size_t size)
{
    struct trace *trace = data;
    const struct trace_sight *sight = sample;
    uint64_t count = 0;
    if (size >= sizeof *sight &&
        bpf_map__lookup_elem(trace->programs->maps.seen, &sight->key, sizeof sight->key, &count,
                             sizeof count, 0) == 0)
        take(trace, &sight->key, count, sight->time);
    return 0;
}

void trace_read(struct trace *trace)
{
    if (trace->heard)
        return;
    static struct trace_state state;
    uint32_t zero = 0;
    struct ring_buffer *sights =
        ring_buffer__new(bpf_map__fd(trace->programs->maps.sights), take_sight, trace, NULL);
    bool unread = !sights || ring_buffer__consume(sights) < 0;
    ring_buffer__free(sights);
    if (bpf_map__lookup_elem(trace->programs->maps.state, &zero, sizeof zero, &state, sizeof state,
                             0) == 0) {
        trace->lost = state.lost + unread;
        trace->stood = state.stands;
    }
}

void trace_close(struct trace *trace)
{
    if (trace->programs)
        trace_bpf__destroy(trace->programs);
    trace->programs = NULL;
}
