/* Rows of the table under exactly the filters that their rules make. A scenario prepares, puts the
 * walls up, and then calls the function of its row: it works, and with any one rule taken away it
 * dies. So the table neither forgets a system call nor lists one that is not needed. */
#ifndef CARREL_TESTS_UNIT_RULES_FIXTURE_H
#define CARREL_TESTS_UNIT_RULES_FIXTURE_H

#include "policies/row.h"
#include "policies/seccomp.h"
#include "tests/unit/wasi_fixture.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* --- The walls ----------------------------------------------------------------------------------
 */

static struct filter filter; /* made before the child that installs it */

/* From here on only the row's rules. */
static inline void walls_up(void)
{
    union {
        const struct sock_filter *from;
        struct sock_filter *to;
    } code = {filter.code};
    struct sock_fprog program = {(unsigned short)filter.len, code.to};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        _exit(99);
}

/* Behind the walls nothing of cmocka works: a claim that fails ends the child with its line. */
#define CLAIM(claim)                                                                               \
    do {                                                                                           \
        if (!(claim))                                                                              \
            syscall(SYS_exit_group, 1 + __LINE__ % 250);                                           \
    } while (0)

struct scenario {
    enum row row;
    void (*run)(struct fixture *f);
};

/* --- What scenarios find ------------------------------------------------------------------------
 */

/* The tree that all scenarios find: a file, a directory with another, and a link to the directory.
 */
static inline void plant(struct fixture *f)
{
    fixture_write_file(f, "in/f", "0123456789");
    fixture_mkdir(f, "in/d");
    fixture_write_file(f, "in/d/x", "x");
    fixture_mkdir(f, "in/d/e");
    fixture_symlink(f, "d", "in/l");
    fixture_symlink(f, "f", "in/link");
}

static inline struct descriptor *file_of(struct fixture *f)
{
    return fixture_open_file(f, "f", 0, DESCRIPTOR_READ | DESCRIPTOR_WRITE);
}

static inline void feed(struct fixture *f)
{
    assert_int_equal(write(f->in, "0123456789", 10), 10);
}

/* A FIFO with something in it. */
static inline struct descriptor *fifo_of(struct fixture *f, int flags)
{
    char path[160];
    snprintf(path, sizeof path, "%s/in/fifo", f->base);
    assert_int_equal(mkfifo(path, 0600), 0);
    int both = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(write(both, "x", 1), 1);
    return fixture_open_file(f, "fifo", 0, flags);
}

/* --- Running them -------------------------------------------------------------------------------
 */

/* Runs one under the filter of `set`: the signal that killed it, negated, or its exit code. */
static inline int run(const struct scenario *scenario, rule_set set)
{
    struct err err = {0};
    char command[160];
    /* Shared, so that the directory of a child that was killed can be removed. */
    struct fixture *f =
        mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(f != MAP_FAILED);
    assert_int_equal(seccomp_filter(set, &filter, &err), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        /* As in a cell, where the streams and the socket are below what is granted. */
        for (int fd = 0; fd < DESCRIPTOR_FIRST; fd++)
            CLAIM(fcntl(fd, F_GETFD) >= 0 || open("/dev/null", O_RDWR | O_CLOEXEC) == fd);
        fixture_open(f, fixture_config(), NULL);
        plant(f);
        scenario->run(f);
        syscall(SYS_exit_group, 0);
    }
    int status;
    waitpid(child, &status, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", f->base);
    assert_int_equal(system(command), 0);
    munmap(f, sizeof *f);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* The clock is read in user space here, so its rules are not needed on this machine. */
static const rule_set not_seen = R(TIME_MONOTONIC) | R(TIME_REAL);

static inline void rules_suffice(const struct scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row_info *row = &row_infos[scenarios[i].row];
        int end = run(&scenarios[i], RULES_BASE | row->rules);
        if (end)
            print_error("%s %s: ended with %d\n", row->interface, row->name, end);
        assert_int_equal(end, 0);
    }
}

static inline void rules_are_needed(const struct scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row_info *row = &row_infos[scenarios[i].row];
        rule_set set = row->rules & ~(RULES_BASE | not_seen);
        for (int rule = 0; rule < RULE_COUNT; rule++) {
            if (!(set >> rule & 1))
                continue;
            rule_set without = UINT64_C(1) << rule;
            if (rule == RULE_OPEN_READ) /* the other one allows all that it does */
                without |= R(OPEN_WRITE);
            int end = run(&scenarios[i], (RULES_BASE | row->rules) & ~without);
            if (end != -SIGSYS)
                print_error("%s %s: without %s ended with %d\n", row->interface, row->name,
                            rules[rule].name, end);
            assert_int_equal(end, -SIGSYS);
        }
    }
}

/* The whole of a program: the rows of `scenarios`, and further tests. */
#define RULES_MAIN(scenarios, ...)                                                                 \
    static void rules_of_every_row_suffice(void **state)                                           \
    {                                                                                              \
        (void)state;                                                                               \
        rules_suffice(scenarios, countof(scenarios));                                              \
    }                                                                                              \
    static void rules_of_every_row_are_needed(void **state)                                        \
    {                                                                                              \
        (void)state;                                                                               \
        rules_are_needed(scenarios, countof(scenarios));                                           \
    }                                                                                              \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = {cmocka_unit_test(rules_of_every_row_suffice),           \
                                           cmocka_unit_test(rules_of_every_row_are_needed),        \
                                           __VA_ARGS__};                                           \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
