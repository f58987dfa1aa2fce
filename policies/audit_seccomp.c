/* The filter of a cell as a profile of the OCI runtime specification (config-linux, seccomp), and
 * as a drop-in of systemd.exec(5). Both are for a program that does what the component does without
 * carrel: a native build of it, or another runtime. A cell's own filter is stricter, as it stands
 * only after the program was loaded. */
#include "policies/audit_forms.h"

#include "policies/printable.h"
#include "policies/quantity.h"
#include <inttypes.h>

/* Between the moment that runc, crun or systemd load the filter and a static program's main, and to
 * end. */
const char *const audit_start_calls[] = {
    "execve",
    "arch_prctl",
    "brk",
    "set_tid_address",
    "set_robust_list",
    "rseq",
    "prlimit64",
    "readlink",
    "readlinkat",
    "getrandom",
    "mmap",
    "mprotect",
    "munmap",
    "exit",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "futex",
    "fstat",
    "newfstatat",
    "ioctl",
    "uname",
    "poll",
    "writev",
    "close",
    "gettid",
    "getpid",
    "tgkill",
    "prctl",
    "capget",
    "capset",
    "fcntl",
    "epoll_ctl",
    "epoll_pwait",
    "nanosleep",
    "clock_nanosleep",
    "sched_yield",
    "sched_getaffinity",
    "madvise",
    "sigaltstack",
    "fchdir",
    "setresuid",
    "setresgid",
    "setgroups",
    "setsid",
    "chdir",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getppid",
    "restart_syscall",
    "openat",
    "openat2",
    "fstatfs",
    "statfs",
    "getdents64",
    "getcwd",
    "seccomp",
    "close_range",
    "faccessat2",
    NULL,
};

static bool starts(const char *call)
{
    for (size_t i = 0; audit_start_calls[i]; i++)
        if (strcmp(audit_start_calls[i], call) == 0)
            return true;
    return false;
}

json_object *audit_seccomp_begin(void)
{
    json_object *all = json_object_new_object(), *machines = json_object_new_array();
    put(all, "defaultAction", text("SCMP_ACT_ERRNO"));
    put(all, "defaultErrnoRet", json_object_new_int(1)); /* EPERM */
#ifdef __aarch64__
    json_object_array_add(machines, text("SCMP_ARCH_AARCH64"));
#else
    json_object_array_add(machines, text("SCMP_ARCH_X86_64"));
#endif
    put(all, "architectures", machines);
    put(all, "syscalls", json_object_new_array());
    return all;
}

static json_object *allow(json_object *names)
{
    json_object *one = json_object_new_object();
    put(one, "names", names);
    put(one, "action", text("SCMP_ACT_ALLOW"));
    return one;
}

static json_object *condition(const struct rule_check *check)
{
    json_object *one = json_object_new_object();
    put(one, "index", json_object_new_int(check->arg));
    put(one, "value", json_object_new_uint64(check->mask));
    put(one, "valueTwo", json_object_new_uint64(check->value));
    put(one, "op", text("SCMP_CMP_MASKED_EQ"));
    return one;
}

/* A rule with its conditions; nothing if starting a program allows the call without any. */
static void add_rule(json_object *list, const struct rule *rule)
{
    json_object *names = json_object_new_array();
    json_object_array_add(names, text(rule->call));
    json_object *one = allow(names), *conditions = json_object_new_array();
    for (size_t i = 0; i < RULE_CHECKS && rule->checks[i].mask; i++)
        json_object_array_add(conditions, condition(&rule->checks[i]));
    put(one, "args", conditions);
    json_object_array_add(list, one);
}

void audit_seccomp_add(json_object *document, const struct audit *audit)
{
    json_object *list = json_object_object_get(document, "syscalls"),
                *names = json_object_new_array();
    for (size_t i = 0; audit_start_calls[i]; i++)
        json_object_array_add(names, text(audit_start_calls[i]));
    json_object_array_add(list, allow(names));
    for (size_t i = 0; i < audit->rule_count; i++)
        if (!starts(rules[audit->rules[i].rule].call))
            add_rule(list, &rules[audit->rules[i].rule]);
}

/* --- systemd ------------------------------------------------------------------------------------
 */

static void print_paths(FILE *out, const struct policy *policy)
{
    for (size_t i = 0; i < policy->directory_count; i++) {
        const struct policy_directory *directory = &policy->directories[i];
        char path[4096];
        printable(path, sizeof path, str_of(directory->host));
        /* What systemd would read as a specifier, a quote or an end is no path here. */
        if (strpbrk(path, "%\"\\ :") || strlen(path) + 8 > sizeof path)
            fprintf(out, "# not written, its name means something to systemd: %s\n", path);
        else
            fprintf(out, "%s=%s\n", directory->read_only ? "ReadOnlyPaths" : "ReadWritePaths",
                    path);
    }
}

static void print_calls(FILE *out, const struct audit *audit)
{
    fputs("SystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\n", out);
    fputs("# to start a static program\nSystemCallFilter=", out);
    for (size_t i = 0; audit_start_calls[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", audit_start_calls[i]);
    fputs("\n# for what it does\nSystemCallFilter=", out);
    for (size_t i = 0; i < audit->rule_count; i++)
        fprintf(out, "%s%s", i ? " " : "", rules[audit->rules[i].rule].call);
    fputc('\n', out);
}

void audit_systemd_print(FILE *out, const struct audit *audit)
{
    const struct audit_input *in = &audit->in;
    const uint64_t percent = QUANTITY_PROCESSOR / 100;
    bool network = capability_in(in->verdict->granted, CAP_NET);
    char file[512];
    fprintf(out, "# From `carrel audit --format=systemd %s`: %s.\n",
            printable(file, sizeof file, str_of(in->file)), audit->summary);
    fputs(
        "# For the unit of a program that does what this component may do with what is given to "
        "it\n"
        "# here: repeat the audit with the flags of the run.\n[Service]\n"
        "NoNewPrivileges=yes\nDynamicUser=yes\nCapabilityBoundingSet=\nAmbientCapabilities=\n"
        "MemoryDenyWriteExecute=yes\nProtectSystem=strict\nProtectHome=yes\nProtectProc=invisible\n"
        "ProcSubset=pid\nPrivateTmp=yes\nPrivateDevices=yes\nPrivateUsers=yes\nPrivateIPC=yes\n"
        "ProtectClock=yes\nProtectHostname=yes\nProtectKernelLogs=yes\nProtectKernelModules=yes\n"
        "ProtectKernelTunables=yes\nProtectControlGroups=yes\nRestrictNamespaces=yes\n"
        "RestrictRealtime=yes\nRestrictSUIDSGID=yes\nLockPersonality=yes\nKeyringMode=private\n"
        "RemoveIPC=yes\nUMask=0077\nTasksMax=1\n",
        out);
    fprintf(out, "PrivateNetwork=%s\nRestrictAddressFamilies=%s\n", network ? "no" : "yes",
            network ? "AF_INET AF_INET6" : "none");
    if (in->policy->memory != POLICY_UNLIMITED)
        fprintf(out, "MemoryMax=%" PRIu64 "\n", in->policy->memory);
    if (in->policy->cpus) /* percent, with two decimals */
        fprintf(out, "CPUQuota=%" PRIu64 ".%02" PRIu64 "%%\n", in->policy->cpus / percent,
                in->policy->cpus % percent * 100 / percent);
    if (in->policy->timeout != POLICY_UNLIMITED)
        fprintf(out, "RuntimeMaxSec=%" PRIu64 "us\n", in->policy->timeout / 1000);
    print_paths(out, in->policy);
    print_calls(out, audit);
}
