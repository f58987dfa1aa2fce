/* Counts the system calls of one cell once its filter stands: `carrel trace`. Kernel half; the
 * other is runner/trace.c, what both know is policies/bpf/trace.h.
 *
 * A cell is found by its pid namespace, which no other process is in, also where there are no
 * control groups. A distinct call, told apart by the bits of its arguments that rules look at, is
 * told once, with its time, by a ring buffer that has room for all of them, and then only counted:
 * nothing is lost however fast a cell calls, and nobody has to keep up with reading. What a
 * descriptor was opened below is followed from openat to openat, so that a call is known by the
 * grant that it came from. */
#include "policies/bpf/trace.h"

#include <linux/bpf.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The kernel's types, as far as they are read; their places are found when the program is loaded.
 */
#define KERNEL __attribute__((preserve_access_index))
struct ns_common {
    unsigned int inum;
} KERNEL;
struct pid_namespace {
    struct ns_common ns;
} KERNEL;
struct nsproxy {
    struct pid_namespace *pid_ns_for_children;
} KERNEL;
struct task_struct {
    struct nsproxy *nsproxy;
} KERNEL;
struct pt_regs {
    unsigned long r10, r9, r8, dx, si, di;
} KERNEL;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct trace_state);
} state SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, TRACE_CALLS);
    __type(key, __u32);
    __type(value, struct trace_masks);
} masks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, TRACE_ENTRIES);
    __type(key, struct trace_key);
    __type(value, __u64);
} seen SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, TRACE_RING);
} sights SEC(".maps");

/* The state, if the current process is the cell that is watched. */
static struct trace_state *watched(void)
{
    __u32 zero = 0;
    struct trace_state *of = bpf_map_lookup_elem(&state, &zero);
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (!of || !of->space ||
        BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum) != of->space)
        return NULL;
    return of;
}

/* The grant that a descriptor was opened below: itself, if it was handed over. */
static __u32 grant_of(const struct trace_state *of, __u64 descriptor)
{
    if (descriptor >= TRACE_DESCRIPTORS)
        return TRACE_NO_GRANT;
    __u32 above = of->below[descriptor & (TRACE_DESCRIPTORS - 1)];
    return above ? above - 1 : (__u32)descriptor;
}

/* A distinct call for the first time. */
static void tell(struct trace_state *of, const struct trace_key *key)
{
    __u64 one = 1;
    struct trace_sight *sight = bpf_ringbuf_reserve(&sights, sizeof *sight, 0);
    if (!sight || bpf_map_update_elem(&seen, key, &one, BPF_ANY)) {
        of->lost++;
        if (sight)
            bpf_ringbuf_discard(sight, BPF_RB_NO_WAKEUP);
        return;
    }
    sight->key = *key;
    sight->time = bpf_ktime_get_ns() - of->since;
    bpf_ringbuf_submit(sight, BPF_RB_NO_WAKEUP);
}

SEC("raw_tp/sys_enter")
int trace_enter(struct bpf_raw_tracepoint_args *context)
{
    struct trace_state *of = watched();
    const struct pt_regs *regs = (const struct pt_regs *)context->args[0];
    __u32 number = (__u32)context->args[1];
    if (!of)
        return 0;
    of->number = number;
    if (!of->stands) {
        of->stands = number == of->lockdown; /* counted from the next one on */
        of->since = bpf_ktime_get_ns();
        return 0;
    }
    struct trace_key key = {.number = number};
    key.arguments[0] = BPF_CORE_READ(regs, di);
    key.arguments[1] = BPF_CORE_READ(regs, si);
    key.arguments[2] = BPF_CORE_READ(regs, dx);
    key.arguments[3] = BPF_CORE_READ(regs, r10);
    key.arguments[4] = BPF_CORE_READ(regs, r8);
    key.arguments[5] = BPF_CORE_READ(regs, r9);
    key.grant = grant_of(of, key.arguments[0]);
    of->opening = key.grant;
    if (number == of->close && key.arguments[0] < TRACE_DESCRIPTORS)
        of->below[key.arguments[0] & (TRACE_DESCRIPTORS - 1)] = 0;
    const struct trace_masks *mask = bpf_map_lookup_elem(&masks, &number);
    for (int i = 0; i < TRACE_ARGUMENTS; i++)
        key.arguments[i] &= mask ? mask->at[i] : 0;
    __u64 *count = bpf_map_lookup_elem(&seen, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    else
        tell(of, &key);
    return 0;
}

SEC("raw_tp/sys_exit")
int trace_exit(struct bpf_raw_tracepoint_args *context)
{
    struct trace_state *of = watched();
    __s64 result = (__s64)context->args[1];
    if (!of || !of->stands || of->number != of->openat || result < 0 || result >= TRACE_DESCRIPTORS)
        return 0;
    of->below[result & (TRACE_DESCRIPTORS - 1)] = of->opening + 1;
    return 0;
}

char trace_license[] SEC("license") = "GPL";
