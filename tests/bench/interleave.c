/* Times commands against each other: every round runs each of them once, so that whatever the
 * machine does meanwhile hits all alike.
 *
 *   interleave [-u] ROUNDS COMMAND [ARG...] [-- COMMAND [ARG...]]...
 *
 * Prints minimum and median in milliseconds of each, and the ratio of its median to the first's:
 * of the time that passed or, with -u, of the processor time that it and all its descendants used.
 * Output of the commands goes to /dev/null; one that fails ends the whole. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16

struct command {
    char **arguments;
    double *times; /* milliseconds, one a round */
};

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double of_timeval(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static double of_usage(const struct rusage *usage)
{
    return of_timeval(usage->ru_utime) + of_timeval(usage->ru_stime);
}

/* What those used that a command left behind: they end now, and are this process's (bubblewrap does
 * not wait for the process that it starts). */
static double used_by_orphans(void)
{
    struct rusage usage;
    double sum = 0;
    pid_t pid;
    while ((pid = wait4(-1, NULL, 0, &usage)) > 0 || (pid < 0 && errno == EINTR))
        sum += pid > 0 ? of_usage(&usage) : 0;
    return sum;
}

static double run(char **arguments, posix_spawn_file_actions_t *actions, bool used)
{
    pid_t pid;
    int status;
    struct rusage usage;
    double begin = milliseconds();
    int error = !arguments[0] ? ENOENT
                              : posix_spawnp(&pid, arguments[0], actions, NULL, arguments, environ);
    if (error) {
        fprintf(stderr, "cannot start a command: %s\n", strerror(error));
        exit(1);
    }
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    double took = milliseconds() - begin;
    if (used)
        took = of_usage(&usage) + used_by_orphans();
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "%s failed (%x)\n", arguments[0], (unsigned)status);
        exit(1);
    }
    return took;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int count, char **arguments)
{
    struct command commands[COMMANDS_MAX];
    size_t known = 0;
    bool used = count > 1 && strcmp(arguments[1], "-u") == 0;
    if (used)
        count--, arguments++;
    int rounds = count > 2 ? atoi(arguments[1]) : 0;
    if (rounds < 1) {
        fprintf(stderr,
                "usage: interleave [-u] ROUNDS COMMAND [ARG...] [-- COMMAND [ARG...]]...\n");
        return 1;
    }
    for (int i = 2; i < count && known < COMMANDS_MAX; i++) {
        commands[known].arguments = arguments + i;
        commands[known++].times = calloc((size_t)rounds, sizeof(double));
        while (i < count && strcmp(arguments[i], "--") != 0)
            i++;
        if (i < count)
            arguments[i] = NULL;
    }
    if (used && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) {
        perror("prctl");
        return 1;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < known; i++)
            commands[i].times[round] = run(commands[i].arguments, &actions, used);
    }
    for (size_t i = 0; i < known; i++) {
        qsort(commands[i].times, (size_t)rounds, sizeof(double), by_size);
        double median = commands[i].times[rounds / 2];
        printf("%8.3f min %8.3f median %6.2f x  ", commands[i].times[0], median,
               median / commands[0].times[rounds / 2]);
        for (char **word = commands[i].arguments; *word; word++)
            printf(" %.60s", *word);
        printf("\n");
    }
    return 0;
}
