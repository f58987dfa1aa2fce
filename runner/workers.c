/* Workers; see workers.h. A worker has a process group of its own, so that a signal from the
 * terminal comes to the first process alone, and is passed on once. */
#include "runner/workers.h"

#include "runner/report.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Who ends sooner than this would not do better the next time. */
#define TOO_SOON 2

struct worker {
    pid_t pid; /* 0: it has ended */
    time_t began;
};

struct workers {
    struct worker *at;
    uint64_t count;
    uint64_t alive;
    bool ending;
    int worst;
    sigset_t mask; /* as it was before */
    int (*work)(void *data, uint64_t number);
    void *data;
};

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void begin(struct workers *workers, struct worker *worker)
{
    pid_t parent = getpid();
    worker->began = now();
    worker->pid = fork();
    if (worker->pid < 0) {
        report_line("no process for a worker: %s", strerror(errno));
        worker->pid = 0;
        workers->worst = 125;
        return;
    }
    if (worker->pid > 0) {
        workers->alive++;
        return;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    sigprocmask(SIG_SETMASK, &workers->mask, NULL);
    if (getppid() != parent)
        _exit(0);
    _exit(workers->work(workers->data, (uint64_t)(worker - workers->at)));
}

static void pass_on(struct workers *workers)
{
    workers->ending = true;
    for (uint64_t i = 0; i < workers->count; i++)
        if (workers->at[i].pid > 0)
            kill(workers->at[i].pid, SIGTERM);
}

static struct worker *worker_of(struct workers *workers, pid_t pid)
{
    for (uint64_t i = 0; i < workers->count; i++)
        if (workers->at[i].pid == pid)
            return &workers->at[i];
    return NULL;
}

static void bury(struct workers *workers)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct worker *worker = worker_of(workers, pid);
        if (!worker)
            continue;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        worker->pid = 0;
        workers->alive--;
        if (workers->ending || now() - worker->began < TOO_SOON) {
            workers->worst = code > workers->worst ? code : workers->worst;
            if (!workers->ending)
                pass_on(workers);
            continue;
        }
        report_line("a worker ended with %d; another takes its place", code);
        begin(workers, worker);
    }
}

int workers_run(uint64_t count, int (*work)(void *data, uint64_t number), void *data)
{
    static const int heeded[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct workers workers = {.count = count, .work = work, .data = data};
    workers.at = calloc(count, sizeof *workers.at);
    if (!workers.at) {
        report_line("out of memory for workers: close something and try again");
        return 125;
    }
    sigset_t set;
    signal(SIGCHLD, SIG_DFL); /* a caller that ignores it would reap the workers */
    sigemptyset(&set);
    for (size_t i = 0; i < countof(heeded); i++)
        sigaddset(&set, heeded[i]);
    sigprocmask(SIG_BLOCK, &set, &workers.mask);
    for (uint64_t i = 0; i < count; i++)
        begin(&workers, &workers.at[i]);
    while (workers.alive) {
        int number = sigwaitinfo(&set, NULL);
        if (number == SIGCHLD)
            bury(&workers);
        else if (number > 0)
            pass_on(&workers);
    }
    sigprocmask(SIG_SETMASK, &workers.mask, NULL);
    free(workers.at);
    return workers.worst;
}
