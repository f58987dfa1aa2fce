/* Programs on control groups; see hooks.h. They look at nothing, so no type of the kernel's is
 * declared, and they fit every kernel that has the place to attach them to. */
#include "shim/hooks.h"
#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>

static const struct hook {
    enum bpf_prog_type type;
    enum bpf_attach_type at;
} hooks[] = {
    {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG},
    {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE},
};

/* Descriptors of the programs, and one more than each is, so that none yet is 0. */
static int loaded[countof(hooks)];

/* 0 is no: return 0. */
static const struct bpf_insn refuse[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT},
};

static int load(const struct hook *hook)
{
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = hook->at);
    return bpf_prog_load(hook->type, "carrel_refuse", "Apache-2.0", refuse, countof(refuse),
                         &options);
}

int hooks_attach(int group, const char **ret_call)
{
    for (size_t i = 0; i < countof(hooks); i++) {
        *ret_call = "BPF_PROG_LOAD";
        int program = loaded[i] ? loaded[i] - 1 : load(&hooks[i]);
        if (program < 0)
            return -1;
        loaded[i] = program + 1;
        *ret_call = "BPF_PROG_ATTACH";
        /* Beside those of the groups above, which is what systemd allows. */
        if (bpf_prog_attach(program, group, hooks[i].at, BPF_F_ALLOW_MULTI))
            return -1;
    }
    return 0;
}

void hooks_close(void)
{
    for (size_t i = 0; i < countof(hooks); i++) {
        if (!loaded[i])
            continue;
        close(loaded[i] - 1);
        loaded[i] = 0;
    }
}
