/* A cell that asks without end, sends descriptors, or says no more: it dies or waits, and the shim
 * neither grows nor works for it. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/protocol.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A number from /proc/PID/status, in KiB. */
static long status_of(pid_t pid, const char *field)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    cleanup_file FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            return strtol(line + strlen(field) + 1, NULL, 10);
    return -1;
}

static size_t count_descriptors(pid_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    cleanup_dir DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    return count;
}

static void remove_operations(struct plan *plan, enum operation_kind first,
                              enum operation_kind second)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->at[i].kind != first && plan->at[i].kind != second)
            plan->at[kept++] = plan->at[i];
    plan->count = kept;
}

static void without_filter(struct plan *plan)
{
    remove_operations(plan, OPERATION_SECCOMP, OPERATION_SECCOMP);
}

static void without_filter_and_passrights(struct plan *plan)
{
    remove_operations(plan, OPERATION_SECCOMP, OPERATION_PASSRIGHTS);
}

/* Questions whose answers nobody takes: the cell is killed as soon as they fill its socket. */
static void answers_that_are_not_taken_kill(void **state)
{
    (void)state;
    const struct result *result = fixture_run(&(struct wish){.script = "questions 1000000\n"});
    assert_int_equal(result->outcome.why.kind, ERR_KILLED);
    assert_non_null(strstr(result->outcome.why.text, "questions without taking the answers"));
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time))
        fail_msg("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Questions as fast as they are answered: the shim does not grow, and sleeps most of the time. What
 * the cell itself uses is its own affair, as that of one that spins is. */
static void questions_without_end_cost_the_cell(void **state)
{
    (void)state;
    struct result *result;
    clockid_t processor;
    pid_t shim = fixture_start(
        &(struct wish){.script = "print on\nask 100000000\n", .timeout = 2000000000}, &result);
    assert_int_equal(clock_getcpuclockid(shim, &processor), 0);
    usleep(500000);
    long early = status_of(shim, "VmRSS:");
    size_t open = count_descriptors(shim);
    uint64_t used = nanoseconds(processor), began = nanoseconds(CLOCK_MONOTONIC);
    usleep(1000000);
    used = nanoseconds(processor) - used;
    uint64_t passed = nanoseconds(CLOCK_MONOTONIC) - began;
    long late = status_of(shim, "VmRSS:");
    assert_in_range(count_descriptors(shim), 1, open + 1);
    assert_true(early > 0 && late > 0 && late < early + 1024);
    fixture_end(shim, result);
    assert_int_equal(result->outcome.why.kind, ERR_TIME);
    print_message("the shim used %.3f of its time\n", (double)used / (double)passed);
    assert_true(used < passed / 3);
}

/* However fast a cell asks, and whatever else the machine does: beyond those that it may ask at
 * once, questions are answered at their rate. */
static void questions_are_answered_at_their_rate(void **state)
{
    (void)state;
    enum { AT_ONCE = PROTOCOL_BURST / PROTOCOL_COST, EACH_SECOND = PROTOCOL_RATE / PROTOCOL_COST };
    char script[64];
    snprintf(script, sizeof script, "ask %d\nprint on\n", AT_ONCE + EACH_SECOND);
    uint64_t began = nanoseconds(CLOCK_MONOTONIC);
    const struct result *result = fixture_run(&(struct wish){.script = script});
    assert_string_equal(result->output, "on\n");
    assert_true(nanoseconds(CLOCK_MONOTONIC) - began > 900000000); /* a second, and some rounding */
}

/* The kernel refuses descriptors, or else drops them, and the shim kills. */
static void descriptors_are_not_taken(void **state)
{
    (void)state;
    static const char *const scripts[] = {"smuggle 1\nprint on\n", "smuggle 8\nprint on\n"};
    for (size_t i = 0; i < countof(scripts); i++) {
        const struct result *result =
            fixture_run(&(struct wish){.script = scripts[i], .change = without_filter});
        if (wall_in(result->outcome.walls.standing, WALL_PASSRIGHTS))
            assert_string_equal(result->output, "-1\non\n"); /* EPERM */
        struct result *shared;
        pid_t shim = fixture_start(
            &(struct wish){.script = scripts[i], .change = without_filter_and_passrights}, &shared);
        fixture_end(shim, shared);
        assert_int_equal(shared->outcome.why.kind, ERR_KILLED);
        assert_non_null(strstr(shared->outcome.why.text, "it sent descriptors"));
    }
}

/* Who closes the socket has nothing more to say, and nothing more to ask: its time ends all the
 * same. */
static void a_closed_socket_changes_nothing(void **state)
{
    (void)state;
    const struct result *result = fixture_run(&(struct wish){
        .script = "call 3 3\nspin\n", .change = without_filter, .timeout = 300000000});
    assert_int_equal(result->outcome.why.kind, ERR_TIME);
    result = fixture_run(&(struct wish){.script = "call 48 3 2\nspin\n", /* shutdown(SHUT_RDWR) */
                                        .change = without_filter,
                                        .timeout = 300000000});
    assert_int_equal(result->outcome.why.kind, ERR_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_that_are_not_taken_kill),
        cmocka_unit_test(questions_without_end_cost_the_cell),
        cmocka_unit_test(questions_are_answered_at_their_rate),
        cmocka_unit_test(descriptors_are_not_taken),
        cmocka_unit_test(a_closed_socket_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
