/* Containers and their processes, from the preparation to the end; see task.h. The loop never waits
 * for a cell: what is to be waited for is gathered, and acted on when it has happened. */
#include "shim/containerd/task.h"

#include "engine/base/deadline.h"
#include "shim/cleanup.h"
#include "shim/containerd/log.h"
#include "shim/containerd/pause.h"
#include "shim/containerd/prepare.h"
#include "shim/shared.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* How often time is counted for a cell that serves. */
#define SERVING_TICK (UINT64_C(1) << SERVING_TICK_SHIFT)

/* How long an end waits for output to be read. A client that hears of an end before it has opened a
 * FIFO opens it no more (ctr, under load), and would lose all of it. The time is counted in looks
 * at the output: a look that came late, as on a machine that had no processor for the shim, or had
 * none for anybody, counts as one that came in time, since who is to read comes late by as much. */
#define PATIENCE UINT64_C(2000000000)
#define LOOK     UINT64_C(20000000) /* what one look counts at most */

#define HELPER_PAUSE UINT64_C(20000000) /* between two looks whether one is gone */

/* Places of a process among what is waited for. */
enum {
    AT_SOCKET,
    AT_PIDFD,
    AT_HELPER,
    AT_PUMPS,
    AT_LOOKUPS = AT_PUMPS + 3,
    AT_TLS = AT_LOOKUPS + 2
};

void tasks_start(struct tasks *tasks, const char *namespace, struct connections *connections,
                 struct events *events)
{
    tasks->shim = shim_new();
    /* While nobody waits. Of an ordinary user's shim every cell has its own. */
    struct host host = {.root = geteuid() == 0};
    if (host.root)
        shared_open(&tasks->shim, &host);
    tasks->namespace = namespace;
    tasks->connections = connections;
    tasks->events = events;
}

/* --- Names ----------------------------------------------------------------------------------- */

struct container *tasks_container(struct tasks *tasks, struct bytes id)
{
    for (size_t i = 0; i < CONTAINERS_MAX; i++) {
        struct container *container = &tasks->containers[i];
        if (container->id[0] && bytes_are(id, container->id))
            return container;
    }
    return NULL;
}

struct process *tasks_process(struct tasks *tasks, struct bytes id, struct bytes exec)
{
    const struct container *container = tasks_container(tasks, id);
    for (size_t i = 0; container && i < PROCESSES_MAX; i++) {
        struct process *process = tasks->processes[i];
        if (process && process->container == container && bytes_are(exec, process->exec))
            return process;
    }
    return NULL;
}

bool tasks_empty(const struct tasks *tasks)
{
    for (size_t i = 0; i < CONTAINERS_MAX; i++) {
        if (tasks->containers[i].id[0])
            return false;
    }
    return true;
}

bool tasks_ended(struct tasks *tasks, int *ret_exit_status)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = tasks->processes[i];
        if (!process || process->exec[0] || process->status != TASK_STOPPED ||
            streams_pending(&process->streams))
            continue;
        *ret_exit_status = process->exit_status;
        return true;
    }
    return false;
}

struct container *tasks_add(struct tasks *tasks)
{
    for (size_t i = 0; i < CONTAINERS_MAX; i++) {
        struct container *container = &tasks->containers[i];
        if (container->id[0])
            continue;
        memset(container, 0, sizeof *container);
        return container;
    }
    return NULL;
}

static void *pages(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

struct process *tasks_add_process(struct tasks *tasks, struct container *container)
{
    size_t i = 0;
    while (i < PROCESSES_MAX && tasks->processes[i])
        i++;
    struct process *process = i < PROCESSES_MAX ? pages(sizeof *process) : NULL;
    struct room *room = process ? prepare_room(sizeof *room) : NULL;
    if (!room) {
        if (process)
            munmap(process, sizeof *process);
        return NULL;
    }
    process->container = container;
    process->helper = process->pidfd = process->memory = -1;
    process->room = room;
    streams_start(&process->streams);
    cell_start(&room->cell);
    tasks->processes[i] = process;
    return process;
}

enum task_status process_status(const struct process *process)
{
    return process->status == TASK_RUNNING && process->container->paused ? TASK_PAUSED
                                                                         : process->status;
}

struct bytes time_bytes(const struct timespec *at, uint8_t space[32])
{
    struct writer writer = {space, 32, 0};
    const struct message_timestamp time = {(uint64_t)at->tv_sec, (uint64_t)at->tv_nsec};
    message_put(timestamp, &time, &writer);
    return written(&writer);
}

/* --- Calls that wait ------------------------------------------------------------------------- */

/* Whoever waited for the end of an exec, and carried it so, is gone. */
static bool deserted(const struct tasks *tasks, const struct parked *parked)
{
    return tasks->carried && parked->process && parked->exit && parked->process->exec[0] &&
           !connections_there(tasks->connections, parked->call);
}

/* A free place; or, if there is none, that of a call whose caller hung up: a shim may see many
 * restarts of containerd, each of which waits anew. That of a deserted exec says still that it is.
 */
static struct parked *find_place(struct tasks *tasks)
{
    for (size_t i = 0; i < PARKED_MAX; i++) {
        if (!tasks->parked[i].process)
            return &tasks->parked[i];
    }
    for (size_t i = 0; i < PARKED_MAX; i++) {
        if (!connections_there(tasks->connections, tasks->parked[i].call) &&
            !deserted(tasks, &tasks->parked[i]))
            return &tasks->parked[i];
    }
    return NULL;
}

bool tasks_park(struct tasks *tasks, struct process *process, bool exit, struct call call,
                uint64_t until)
{
    struct parked *place = find_place(tasks);
    if (place)
        *place = (struct parked){process, exit, until, call};
    return place;
}

/* Its caller has had the time that it gave. */
static void answer_late(struct tasks *tasks)
{
    uint64_t now = cell_now();
    for (size_t i = 0; i < PARKED_MAX; i++) {
        struct parked *parked = &tasks->parked[i];
        struct process *process = parked->process;
        if (!process || now < parked->until)
            continue;
        parked->process = NULL;
        connections_refuse(tasks->connections, parked->call, CODE_DEADLINE,
                           "the time that the call had is over");
        if (!parked->exit)
            process_cancel(tasks, process);
    }
}

static void answer_exit(struct tasks *tasks, const struct process *process, struct call call)
{
    uint8_t bytes[64], time[32];
    struct writer writer = WRITER(bytes);
    const struct message_wait_answer answer = {(uint64_t)process->exit_status,
                                               time_bytes(&process->exited_at, time)};
    message_put(wait_answer, &answer, &writer);
    connections_answer(tasks->connections, call, written(&writer));
}

/* Those that wait for its end; or, `why` says, it never came to be and the others are refused. */
static void answer_parked(struct tasks *tasks, struct process *process, bool exit,
                          const struct err *why)
{
    uint8_t bytes[32];
    struct writer writer = WRITER(bytes);
    const struct message_pid_answer prepared = {process->exec[0] ? 0 : (uint64_t)process->pid};
    message_put(pid_answer, &prepared, &writer);
    for (size_t i = 0; i < PARKED_MAX; i++) {
        struct parked *parked = &tasks->parked[i];
        if (parked->process != process || parked->exit != exit)
            continue;
        parked->process = NULL;
        if (why)
            connections_refuse(tasks->connections, parked->call,
                               why->kind == ERR_USAGE ? CODE_INVALID : CODE_PRECONDITION,
                               why->text);
        else if (exit)
            answer_exit(tasks, process, parked->call);
        else
            connections_answer(tasks->connections, parked->call, written(&writer));
    }
}

/* --- Helpers --------------------------------------------------------------------------------- */

/* It may still be writing its audit: it is reaped when it is gone. */
static void leave_helper(struct tasks *tasks, struct process *process)
{
    size_t i = 0;
    close(take_fd(&process->helper));
    while (i < HELPERS_MAX - 1 && tasks->helpers[i] > 0)
        i++;
    if (tasks->helpers[i] > 0)
        waitpid(tasks->helpers[i], NULL, 0);
    tasks->helpers[i] = process->helper_pid;
}

static void reap_helpers(struct tasks *tasks)
{
    for (size_t i = 0; i < HELPERS_MAX; i++) {
        if (tasks->helpers[i] > 0 && waitpid(tasks->helpers[i], NULL, WNOHANG) != 0)
            tasks->helpers[i] = 0;
    }
}

bool tasks_helped(const struct tasks *tasks)
{
    for (size_t i = 0; i < HELPERS_MAX; i++) {
        if (tasks->helpers[i] > 0)
            return true;
    }
    return false;
}

/* --- The end --------------------------------------------------------------------------------- */

static void free_room(struct process *process)
{
    if (!process->room)
        return;
    struct room *room = process->room;
    if (room->looks_up) {
        lookups_close(&room->lookups);
        tls_close(&room->tls);
    }
    if (room->serves)
        serving_close(&room->serving);
    cell_close(&room->cell);
    munmap(room, sizeof *room);
    process->room = NULL;
}

/* What the kernel did to the group for want of memory. */
static void tell_oom(struct tasks *tasks, struct container *container)
{
    uint64_t kills = container->group[0] ? group_oom_kills(container->group) : 0;
    const struct message_task_named named = {bytes_of(container->id)};
    if (kills > container->oom_kills)
        events_tell(tasks->events, EVENT_OOM, &named);
    container->oom_kills = kills;
}

static void tell_exit(struct tasks *tasks, const struct process *process)
{
    uint8_t time[32];
    const struct container *container = process->container;
    const struct message_task_exit exit = {
        bytes_of(container->id), bytes_of(process->exec[0] ? process->exec : container->id),
        (uint64_t)process->pid, (uint64_t)process->exit_status,
        time_bytes(&process->exited_at, time)};
    events_tell(tasks->events, EVENT_EXIT, &exit);
}

/* Why a cell ended that its guest did not end: for the log, and for whoever reads its errors. */
static void explain(struct process *process)
{
    const struct outcome *outcome = &process->room->cell.outcome;
    if (outcome->by_guest || process->signal || outcome->why.kind == ERR_NONE)
        return;
    log_line("warning", process->container->id, "%s: %s", err_word(outcome->why.kind),
             outcome->why.text);
    streams_say(&process->streams, outcome->why.text);
}

/* The process is gone, and its output is where it belongs. */
static void tell_end(struct tasks *tasks, struct process *process)
{
    process->untold = false;
    if (!process->container)
        return;
    tell_oom(tasks, process->container);
    tell_exit(tasks, process);
    answer_parked(tasks, process, true, NULL);
}

/* The end of a container's own process is told last: those of its execs come before it. */
static bool comes_later(const struct tasks *tasks, const struct process *process)
{
    for (size_t i = 0; process->container && !process->exec[0] && i < PROCESSES_MAX; i++) {
        const struct process *other = tasks->processes[i];
        if (other && other != process && other->container == process->container &&
            (other->status == TASK_RUNNING || other->untold))
            return true;
    }
    return false;
}

/* Has there been time enough for somebody to read what it wrote? */
static bool waited_enough(struct process *process)
{
    uint64_t now = cell_now(), since = now - process->looked;
    uint64_t spent = since < LOOK ? since : LOOK;
    process->looked = now;
    process->patience -= spent < process->patience ? spent : process->patience;
    return process->patience == 0;
}

/* The process is gone. Execs end with the process of their container. */
static void finish(struct tasks *tasks, struct process *process, int exit_status)
{
    process->status = TASK_STOPPED; /* whoever asks how it is hears what is */
    process->exit_status = exit_status;
    process->untold = true;
    process->patience = PATIENCE;
    process->looked = cell_now();
    clock_gettime(CLOCK_REALTIME, &process->exited_at);
    for (size_t i = 0; process->container && !process->exec[0] && i < PROCESSES_MAX; i++) {
        struct process *other = tasks->processes[i];
        if (other && other != process && other->container == process->container)
            process_kill(other, SIGKILL);
    }
    if (!comes_later(tasks, process) && !streams_pending(&process->streams))
        tell_end(tasks, process);
}

/* The exit code of a cell, as containerd has it: of the guest, 128 and the signal, or carrel's. */
static int cell_status(const struct process *process)
{
    const struct outcome *outcome = &process->room->cell.outcome;
    if (!outcome->by_guest && process->signal)
        return 128 + process->signal;
    return outcome->exit_code;
}

static void finish_cell(struct tasks *tasks, struct process *process)
{
    int status = cell_status(process);
    explain(process);
    free_room(process);
    streams_end(&process->streams);
    if (process->memory >= 0)
        close(take_fd(&process->memory));
    finish(tasks, process, status);
}

/* The process of a pod is gone. */
static void finish_pause(struct tasks *tasks, struct process *process)
{
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        ;
    close(take_fd(&process->pidfd));
    free_room(process);
    streams_end(&process->streams);
    finish(tasks, process, info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status);
}

/* A component that serves is told to take no more requests. False if that is not how it ends. */
static bool drain(struct process *process, int signal)
{
    struct room *room = process->room;
    if (signal == SIGKILL || !room || !room->serves || room->cell.state != STATE_RUN ||
        process->container->paused || !serving_leave(&room->serving))
        return false;
    room->cell.deadline = deadline_after(cell_now(), room->serving.grace);
    process->signal = signal;
    return true;
}

void process_kill(struct process *process, int signal)
{
    int pidfd = process->pidfd >= 0 ? process->pidfd
                : process->room     ? process->room->cell.process.pidfd
                                    : -1;
    bool harmless = signal == 0 || signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH;
    bool stops = signal == SIGSTOP || signal == SIGTSTP || signal == SIGCONT;
    if (pidfd < 0 || harmless)
        return;
    if (stops || process->pidfd >= 0) {
        syscall(SYS_pidfd_send_signal, pidfd, signal == SIGTSTP ? SIGSTOP : signal, NULL, 0);
    } else if (drain(process, signal)) {
        return;
    } else {
        if (!process->signal)
            process->signal = signal;
        cell_kill(&process->room->cell);
    }
    if (!stops && process->container->paused) { /* what is frozen cannot die */
        group_freeze(process->container->group, false, NULL);
        process->container->paused = false;
    }
}

static void forget(struct tasks *tasks, struct process *process)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (tasks->processes[i] == process)
            tasks->processes[i] = NULL;
    }
    streams_close(&process->streams);
    munmap(process, sizeof *process);
}

/* The group that its helper made. What a helper that was killed has left half-written is no path:
 * it might be that of others. */
static void take_group(struct container *container, const struct prepared *prepared)
{
    if (prepared->grouped)
        snprintf(container->group, sizeof container->group, "%s", prepared->group);
}

void process_drop(struct tasks *tasks, struct process *process)
{
    static const struct err gone = {.kind = ERR_KILLED, .text = "the process was deleted"};
    if (process->pidfd >= 0) {
        process_kill(process, SIGKILL);
        finish_pause(tasks, process);
    }
    if (process->room && !cell_gone(&process->room->cell)) {
        process_kill(process, SIGKILL);
        cell_bury(&process->room->cell);
        finish_cell(tasks, process);
    }
    if (process->untold)
        tell_end(tasks, process);
    if (process->helper >= 0)
        leave_helper(tasks, process);
    free_room(process);
    if (process->memory >= 0)
        close(take_fd(&process->memory));
    answer_parked(tasks, process, true, &gone);
    answer_parked(tasks, process, false, &gone);
    process->container = NULL;
    streams_end(&process->streams);
    streams_hurry(&process->streams);
    if (!streams_pending(&process->streams))
        forget(tasks, process);
}

void process_cancel(struct tasks *tasks, struct process *process)
{
    struct container *container = process->container;
    const struct prepared *prepared = &process->room->prepared;
    bool whole = !process->exec[0];
    if (process->helper >= 0) {
        prepare_stop(process->helper_pid);
        close(take_fd(&process->helper));
    }
    take_group(container, prepared);
    cell_close(&process->room->cell); /* nobody has heard of it */
    process_drop(tasks, process);
    if (whole)
        container_drop(tasks, container);
}

void tasks_drop_deserted(struct tasks *tasks)
{
    for (size_t i = 0; i < PARKED_MAX; i++) {
        if (deserted(tasks, &tasks->parked[i]))
            process_drop(tasks, tasks->parked[i].process);
    }
}

void container_drop(struct tasks *tasks, struct container *container)
{
    if (container->group[0])
        group_remove(container->group, tasks->namespace);
    container->id[0] = '\0';
}

/* --- The beginning --------------------------------------------------------------------------- */

/* The sockets of a component are made in the network namespace of its pod. One shim can be in one:
 * containers with another network are refused, but for those that have no rule and so no socket. */
static int enter_network(struct tasks *tasks, const struct prepared *prepared, struct err *err)
{
    struct stat now, wanted;
    const char *own = "/proc/self/ns/net";
    cleanup_close int fd =
        prepared->network[0] ? open(prepared->network, O_RDONLY | O_CLOEXEC) : -1;
    if (prepared->policy.net_count == 0)
        return 0;
    bool there =
        prepared->network[0] ? fd >= 0 && fstat(fd, &wanted) == 0 : stat(own, &wanted) == 0;
    if (!there)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot open the network namespace %s: %s: make the pod again",
                       prepared->network, strerror(errno));
    if (!tasks->network.decided) {
        if ((fd >= 0 && setns(fd, CLONE_NEWNET)) ||
            (prepared->own_network && unshare(CLONE_NEWNET)))
            return err_set(err, ERR_FAULT, ERR_NOWHERE,
                           "cannot enter the network namespace: %s: make the pod again",
                           strerror(errno));
        if (stat(own, &wanted))
            return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot open %s: make it first", own);
        tasks->network.decided = true;
        tasks->network.device = wanted.st_dev;
        tasks->network.node = wanted.st_ino;
    }
    bool same = stat(own, &now) == 0 && now.st_ino == wanted.st_ino && now.st_dev == wanted.st_dev;
    return same ? 0
                : err_set(err, ERR_USAGE, ERR_NOWHERE,
                          "carrel.policy/net in another network namespace than that of the "
                          "containers which this shim has already: put it into a pod of its own");
}

static void write_number(const char *path, int number)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0)
        dprintf(fd, "%d", number);
}

/* Launches a cell, which waits. */
static int launch_cell(struct tasks *tasks, struct room *room, const struct plan *plan,
                       struct err *err)
{
    const char *group = room->prepared.group;
    tasks->shim.into = group[0] ? group_unified(group) : -1;
    int result = cell_launch(&room->cell, &tasks->shim, plan, err);
    if (tasks->shim.into >= 0)
        close(take_fd(&tasks->shim.into));
    return result;
}

/* What the cell is to serve with, of which the helper has made only the socket that listens. */
static int open_serving(struct room *room, struct err *err)
{
    struct serving *serving = &room->serving;
    struct plan *plan = &room->prepared.plan.plan;
    serving_start(serving);
    serving->listener = room->prepared.serve.listener;
    serving->grace = room->prepared.serve.time;
    room->serves = true;
    if (serving_open(serving, err))
        return -1;
    for (size_t i = 0; i < plan->count; i++) {
        struct operation *at = &plan->at[i];
        if (at->kind == OPERATION_HTTP_LISTENER)
            at->of.http_listener.socket = (uint64_t)serving->listener;
        else if (at->kind == OPERATION_LEAVE)
            at->of.leave.pipe = (uint64_t)serving->leave[0];
        else if (at->kind == OPERATION_TICKS)
            at->of.ticks.file = (uint64_t)serving->ticks;
    }
    serving_tick(serving, cell_now());
    return 0;
}

/* The cell of a process that is prepared: the one that was launched while a reader was at work, if
 * it is as the plan wants it. Or the process of a pod, which does nothing else. */
static int launch_it(struct tasks *tasks, struct process *process, struct err *err)
{
    struct room *room = process->room;
    const struct prepared *prepared = &room->prepared;
    if (prepared->sandbox) {
        process->pid = pause_start(prepared, &process->pidfd, err);
        return process->pid < 0 ? -1 : 0;
    }
    if (enter_network(tasks, prepared, err) ||
        (prepared->serve.listener >= 0 && open_serving(room, err)))
        return -1;
    if (!launch_alike(&prepared->reader.plan, &prepared->plan.plan))
        cell_close(&room->cell);
    if (cell_gone(&room->cell) && launch_cell(tasks, room, &prepared->plan.plan, err))
        return -1;
    process->pid = room->cell.process.pid;
    return 0;
}

/* What is done to a new process before it does anything. */
static void settle(const struct process *process)
{
    const struct prepared *prepared = &process->room->prepared;
    char path[BUNDLE_MAX + 32];
    if (prepared->oom_score != INT_MIN) {
        snprintf(path, sizeof path, "/proc/%d/oom_score_adj", process->pid);
        write_number(path, prepared->oom_score);
    }
    if (!process->exec[0]) {
        snprintf(path, sizeof path, "%s/init.pid", process->container->bundle);
        write_number(path, process->pid);
    }
}

static void tell_created(struct tasks *tasks, const struct process *process)
{
    const struct container *container = process->container;
    const struct streams *streams = &process->streams;
    if (process->exec[0]) {
        const struct message_exec_added added = {bytes_of(container->id), bytes_of(process->exec)};
        events_tell(tasks->events, EVENT_EXEC_ADDED, &added);
        return;
    }
    uint8_t bytes[3 * STREAM_NAME + 32];
    struct writer io = WRITER(bytes);
    const struct message_task_io names = {bytes_of(streams->names[0]), bytes_of(streams->names[1]),
                                          bytes_of(streams->names[2]), streams->terminal};
    message_put(task_io, &names, &io);
    const struct message_task_create create = {bytes_of(container->id), bytes_of(container->bundle),
                                               written(&io), (uint64_t)process->pid};
    events_tell(tasks->events, EVENT_CREATE, &create);
}

/* An exec is of a container that runs: it may have ended meanwhile. */
static int check_container(struct tasks *tasks, const struct process *process, struct err *err)
{
    const struct process *init =
        tasks_process(tasks, bytes_of(process->container->id), (struct bytes){0});
    return !process->exec[0] || (init && init->status == TASK_RUNNING)
               ? 0
               : err_set(err, ERR_FAULT, ERR_NOWHERE, "the container has ended: start another");
}

/* A helper is done. */
static void take_prepared(struct tasks *tasks, struct process *process)
{
    struct room *room = process->room;
    struct prepared *prepared = &room->prepared;
    struct container *container = process->container;
    leave_helper(tasks, process);
    process->memory = prepared->component.memory;
    process->component = prepared->component;
    take_group(container, prepared);
    struct err why = prepared->err;
    if (why.kind == ERR_NONE && check_container(tasks, process, &why) == 0 &&
        launch_it(tasks, process, &why) == 0) {
        settle(process);
        process->status = TASK_CREATED;
        tell_created(tasks, process);
        answer_parked(tasks, process, false, NULL);
        return;
    }
    bool whole = !process->exec[0];
    cell_close(&room->cell); /* nobody has heard of it */
    log_line("error", container->id, "%s: %s", err_word(why.kind), why.text);
    answer_parked(tasks, process, false, &why);
    process_drop(tasks, process);
    if (whole)
        container_drop(tasks, container);
}

static void hear_helper(struct tasks *tasks, struct process *process)
{
    struct room *room = process->room;
    switch (prepare_finish(&room->prepared, process->helper)) {
    case PREPARE_WAITS: break;
    case PREPARE_LAUNCH: /* if that fails, it fails again when it matters */
        launch_cell(tasks, room, &room->prepared.reader.plan, NULL);
        break;
    case PREPARE_DONE: take_prepared(tasks, process); break;
    }
}

static void tell_started(struct tasks *tasks, const struct process *process)
{
    const struct message_task_start start = {bytes_of(process->container->id),
                                             (uint64_t)process->pid};
    const struct message_exec_started exec = {bytes_of(process->container->id),
                                              bytes_of(process->exec), (uint64_t)process->pid};
    if (process->exec[0])
        events_tell(tasks->events, EVENT_EXEC_STARTED, &exec);
    else
        events_tell(tasks->events, EVENT_START, &start);
}

int process_start(struct tasks *tasks, struct process *process, struct err *err)
{
    struct room *room = process->room;
    if (!room->prepared.sandbox) {
        streams_begin(&process->streams);
        for (int i = 0; i < 3; i++)
            room->cell.grants.streams[i] = process->streams.ends[i];
        room->looks_up = room->prepared.policy.net_count > 0;
        if (room->looks_up) {
            lookups_start(&room->lookups);
            lookups_open(&room->lookups, &room->prepared.host, &room->prepared.policy);
            tls_start(&room->tls);
            if (tls_open(&room->tls, &room->prepared.host, &room->prepared.policy, &tasks->shim,
                         err)) {
                cell_kill(&room->cell);
                return -1;
            }
        }
        if (cell_order(&room->cell, &room->prepared.plan.plan, &process->component, err)) {
            cell_kill(&room->cell);
            return -1;
        }
        if (room->looks_up)
            tls_advance(&room->tls, &room->cell.network, &tasks->shim);
    }
    process->status = TASK_RUNNING;
    tell_started(tasks, process);
    return 0;
}

/* --- The loop -------------------------------------------------------------------------------- */

static void wait_cell(struct process *process, struct polls *polls)
{
    struct room *room = process->room;
    struct cell *cell = &room->cell;
    uint64_t now = cell_now(), pause = cell_pause(cell, now);
    bool begun = process->status == TASK_RUNNING;
    short events = (short)((cell->ordered ? 0 : POLLOUT) | (pause ? 0 : POLLIN));
    process->places[AT_SOCKET] =
        polls_add(polls, (struct pollfd){begun ? cell->process.socket : -1, events, 0});
    process->places[AT_PIDFD] = polls_add(polls, (struct pollfd){cell->process.pidfd, POLLIN, 0});
    for (size_t i = 0; i < cell->grants.pump_count; i++)
        process->places[AT_PUMPS + i] = polls_add(polls, pump_wait(&cell->grants.pumps[i]));
    if (room->looks_up) {
        struct pollfd waits[2];
        lookups_wait(&room->lookups, waits);
        process->places[AT_LOOKUPS] = polls_add(polls, waits[0]);
        process->places[AT_LOOKUPS + 1] = polls_add(polls, waits[1]);
        polls_until(polls, lookups_deadline(&room->lookups));
        tls_wait(&room->tls, &cell->network, waits);
        process->places[AT_TLS] = polls_add(polls, waits[0]);
        process->places[AT_TLS + 1] = polls_add(polls, waits[1]);
    }
    if (room->serves && begun)
        polls_until(polls, now + SERVING_TICK);
    if (cell_gone(cell))
        return;
    polls_until(polls, cell->deadline);
    if (pause)
        polls_until(polls, now + pause);
}

static void act_cell(struct tasks *tasks, struct process *process, const struct polls *polls)
{
    struct room *room = process->room;
    struct cell *cell = &room->cell;
    cell_hear(cell, polls_events(polls, process->places[AT_SOCKET]));
    for (size_t i = 0; i < cell->grants.pump_count; i++) {
        if (polls_events(polls, process->places[AT_PUMPS + i]))
            pump_move(&cell->grants.pumps[i]);
    }
    if (room->looks_up) {
        const struct pollfd waits[2] = {polls->at[process->places[AT_LOOKUPS]],
                                        polls->at[process->places[AT_LOOKUPS + 1]]};
        lookups_act(&room->lookups, waits);
        lookups_advance(&room->lookups, &cell->network, &tasks->shim);
        const struct pollfd secure[2] = {polls->at[process->places[AT_TLS]],
                                         polls->at[process->places[AT_TLS + 1]]};
        tls_act(&room->tls, secure);
        tls_advance(&room->tls, &cell->network, &tasks->shim);
    }
    if (room->serves)
        serving_tick(&room->serving, cell_now());
    if (cell->state == STATE_RUN && !room->released) {
        room->released = true;
        prepare_release(&room->prepared);
    }
    cell_check_time(cell, cell_now());
    if (!cell_gone(cell) && polls_events(polls, process->places[AT_PIDFD]))
        cell_bury(cell);
    if (cell_gone(cell) && !grants_output_pending(&cell->grants))
        finish_cell(tasks, process);
}

void tasks_wait(struct tasks *tasks, struct polls *polls)
{
    reap_helpers(tasks);
    for (size_t i = 0; i < HELPERS_MAX; i++) {
        if (tasks->helpers[i] > 0)
            polls_until(polls, cell_now() + HELPER_PAUSE);
    }
    for (size_t i = 0; i < PARKED_MAX; i++) {
        if (tasks->parked[i].process)
            polls_until(polls, tasks->parked[i].until);
    }
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = tasks->processes[i];
        if (!process)
            continue;
        process->places[AT_HELPER] = SIZE_MAX;
        if (process->helper >= 0)
            process->places[AT_HELPER] =
                polls_add(polls, (struct pollfd){process->helper, POLLIN, 0});
        else if (process->pidfd >= 0)
            process->places[AT_PIDFD] =
                polls_add(polls, (struct pollfd){process->pidfd, POLLIN, 0});
        else if (process->room)
            wait_cell(process, polls);
        else if (process->untold)
            polls_until(polls, cell_now() + LOOK);
        streams_wait(&process->streams, polls);
        process->waited = true;
    }
}

void tasks_act(struct tasks *tasks, const struct polls *polls)
{
    answer_late(tasks);
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = tasks->processes[i];
        if (!process || !process->waited)
            continue;
        process->waited = false;
        int typed = streams_act(&process->streams, polls);
        if (typed && process->status == TASK_RUNNING)
            process_kill(process, typed);
        if (process->room && process->places[AT_HELPER] != SIZE_MAX) {
            if (polls_events(polls, process->places[AT_HELPER]))
                hear_helper(tasks, process);
        } else if (process->pidfd >= 0) {
            if (polls_events(polls, process->places[AT_PIDFD]))
                finish_pause(tasks, process);
        } else if (process->room) {
            act_cell(tasks, process, polls);
        } else if (process->untold) {
            bool heard = !streams_pending(&process->streams) || waited_enough(process);
            if (heard && !comes_later(tasks, process))
                tell_end(tasks, process);
        } else if (!streams_pending(&process->streams) && !process->container) {
            forget(tasks, process);
        }
    }
}
