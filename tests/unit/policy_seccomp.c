/* The filters that libseccomp makes of the rules, judged by the evaluator: exactly the rules of a
 * set are allowed, with exactly their arguments, for every number, ABI and argument class. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "policies/bpf_eval.h"
#include "policies/seccomp.h"
#include <linux/audit.h>
#include <string.h>
#include <sys/syscall.h>

#define LAST_NUMBER 520
#define X32         0x40000000

#if defined __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static const uint64_t interesting[] = {
    0,
    1,
    2,
    3,
    4,
    0100,
    0200,
    0666,
    0777,
    01000,
    02000,
    04000,
    0100000,
    010000000,
    020200000,
    0x7fffffff,
    0x80000000,
    0xffffff9c,
    0xffffffff,
    0x100000000,
    0x100000001,
    0x1ffffff9c,
    UINT64_C(0x7fffffffffffffff),
    UINT64_C(0xffffffffffffff9c),
    UINT64_MAX,
};

static struct filter build(rule_set set)
{
    struct filter filter;
    struct err err = {0};
    assert_int_equal(seccomp_filter(set, &filter, &err), 0);
    assert_int_equal(err.kind, ERR_NONE);
    assert_true(bpf_valid(filter.code, filter.len));
    return filter;
}

/* What the rows say, computed without libseccomp. */
static bool expected(rule_set set, const struct seccomp_data *data)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!((set | RULES_BASE) >> i & 1) || rules[i].number != data->nr)
            continue;
        bool all = true;
        for (int c = 0; c < RULE_CHECKS && rules[i].checks[c].mask; c++) {
            const struct rule_check *check = &rules[i].checks[c];
            all = all && (data->args[check->arg] & check->mask) == check->value &&
                  data->args[check->arg] >= check->least;
        }
        if (all)
            return true;
    }
    return false;
}

static void judge(const struct filter *filter, rule_set set, const struct seccomp_data *data)
{
    uint32_t verdict = bpf_eval(filter->code, filter->len, data);
    bool allow = data->arch == NATIVE && expected(set, data);
    assert_int_equal(verdict, allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
}

/* Every number with zeros and with ones everywhere, in the native ABI, as x32 and as i386. */
static void sweep_numbers(const struct filter *filter, rule_set set)
{
    for (int nr = -1; nr <= LAST_NUMBER; nr++) {
        for (int ones = 0; ones < 2; ones++) {
            struct seccomp_data data = {.nr = nr, .arch = NATIVE};
            memset(data.args, ones ? 0xff : 0, sizeof data.args);
            judge(filter, set, &data);
            data.nr = nr | X32;
            judge(filter, set, &data);
            data.nr = nr;
            data.arch = AUDIT_ARCH_I386;
            judge(filter, set, &data);
        }
    }
}

/* Every rule's call with every interesting value in each argument, the others as the rule wants. */
static void sweep_arguments(const struct filter *filter, rule_set set)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        for (unsigned arg = 0; arg < 6; arg++) {
            for (size_t v = 0; v < countof(interesting); v++) {
                struct seccomp_data data = {.nr = rules[i].number, .arch = NATIVE};
                for (int c = 0; c < RULE_CHECKS && rules[i].checks[c].mask; c++)
                    data.args[rules[i].checks[c].arg] =
                        rules[i].checks[c].value | rules[i].checks[c].least;
                data.args[arg] = interesting[v];
                judge(filter, set, &data);
                for (unsigned bit = 0; bit < 64; bit++) {
                    data.args[arg] = interesting[v] ^ UINT64_C(1) << bit;
                    judge(filter, set, &data);
                }
            }
        }
    }
}

static void sweep(rule_set set)
{
    struct filter filter = build(set);
    sweep_numbers(&filter, set);
    sweep_arguments(&filter, set);
}

static void test_base_is_three_calls(void **state)
{
    (void)state;
    struct filter filter = build(0);
    int allowed = 0;
    for (int nr = 0; nr <= LAST_NUMBER; nr++) {
        struct seccomp_data data = {.nr = nr, .arch = NATIVE};
        if (bpf_eval(filter.code, filter.len, &data) == SECCOMP_RET_ALLOW) {
            allowed++;
            assert_true(nr == SYS_read || nr == SYS_write || nr == SYS_exit_group);
        }
    }
    assert_int_equal(allowed, 3);
    sweep(0);
}

static void test_each_rule_alone(void **state)
{
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++)
        sweep(UINT64_C(1) << i);
}

/* The floor is laid by the number of the call alone. */
static void test_rules_of_a_call_agree_on_descriptors(void **state)
{
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        for (int other = 0; other < i; other++) {
            unsigned of[2] = {0, 0};
            for (int c = 0; c < RULE_CHECKS; c++) {
                of[0] |= rules[i].checks[c].least ? 1u << rules[i].checks[c].arg : 0;
                of[1] |= rules[other].checks[c].least ? 1u << rules[other].checks[c].arg : 0;
            }
            if (rules[i].number == rules[other].number)
                assert_int_equal(of[0], of[1]);
        }
    }
}

/* Streams and the socket can be read and written, and nothing else can be done with them. */
static void test_streams_are_out_of_reach(void **state)
{
    (void)state;
    struct filter filter = build(UINT64_MAX >> (64 - RULE_COUNT));
    for (uint64_t fd = 0; fd < DESCRIPTOR_FIRST; fd++) {
        for (int nr = 0; nr <= LAST_NUMBER; nr++) {
            struct seccomp_data data = {.nr = nr, .arch = NATIVE, .args = {fd}};
            bool other = nr == SYS_read || nr == SYS_write || nr == SYS_exit_group ||
                         nr == SYS_ppoll || nr == SYS_clock_gettime || nr == SYS_recvmsg ||
                         nr == SYS_symlinkat || nr == SYS_getrandom || nr == SYS_seccomp;
            if (!other)
                assert_int_equal(bpf_eval(filter.code, filter.len, &data),
                                 SECCOMP_RET_KILL_PROCESS);
        }
    }
}

static void test_all_rules(void **state)
{
    (void)state;
    sweep(UINT64_MAX >> (64 - RULE_COUNT));
}

static void test_alternatives(void **state)
{
    (void)state;
    sweep(R(OPEN_READ) | R(OPEN_PATH));
    sweep(R(OPEN_READ) | R(OPEN_WRITE) | R(OPEN_PATH));
    sweep(R(TIME_REAL) | R(TIME_MONOTONIC));
    sweep(R(UNLINK) | R(RMDIR) | R(PPOLL));
}

static void test_same_set_same_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        rule_set set = (UINT64_C(0x9e3779b97f4a7c15) * (unsigned)(i + 1)) >> (64 - RULE_COUNT);
        struct filter one = build(set), other = build(set);
        assert_int_equal(one.len, other.len);
        assert_memory_equal(one.code, other.code, one.len * sizeof one.code[0]);
        sweep_numbers(&one, set);
    }
}

/* The promises of the design about what is in no filter, but for a server's that makes processes.
 */
static void test_never_allowed(void **state)
{
    (void)state;
    static const int never[] = {
        SYS_mmap,           SYS_mprotect,        SYS_munmap, SYS_brk,
        SYS_sendmsg,        SYS_sendmmsg,        SYS_socket, SYS_execve,
        SYS_execveat,       SYS_clone,           SYS_clone3, SYS_ioctl,
        SYS_openat2,        SYS_ptrace,          SYS_prctl,  SYS_seccomp,
        SYS_memfd_create,   SYS_rt_sigreturn,    SYS_fcntl,  SYS_kill,
        SYS_mount,          SYS_unshare,         SYS_setns,  SYS_bpf,
        SYS_io_uring_setup, SYS_restart_syscall,
    };
    for (int i = 0; i < RULE_COUNT; i++)
        for (size_t n = 0; n < countof(never); n++)
            assert_true(RULES_COPIES >> i & 1 || rules[i].number != never[n]);
}

/* What a request's process is left with: all that its component may, and none of what the server
 * needs for itself. */
static void test_narrow(void **state)
{
    struct filter filter, before;
    struct err err = {0};
    const rule_set component = R(READ) | R(WRITE) | R(EXIT) | R(PPOLL) | R(CLOSE_SOCKET);
    const rule_set set = component | RULES_COPIES | R(ACCEPT_HTTP) | R(WATCH) | R(WAIT);
    static const int gone[] = {SYS_clone,     SYS_seccomp,     SYS_close_range,
                               SYS_dup3,      SYS_recvfrom,    SYS_accept4,
                               SYS_epoll_ctl, SYS_epoll_pwait, SYS_pidfd_send_signal};
    (void)state;
    assert_int_equal(seccomp_narrow(set, RULES_NOT_IN_COPIES, &filter, &err), 0);
    for (int nr = 0; nr <= LAST_NUMBER; nr++) {
        struct seccomp_data data = {.nr = nr, .arch = NATIVE};
        bool expected = true;
        for (size_t i = 0; i < countof(gone); i++)
            expected = expected && gone[i] != nr;
        assert_int_equal(bpf_eval(filter.code, filter.len, &data),
                         expected ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
    }
    /* A call that the component has as well stays: the filter below has its conditions. */
    before = filter;
    assert_int_equal(
        seccomp_narrow(set | R(RECVFROM) | R(ACCEPT), RULES_NOT_IN_COPIES, &filter, &err), 0);
    struct seccomp_data data = {.nr = SYS_accept4, .arch = NATIVE};
    assert_int_equal(bpf_eval(filter.code, filter.len, &data), SECCOMP_RET_ALLOW);
    assert_int_equal(bpf_eval(before.code, before.len, &data), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_is_three_calls),
        cmocka_unit_test(test_each_rule_alone),
        cmocka_unit_test(test_all_rules),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_rules_of_a_call_agree_on_descriptors),
        cmocka_unit_test(test_streams_are_out_of_reach),
        cmocka_unit_test(test_same_set_same_bytes),
        cmocka_unit_test(test_never_allowed),
        cmocka_unit_test(test_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
