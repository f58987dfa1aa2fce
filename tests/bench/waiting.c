/* Cells that wait, as in a pool: the time from the order to the moment at which the cell has its
 * walls and its role begins, which it tells itself. Beside it, in turn, what a plain process takes
 * that is woken by one byte: that much is the machine's. Both on processors that sleep between two
 * orders, and on some that are kept awake by whoever yields to everybody else.
 *
 *   waiting ENGINE                 prints a line for each: NAME least median, microseconds */
#include "policies/cell_plan.h"
#include "shim/host.h"
#include "shim/session.h"
#include "shim/shared.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS   20
#define IN_ROUND 10
#define SAMPLES  (ROUNDS * IN_ROUND)

/* Before each order: what waits has come to wait, and a processor to sleep. */
static const struct timespec moment = {0, 2000000};

struct samples {
    size_t count;
    uint32_t at[SAMPLES]; /* nanoseconds */
};

/* What is measured: a cell, a plain process. */
enum { CELL, PLAIN, MEASURED };

static struct session session;
static struct cell_plan plan;
static struct component component;
static int plain;      /* the socket of the plain process */
static pid_t awake[8]; /* who keep processors awake */
static int processors;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "waiting: %s\n", why);
    exit(125);
}

/* The word that is sent back is when it came, as the engine tells it. */
static _Noreturn void answer(int socket)
{
    char byte;
    while (recv(socket, &byte, 1, 0) == 1) {
        uint32_t now = (uint32_t)cell_now();
        if (send(socket, &now, sizeof now, 0) < 0)
            break;
    }
    _exit(0);
}

static _Noreturn void spin(int processor)
{
    const struct sched_param none = {0};
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
    if (sched_setscheduler(0, SCHED_IDLE, &none))
        _exit(1);
    for (volatile unsigned i = 0;; i++)
        ;
}

/* They die with this program, which one that is stopped too early would not know. */
static pid_t start(int socket, int processor)
{
    int ready[2];
    char byte = 0;
    if (pipe2(ready, O_CLOEXEC))
        give_up("no pipe");
    pid_t pid = fork();
    if (pid < 0)
        give_up("no process");
    if (pid > 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1)
            give_up("a process ended too early");
        close(ready[0]);
        return pid;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || write(ready[1], &byte, 1) != 1)
        _exit(1);
    if (processor >= 0)
        spin(processor);
    answer(socket);
}

static void start_others(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        give_up("no socket");
    plain = pair[0];
    start(pair[1], -1);
    processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (processors > (int)countof(awake))
        processors = countof(awake);
    for (int i = 0; i < processors; i++)
        awake[i] = start(-1, i);
}

static void tell_awake(int number)
{
    for (int i = 0; i < processors; i++)
        kill(awake[i], number);
}

static void make_plan(const char *engine)
{
    static struct host host;
    static struct verdict verdict;
    static uint8_t seed[32];
    static const char *const argument = "when";
    static const struct policy policy = {
        .memory = UINT64_C(1) << 30, .timeout = POLICY_UNLIMITED, .fuel = POLICY_UNLIMITED};
    struct err err = {0};
    verdict.granted = CAPABILITY(ARGS);
    verdict.rules = RULES_BASE;
    if (component_copy("/dev/null", NULL, NULL, &component, &err))
        give_up(err.text);
    host_probe(engine, false, &host);
    if (session_open(&session, &err))
        give_up(err.text);
    shared_open(&session.shim, &host);
    const struct cell_request request = {.role = CELL_RUN,
                                         .host = &host,
                                         .policy = &policy,
                                         .verdict = &verdict,
                                         .digest = component.digest,
                                         .seed = seed,
                                         .arguments = {&argument, 1}};
    if (cell_plan_make(&request, &plan, &err))
        give_up(err.text);
}

/* The shim sleeps until it hears, as it does in life: nothing but the cell is at work. */
static uint32_t order_one(void)
{
    struct cell *cell = session.cell;
    struct err err = {0};
    if (cell_launch(cell, &session.shim, &plan.plan, &err))
        give_up(err.text);
    nanosleep(&moment, NULL);
    uint64_t begin = cell_now();
    if (cell_order(cell, &plan.plan, &component, &err))
        give_up(err.text);
    while (!outcome_known(&cell->outcome)) {
        struct pollfd waits[2];
        cell_wait(cell, true, false, waits);
        if (poll(waits, 2, -1) > 0)
            cell_act(cell, waits);
    }
    if (!cell->outcome.by_guest)
        give_up(cell->outcome.why.text);
    uint32_t told = cell->outcome.told;
    cell_close(cell);
    return told - (uint32_t)begin;
}

static uint32_t wake_one(void)
{
    uint32_t told;
    nanosleep(&moment, NULL);
    uint64_t begin = cell_now();
    if (send(plain, "", 1, 0) != 1 || recv(plain, &told, sizeof told, 0) != sizeof told)
        give_up("the plain process is gone");
    return told - (uint32_t)begin;
}

static void measure(struct samples samples[MEASURED])
{
    for (size_t i = 0; i < IN_ROUND; i++) {
        samples[CELL].at[samples[CELL].count++] = order_one();
        samples[PLAIN].at[samples[PLAIN].count++] = wake_one();
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

static void print(const char *name, struct samples *samples)
{
    qsort(samples->at, samples->count, sizeof *samples->at, compare);
    const size_t middle = samples->count / 2;
    printf("%s %.1f %.1f\n", name, samples->at[0] / 1e3, samples->at[middle] / 1e3);
}

int main(int count, char **arguments)
{
    static struct samples asleep[MEASURED], roused[MEASURED];
    if (count != 2)
        give_up("its argument is the engine");
    start_others();
    make_plan(arguments[1]);
    for (size_t i = 0; i < ROUNDS; i++) {
        tell_awake(SIGSTOP);
        measure(asleep);
        tell_awake(SIGCONT);
        measure(roused);
    }
    session_close(&session);
    print("cell-asleep", &asleep[CELL]);
    print("plain-asleep", &asleep[PLAIN]);
    print("cell-awake", &roused[CELL]);
    print("plain-awake", &roused[PLAIN]);
    return 0;
}
