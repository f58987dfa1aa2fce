/* Nothing is left of carrel, however it ends: so many ordinary runs, then so many that are killed
 * at a moment that nobody chose: the command, its guardian, its cell, or all of them.
 *
 *   leftovers CARREL ENGINE RUNS KILLS
 *
 * ENGINE obeys scripts (engine.c). As root, /run, /tmp and /var/cache are this program's own while
 * it runs. A process that outlives its parents becomes a child of this program, which is how it is
 * found. Looked for are processes, mounts, files, control groups, and growth of the kernel's own
 * memory. The last line is `N passed, N failed`. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTED_MAX (1 << 22) /* process ids are below */

static bool started[STARTED_MAX]; /* by this program: a control group is named by such an id */
static char carrel[PATH_MAX], engine[PATH_MAX], script[PATH_MAX], work[PATH_MAX];
static size_t passed, failed;

static void check(bool good, const char *what, size_t number)
{
    passed += good;
    failed += !good;
    if (!good)
        printf("%s: %zu left\n", what, number);
}

/* --- What could be left ------------------------------------------------------------------------
 */

static size_t count_lines(const char *path)
{
    char line[4096];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        count++;
    if (file)
        fclose(file);
    return count;
}

/* Entries of a directory whose names hold `part`. */
static size_t count_entries(const char *path, const char *part)
{
    size_t count = 0;
    const struct dirent *entry;
    DIR *directory = opendir(path);
    while (directory && (entry = readdir(directory)))
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part);
    if (directory)
        closedir(directory);
    return count;
}

/* Control groups that are named by a process of ours. */
static size_t count_groups(void)
{
    char line[PATH_MAX];
    size_t count = 0;
    FILE *found = popen("find /sys/fs/cgroup -type d -path '*/carrel/*' 2>/dev/null", "re");
    while (found && fgets(line, sizeof line, found)) {
        long pid = atol(strrchr(line, '/') + 1);
        count += pid > 0 && pid < STARTED_MAX && started[pid];
    }
    if (found)
        pclose(found);
    return count;
}

/* Children of ours: whatever outlived its parents. Gives them five seconds to end. */
static size_t count_orphans(void)
{
    pid_t pid = 0;
    for (int i = 0; i < 5000; i++) {
        while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
            ;
        if (pid < 0 && errno == ECHILD)
            return 0;
        usleep(1000);
    }
    return 1;
}

/* Namespaces of one kind that the kernel holds, or memory in KiB; 0 where it does not tell. */
static unsigned long kernel_number(const char *path, const char *key)
{
    char line[512];
    unsigned long number = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            number = strtoul(line + strlen(key), NULL, 10);
    if (file)
        fclose(file);
    return number;
}

static size_t files_left(void)
{
    if (geteuid() == 0)
        return count_entries("/run", "") + count_entries("/tmp", "") +
               count_entries("/var/cache/carrel", ".");
    char cache[PATH_MAX + 16];
    snprintf(cache, sizeof cache, "%.4000s/carrel", work);
    return count_entries(work, "") - 1 - (access(cache, F_OK) == 0) + count_entries(cache, ".");
}

/* --- Runs --------------------------------------------------------------------------------------
 */

static pid_t start(bool bounded)
{
    const char *arguments[] = {carrel, "run",   "--engine", engine, "--memory",
                               "64M",  "--dir", "/usr",     script, NULL};
    if (!bounded) {
        arguments[4] = script;
        arguments[5] = NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        execv(carrel, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    if (pid > 0)
        started[pid] = true;
    return pid;
}

static size_t run_all(size_t runs)
{
    size_t wrong = 0;
    for (size_t i = 0; i < runs; i++) {
        int status = 0;
        pid_t pid = start(i % 4 == 0);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 0)
            wrong++;
    }
    return wrong;
}

static size_t children(pid_t of, pid_t ret[8])
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)of, (int)of);
    FILE *file = fopen(path, "re");
    while (file && count < 8 && fscanf(file, "%d", &ret[count]) == 1)
        count++;
    if (file)
        fclose(file);
    return count;
}

/* One run that is killed; what of it dies, and when, the numbers say. */
static void kill_one(unsigned when, unsigned what)
{
    pid_t found[8], pid = start(true);
    usleep(when);
    size_t count = what % 4 ? children(pid, found) : 0;
    if (what % 4 < 2 || count == 0) /* the command, or all of them */
        kill(pid, SIGKILL);
    for (size_t i = 0; i < count; i++)
        if (what % 4 == 1 || i == (what >> 8) % count)
            kill(found[i], SIGKILL);
    waitpid(pid, NULL, 0);
}

static void kill_all(size_t kills)
{
    unsigned seed = 7;
    for (size_t i = 0; i < kills; i++) {
        seed = seed * 1103515245 + 12345;
        kill_one((seed >> 12) % 12000, seed >> 16);
    }
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static void private_folders(void)
{
    static const char *const folders[] = {"/run", "/tmp", "/var/cache"};
    if (geteuid() != 0)
        return;
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        perror("mount namespace");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mount("none", folders[i], "tmpfs", 0, "mode=755"))
            perror(folders[i]);
}

/* The folder is below that of carrel for root, whose /tmp is to stay empty. */
static void write_script(void)
{
    snprintf(work, sizeof work, "/dev/shm/leftovers-%d", (int)getpid());
    if (mkdir(work, 0700))
        perror(work);
    snprintf(script, sizeof script, "%.4000s/script", work);
    setenv("XDG_RUNTIME_DIR", work, 1);
    setenv("XDG_CACHE_HOME", work, 1);
    FILE *file = fopen(script, "we");
    if (!file || fputs("is command\nis component\nreach get_stdout\nprint on\n", file) < 0)
        perror(script);
    if (file)
        fclose(file);
}

static void look(const char *when, size_t mounts)
{
    size_t orphans = count_orphans();
    printf("%s:\n", when);
    check(orphans == 0, "processes", orphans);
    size_t now = count_lines("/proc/self/mountinfo");
    check(now == mounts, "mounts", now - mounts);
    size_t groups = count_groups();
    for (int i = 0; i < 100 && groups > 0; i++) {
        usleep(50000);
        groups = count_groups();
    }
    check(groups == 0, "control groups", groups);
    check(files_left() == 0, "files", files_left());
}

int main(int count, char **arguments)
{
    if (count != 5 || !realpath(arguments[1], carrel) || !realpath(arguments[2], engine)) {
        fprintf(stderr, "leftovers CARREL ENGINE RUNS KILLS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    private_folders();
    write_script();
    run_all(1);
    size_t mounts = count_lines("/proc/self/mountinfo");
    unsigned long net = kernel_number("/proc/slabinfo", "net_namespace");
    unsigned long slab = kernel_number("/proc/meminfo", "Slab:");
    size_t wrong = run_all(strtoul(arguments[3], NULL, 10));
    check(wrong == 0, "runs that did not end well", wrong);
    look("after the runs", mounts);
    kill_all(strtoul(arguments[4], NULL, 10));
    run_all(1); /* sweeps what is left when all are killed at once */
    look("after the kills", mounts);
    printf("net namespaces of the machine: %lu, then %lu; slab memory %lu KiB, then %lu KiB\n", net,
           kernel_number("/proc/slabinfo", "net_namespace"), slab,
           kernel_number("/proc/meminfo", "Slab:"));
    unlink(script);
    if (geteuid() != 0) {
        char cache[PATH_MAX + 32];
        snprintf(cache, sizeof cache, "rm -rf '%.4000s'", work);
        if (system(cache))
            perror(work);
    }
    rmdir(work);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}
