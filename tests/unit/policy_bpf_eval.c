/* The BPF evaluator on hand-made programs: verdicts, and programs that the kernel would refuse. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "policies/bpf_eval.h"

#define ABS(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

static uint32_t eval(const struct sock_filter *code, size_t len, int nr)
{
    struct seccomp_data data = {.nr = nr, .arch = 7, .args = {UINT64_C(0x1122334455667788)}};
    assert_true(bpf_valid(code, len));
    return bpf_eval(code, len, &data);
}

static void test_loads_and_jumps(void **state)
{
    (void)state;
    const struct sock_filter code[] = {
        ABS(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 100, 1, 0),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 5),
    };
    assert_int_equal(eval(code, countof(code), 3), SECCOMP_RET_ALLOW);
    assert_int_equal(eval(code, countof(code), 4), SECCOMP_RET_ERRNO | 5);
    assert_int_equal(eval(code, countof(code), 100), SECCOMP_RET_TRAP);
    assert_int_equal(eval(code, countof(code), -1),
                     SECCOMP_RET_TRAP); /* comparisons are unsigned */
}

static void test_arithmetic(void **state)
{
    (void)state;
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])), /* low half */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),                                  /* 0x88 */
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 3), /* 0x11 */
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_MEM, 3),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), /* 8 */
        BPF_STMT(BPF_ALU | BPF_NEG, 0),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 10), /* 2 */
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    assert_int_equal(eval(code, countof(code), 0), 2);
}

static void test_division_by_zero_kills(void **state)
{
    (void)state;
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LDX | BPF_IMM, 0),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    assert_int_equal(eval(code, countof(code), 0), SECCOMP_RET_KILL_THREAD);
}

static void test_refused_programs(void **state)
{
    (void)state;
    const struct sock_filter end = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_filter bad[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),                           /* not aligned */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)), /* past the end */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),                           /* a byte */
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),                           /* indirect */
        BPF_STMT(BPF_ST, BPF_MEMWORDS),                                  /* no such word */
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0),                          /* by zero */
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32),                         /* by too much */
        BPF_STMT(BPF_ALU | 0x90 /* modulo */ | BPF_K, 1),                /* not in seccomp */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),                    /* out of the program */
        BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),                          /* backwards */
        BPF_STMT(0xffff, 0),                                             /* nonsense */
    };
    for (size_t i = 0; i < countof(bad); i++) {
        const struct sock_filter code[] = {bad[i], end};
        assert_false(bpf_valid(code, countof(code)));
    }
    assert_true(bpf_valid(&end, 1));
    assert_false(bpf_valid(&end, 0));
    const struct sock_filter open_end = ABS(nr);
    assert_false(bpf_valid(&open_end, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_and_jumps),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_division_by_zero_kills),
        cmocka_unit_test(test_refused_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
