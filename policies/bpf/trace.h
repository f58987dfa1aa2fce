/* What the two halves of `carrel trace` both know: policies/bpf/trace.bpf.c in the kernel,
 * runner/trace.c. */
#ifndef CARREL_POLICIES_BPF_TRACE_H
#define CARREL_POLICIES_BPF_TRACE_H

#include <linux/types.h>

enum {
    TRACE_CALLS = 1024, /* system call numbers */
    TRACE_ARGUMENTS = 6,
    TRACE_ENTRIES = 8192,     /* distinct calls that are kept */
    TRACE_DESCRIPTORS = 1024, /* a power of two; a cell has no more */
    TRACE_NO_GRANT = 0xffff,
    TRACE_RING = 1 << 20, /* bytes: room for the sights of all entries, each with a head of 8 */
};

/* A distinct call. */
struct trace_key {
    __u32 number;
    __u32 grant; /* the descriptor that argument 0 is, or that it was opened below */
    __u64 arguments[TRACE_ARGUMENTS]; /* the bits that rules look at */
};

/* What the ring buffer tells: a distinct call is seen for the first time. */
struct trace_sight {
    struct trace_key key;
    __u64 time; /* nanoseconds since the filter stood */
};

/* Bits of each argument that tell calls apart. */
struct trace_masks {
    __u64 at[TRACE_ARGUMENTS];
};

/* Of the one cell that is watched. */
struct trace_state {
    __u32 space;    /* inode of the cell's pid namespace; 0: nobody is watched */
    __u32 lockdown; /* the system call after which the filter stands */
    __u32 openat;
    __u32 close;
    __u32 stands;
    __u32 number;                   /* the call that is going on */
    __u32 opening;                  /* the grant of its first argument */
    __u64 since;                    /* when the filter stood, as bpf_ktime_get_ns */
    __u64 lost;                     /* distinct calls for which there was no room */
    __u16 below[TRACE_DESCRIPTORS]; /* of descriptors that were opened: 1 + the grant */
};

#endif
