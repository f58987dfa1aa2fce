/* The task service; see service.h. A handler answers at once, or parks its call until a process is
 * prepared or has ended. */
#include "shim/containerd/service.h"

#include "policies/printable.h"
#include "shim/cleanup.h"
#include "shim/containerd/log.h"
#include "shim/containerd/prepare.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MILLISECOND    UINT64_C(1000000)
#define SHUTDOWN_TIME  (2500 * MILLISECOND)
#define QUIET          (100 * MILLISECOND)
#define SERVICE_PREFIX "containerd.task.v"
#define SERVICE_SUFFIX ".Task"

/* One call, with what every handler needs. */
struct handling {
    struct service *service;
    struct tasks *tasks;
    struct call call;
    uint64_t until; /* when its caller waits no more (cell_now) */
};

static void refuse(const struct handling *of, enum ttrpc_code code, const char *text)
{
    connections_refuse(&of->service->connections, of->call, code, text);
}

static void answer_nothing(const struct handling *of)
{
    connections_answer(&of->service->connections, of->call, (struct bytes){0});
}

#define answer(of, name, message)                                                                  \
    do {                                                                                           \
        uint8_t answer_bytes[8192];                                                                \
        struct writer answer_writer = WRITER(answer_bytes);                                        \
        message_put(name, message, &answer_writer);                                                \
        connections_answer(&(of)->service->connections, (of)->call, written(&answer_writer));      \
    } while (0)

static void refuse_err(const struct handling *of, const struct err *err)
{
    refuse(of, err->kind == ERR_USAGE ? CODE_INVALID : CODE_UNKNOWN, err->text);
}

/* The process that a request names; refuses it if there is none. */
static struct process *find(const struct handling *of, struct bytes id, struct bytes exec)
{
    struct process *process = tasks_process(of->tasks, id, exec);
    char text[2 * ID_MAX + 64];
    if (process && process->status != TASK_PREPARING)
        return process;
    snprintf(text, sizeof text, "%s %.*s: not found", exec.len ? "process" : "container",
             (int)(exec.len ? exec.len : id.len) & 0xff,
             (const char *)(exec.len ? exec.at
                            : id.at  ? id.at
                                     : (const uint8_t *)""));
    refuse(of, CODE_NOT_FOUND, text);
    return NULL;
}

/* --- Create, Exec, Start --------------------------------------------------------------------- */

static bool copy_streams(struct streams *streams, struct bytes in, struct bytes out,
                         struct bytes error, uint64_t terminal)
{
    streams->terminal = terminal != 0;
    return bytes_copy(in, streams->names[0], STREAM_NAME) &&
           bytes_copy(out, streams->names[1], STREAM_NAME) &&
           bytes_copy(error, streams->names[2], STREAM_NAME);
}

/* Opens the streams, and starts the helper that prepares the rest. */
static int begin(const struct handling *of, struct process *process, const struct preparing *what,
                 struct err *err)
{
    const char *id = process->container->id;
    int failed =
        streams_open(&process->streams, id, of->tasks->namespace, err) ||
        prepare_start(&process->room->prepared, what, &process->helper, &process->helper_pid, err);
    streams_leave(&process->streams);
    if (failed)
        return -1;
    if (tasks_park(of->tasks, process, false, of->call, of->until))
        return 0;
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "too many calls wait: try again later");
}

static void on_create(const struct handling *of, const struct message_create_request *request)
{
    struct err err = {0};
    struct process *process = NULL;
    if (tasks_container(of->tasks, request->id)) {
        refuse(of, CODE_EXISTS, "there is a container of that id");
        return;
    }
    if (request->checkpoint.len) {
        refuse(of, CODE_UNIMPLEMENTED, "a component cannot be restored from a checkpoint");
        return;
    }
    struct container *container = tasks_add(of->tasks);
    if (container && request->id.len && bytes_copy(request->id, container->id, ID_MAX) &&
        bytes_copy(request->bundle, container->bundle, BUNDLE_MAX))
        process = tasks_add_process(of->tasks, container);
    if (!process) {
        if (container)
            container->id[0] = '\0';
        refuse(of, container ? CODE_INVALID : CODE_EXHAUSTED,
               container ? "the container's id or bundle is empty or too long"
                         : "this shim has as many containers as it can");
        return;
    }
    const struct preparing what = {.bundle = container->bundle,
                                   .rootfs = request->rootfs,
                                   .options = request->options,
                                   .image = {of->service->containerd ? of->service->containerd : "",
                                             of->service->namespace, container->id},
                                   .streams = &process->streams,
                                   .listener = of->service->connections.listener,
                                   .shim = &of->tasks->shim};
    if (copy_streams(&process->streams, request->in, request->out, request->error,
                     request->terminal) &&
        begin(of, process, &what, &err) == 0)
        return;
    err_set(&err, ERR_USAGE, ERR_NOWHERE,
            "the name of a standard stream is too long: give it a shorter path");
    process_drop(of->tasks, process);
    container_drop(of->tasks, container);
    refuse_err(of, &err);
}

static void on_exec(const struct handling *of, const struct message_exec_request *request)
{
    struct err err = {0};
    struct message_any spec;
    struct process *init = find(of, request->id, (struct bytes){0});
    if (!init)
        return;
    if (!request->exec.len || !message_get(any, request->spec, &spec) || !spec.value.len) {
        refuse(of, CODE_INVALID, "an exec needs an id and a process");
        return;
    }
    if (tasks_process(of->tasks, request->id, request->exec)) {
        refuse(of, CODE_EXISTS, "there is an exec of that id");
        return;
    }
    if (init->status == TASK_RUNNING && init->container->paused) {
        refuse(of, CODE_PRECONDITION, "the container is paused: resume it first");
        return;
    }
    if (init->status != TASK_RUNNING || init->memory < 0) {
        refuse(of, init->status == TASK_RUNNING ? CODE_UNIMPLEMENTED : CODE_PRECONDITION,
               init->status == TASK_RUNNING
                   ? "there is no program in the process of a pod: exec in a container of it"
                   : "the container does not run");
        return;
    }
    struct process *process = tasks_add_process(of->tasks, init->container);
    if (!process) {
        refuse(of, CODE_EXHAUSTED, "this shim has as many processes as it can");
        return;
    }
    const struct preparing what = {.bundle = init->container->bundle,
                                   .process = spec.value,
                                   .kept_options = init->room->prepared.options,
                                   .component = &init->component,
                                   .streams = &process->streams,
                                   .listener = of->service->connections.listener,
                                   .shim = &of->tasks->shim};
    if (bytes_copy(request->exec, process->exec, ID_MAX) &&
        copy_streams(&process->streams, request->in, request->out, request->error,
                     request->terminal) &&
        begin(of, process, &what, &err) == 0)
        return;
    err_set(&err, ERR_USAGE, ERR_NOWHERE,
            "the id of the exec or the name of a stream is too long: give a shorter one");
    process_drop(of->tasks, process);
    refuse_err(of, &err);
}

static void on_start(const struct handling *of, const struct message_task_request *request)
{
    struct err err = {0};
    struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    if (process->status != TASK_CREATED) {
        refuse(of, CODE_PRECONDITION, "it was started already");
        return;
    }
    const struct process *init = tasks_process(of->tasks, request->id, (struct bytes){0});
    if (process->exec[0] && (!init || init->status != TASK_RUNNING)) {
        refuse(of, CODE_PRECONDITION, "the container has ended: start another");
        return;
    }
    if (process_start(of->tasks, process, &err)) {
        log_line("error", process->container->id, "%s", err.text);
        refuse_err(of, &err);
        return;
    }
    const struct message_pid_answer started = {(uint64_t)process->pid};
    answer(of, pid_answer, &started);
}

/* --- State, Pids, Stats, Connect ------------------------------------------------------------- */

static void on_state(const struct handling *of, const struct message_task_request *request)
{
    uint8_t time[32];
    const struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    const struct streams *streams = &process->streams;
    bool stopped = process->status == TASK_STOPPED;
    const struct message_state_answer state = {
        .id = bytes_of(process->exec[0] ? process->exec : process->container->id),
        .bundle = bytes_of(process->container->bundle),
        .pid = (uint64_t)process->pid,
        .status = (uint64_t)process_status(process),
        .in = bytes_of(streams->names[0]),
        .out = bytes_of(streams->names[1]),
        .error = bytes_of(streams->names[2]),
        .terminal = streams->terminal,
        .exit_status = stopped ? (uint64_t)process->exit_status : 0,
        .exited_at = stopped ? time_bytes(&process->exited_at, time) : (struct bytes){0},
        .exec = bytes_of(process->exec)};
    answer(of, state_answer, &state);
}

static void on_pids(const struct handling *of, const struct message_task_request *request)
{
    enum { DETAILS = ID_MAX + 16, ANY = DETAILS + 64, INFO = ANY + 40 };
    uint8_t bytes[PROCESSES_MAX * INFO], inner[DETAILS], any_bytes[ANY], info_bytes[INFO];
    struct writer writer = WRITER(bytes);
    const struct process *init = find(of, request->id, (struct bytes){0});
    for (size_t i = 0; init && i < PROCESSES_MAX; i++) {
        const struct process *process = of->tasks->processes[i];
        if (!process || process->container != init->container ||
            (process->status != TASK_CREATED && process->status != TASK_RUNNING))
            continue;
        struct writer details = WRITER(inner), any = WRITER(any_bytes), info = WRITER(info_bytes);
        const struct message_process_details exec = {bytes_of(process->exec)};
        message_put(process_details, &exec, &details);
        const struct message_any wrapped = {bytes_of("containerd.runc.v1.ProcessDetails"),
                                            written(&details)};
        message_put(any, &wrapped, &any);
        const struct message_process_info one = {
            (uint64_t)process->pid, process->exec[0] ? written(&any) : (struct bytes){0}};
        message_put(process_info, &one, &info);
        writer_bytes(&writer, 1, written(&info));
    }
    if (init)
        connections_answer(&of->service->connections, of->call, written(&writer));
}

static void on_stats(const struct handling *of, const struct message_task_request *request)
{
    uint8_t bytes[1200];
    struct writer writer = WRITER(bytes);
    const struct process *process = find(of, request->id, (struct bytes){0});
    if (!process)
        return;
    if (!process->container->group[0] || !group_metrics(process->container->group, &writer)) {
        refuse(of, CODE_NOT_FOUND, "the container has no control group that counts");
        return;
    }
    const struct message_stats_answer stats = {written(&writer)};
    answer(of, stats_answer, &stats);
}

/* Succeeds also for what is not known: containerd asks first, and decides then. */
static void on_connect(const struct handling *of, const struct message_task_request *request)
{
    const struct process *process = tasks_process(of->tasks, request->id, (struct bytes){0});
    const struct message_connect_answer connected = {
        (uint64_t)getpid(), process ? (uint64_t)process->pid : 0, bytes_of(CARREL_VERSION)};
    answer(of, connect_answer, &connected);
}

/* --- Kill, Delete, Wait ---------------------------------------------------------------------- */

static void on_kill(const struct handling *of, const struct message_kill_request *request)
{
    struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    if (process->status == TASK_STOPPED)
        refuse(of, CODE_NOT_FOUND, "process already finished");
    else if (request->signal >= (uint64_t)NSIG)
        refuse(of, CODE_INVALID, "there is no such signal");
    else {
        process_kill(process, (int)request->signal);
        for (size_t i = 0; request->all && !process->exec[0] && i < PROCESSES_MAX; i++) {
            struct process *other = of->tasks->processes[i];
            if (other && other != process && other->container == process->container)
                process_kill(other, (int)request->signal);
        }
        answer_nothing(of);
    }
}

/* What nobody has been told of yet: containerd deletes it where a Create took too long. */
static void cancel(const struct handling *of, struct process *process)
{
    uint8_t time[32];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct message_delete_answer deleted = {0, 128 + SIGKILL, time_bytes(&now, time)};
    process_cancel(of->tasks, process);
    answer(of, delete_answer, &deleted);
}

static void on_delete(const struct handling *of, const struct message_task_request *request)
{
    uint8_t time[32];
    struct process *process = tasks_process(of->tasks, request->id, request->exec);
    if (process && process->status == TASK_PREPARING) {
        cancel(of, process);
        return;
    }
    process = find(of, request->id, request->exec);
    if (!process)
        return;
    if (process->status == TASK_RUNNING) {
        refuse(of, CODE_PRECONDITION, "it runs: kill it first");
        return;
    }
    struct container *container = process->container;
    struct process last = *process;
    if (process->status == TASK_CREATED) {
        last.exit_status = 128 + SIGKILL;
        clock_gettime(CLOCK_REALTIME, &last.exited_at);
    }
    const struct message_delete_answer deleted = {(uint64_t)last.pid, (uint64_t)last.exit_status,
                                                  time_bytes(&last.exited_at, time)};
    const struct message_task_delete event = {bytes_of(container->id), (uint64_t)last.pid,
                                              (uint64_t)last.exit_status, deleted.exited_at,
                                              bytes_of(last.exec)};
    for (size_t i = 0; !last.exec[0] && i < PROCESSES_MAX; i++) {
        struct process *other = of->tasks->processes[i];
        if (other && other != process && other->container == container)
            process_drop(of->tasks, other);
    }
    process_drop(of->tasks, process);
    if (!last.exec[0])
        events_tell(&of->service->events, EVENT_DELETE, &event);
    answer(of, delete_answer, &deleted);
    if (!last.exec[0])
        container_drop(of->tasks, container);
}

static void on_wait(const struct handling *of, const struct message_task_request *request)
{
    uint8_t time[32];
    struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    if (process->status == TASK_STOPPED && !process->untold) {
        const struct message_wait_answer ended = {(uint64_t)process->exit_status,
                                                  time_bytes(&process->exited_at, time)};
        answer(of, wait_answer, &ended);
    } else if (!tasks_park(of->tasks, process, true, of->call, of->until)) {
        refuse(of, CODE_EXHAUSTED, "too many calls wait: try again later");
    }
}

/* --- Pause, Resume, Update, streams ---------------------------------------------------------- */

static void freeze(const struct handling *of, struct bytes id, bool frozen)
{
    struct err err = {0};
    const struct process *process = find(of, id, (struct bytes){0});
    if (!process)
        return;
    struct container *container = process->container;
    const struct message_task_named named = {bytes_of(container->id)};
    if (process->status != TASK_RUNNING || container->paused == frozen)
        refuse(of, CODE_PRECONDITION, frozen ? "it does not run" : "it is not paused");
    else if (!container->group[0])
        refuse(of, CODE_PRECONDITION, "the container has no control group to freeze");
    else if (group_freeze(container->group, frozen, &err))
        refuse_err(of, &err);
    else {
        container->paused = frozen;
        events_tell(&of->service->events, frozen ? EVENT_PAUSED : EVENT_RESUMED, &named);
        answer_nothing(of);
    }
}

static void on_pause(const struct handling *of, const struct message_task_request *request)
{
    freeze(of, request->id, true);
}

static void on_resume(const struct handling *of, const struct message_task_request *request)
{
    freeze(of, request->id, false);
}

static void on_checkpoint(const struct handling *of, const struct message_task_request *request)
{
    if (find(of, request->id, (struct bytes){0}))
        refuse(of, CODE_UNIMPLEMENTED, "a cell cannot be checkpointed");
}

static void on_update(const struct handling *of, const struct message_update_request *request)
{
    struct err err = {0};
    struct message_any resources;
    const struct process *process = find(of, request->id, (struct bytes){0});
    if (!process)
        return;
    if (!message_get(any, request->resources, &resources))
        refuse(of, CODE_INVALID, "the resources are no protocol buffer");
    else if (!process->container->group[0])
        refuse(of, CODE_PRECONDITION, "the container has no control group");
    else if (prepare_limits(process->container->group, resources.value, &err))
        refuse_err(of, &err);
    else
        answer_nothing(of);
}

static void on_resize(const struct handling *of, const struct message_resize_request *request)
{
    const struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    console_resize(&process->streams.console, (unsigned)request->height, (unsigned)request->width);
    answer_nothing(of);
}

static void on_close(const struct handling *of, const struct message_close_request *request)
{
    struct process *process = find(of, request->id, request->exec);
    if (!process)
        return;
    if (request->in)
        streams_close_in(&process->streams);
    answer_nothing(of);
}

/* A no-op while there are containers: others of the pod still need the shim. */
static void on_shutdown(const struct handling *of, const struct message_task_request *request)
{
    (void)request;
    struct service *service = of->service;
    if (tasks_empty(of->tasks) && !service->closing) {
        service->closing = true;
        service->until = cell_now() + SHUTDOWN_TIME;
    }
    answer_nothing(of);
}

/* --- The table ------------------------------------------------------------------------------- */

/* Reads the request of a row, and calls its handler. */
#define METHOD(name, handler, message)                                                             \
    static bool call_##handler(const struct handling *of, struct bytes payload)                    \
    {                                                                                              \
        struct message_##message request;                                                          \
        if (!message_get(message, payload, &request))                                              \
            return false;                                                                          \
        handler(of, &request);                                                                     \
        return true;                                                                               \
    }
#include "shim/containerd/service.def"

static const struct {
    const char *name;
    bool (*call)(const struct handling *of, struct bytes payload);
} methods[] = {
#define METHOD(name, handler, message) {name, call_##handler},
#include "shim/containerd/service.def"
};

/* containerd.task.v2.Task or containerd.task.v3.Task */
static bool is_task_service(struct bytes name)
{
    const size_t prefix = sizeof SERVICE_PREFIX - 1, suffix = sizeof SERVICE_SUFFIX - 1;
    return name.len == prefix + 1 + suffix && memcmp(name.at, SERVICE_PREFIX, prefix) == 0 &&
           (name.at[prefix] == '2' || name.at[prefix] == '3') &&
           memcmp(name.at + prefix + 1, SERVICE_SUFFIX, suffix) == 0;
}

/* `timeout` is in nanoseconds, and signed; 0: its caller waits as long as it takes. */
static uint64_t deadline_of(uint64_t timeout)
{
    return timeout == 0 || timeout > INT64_MAX ? UINT64_MAX : cell_now() + timeout;
}

static struct str as_text(struct bytes bytes)
{
    return (struct str){bytes.len ? (const char *)bytes.at : "", bytes.len};
}

/* What is asked for by names of whoever calls. */
static void refuse_unknown(const struct handling *of, const struct message_request *request)
{
    char text[256], service[96], method[64];
    snprintf(text, sizeof text,
             "%s/%s is not implemented: this shim has " SERVICE_PREFIX "2" SERVICE_SUFFIX
             " and " SERVICE_PREFIX "3" SERVICE_SUFFIX,
             printable(service, sizeof service, as_text(request->service)),
             printable(method, sizeof method, as_text(request->method)));
    refuse(of, CODE_UNIMPLEMENTED, text);
}

void service_handle(void *data, struct call call, const struct message_request *request)
{
    struct service *service = data;
    const struct handling handling = {service, &service->tasks, call,
                                      deadline_of(request->timeout)};
    for (size_t i = 0; is_task_service(request->service) && i < countof(methods); i++) {
        if (!bytes_are(request->method, methods[i].name))
            continue;
        if (!methods[i].call(&handling, request->payload))
            refuse(&handling, CODE_INVALID, "the request is no protocol buffer of its kind");
        return;
    }
    refuse_unknown(&handling, request);
}

/* --- The loop -------------------------------------------------------------------------------- */

static int milliseconds(uint64_t until)
{
    uint64_t now = cell_now();
    if (until == UINT64_MAX)
        return -1;
    uint64_t left = until > now ? (until - now + MILLISECOND - 1) / MILLISECOND : 0;
    return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* All that was to be said is said, or nobody listens. */
static bool done(const struct service *service)
{
    if (!service->closing)
        return false;
    return cell_now() >= service->until ||
           (!events_pending(&service->events) && !connections_pending(&service->connections));
}

/* A call takes code and stack that are not needed again until the next one comes, which may be long
 * after, and there are as many shims as pods. Gives their pages back: below what is in use of the
 * stack, and of the program's code, which is read from its file again where it is wanted. */
static void tidy(void)
{
    extern const char __executable_start, etext;
    const uintptr_t page = 4096, most = 64 * page;
    uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;
    uintptr_t start = (uintptr_t)&__executable_start & ~(page - 1);
    uintptr_t end = (uintptr_t)&etext & ~(page - 1);
    madvise((void *)(stack - most), most, MADV_DONTNEED);
    madvise((void *)start, end - start, MADV_DONTNEED);
}

void service_run(struct service *service, int listener, const char *namespace, const char *events,
                 uint64_t idle)
{
    snprintf(service->namespace, sizeof service->namespace, "%s", namespace);
    connections_start(&service->connections, listener);
    events_start(&service->events, events, service->namespace);
    tasks_start(&service->tasks, service->namespace, &service->connections, &service->events);
    service->tasks.carried = service->once;
    uint64_t alone = cell_now();
    bool untidy = true;
    while (!done(service)) {
        struct polls *polls = &service->polls;
        polls_clear(polls);
        if (service->closing)
            polls_until(polls, service->until);
        if (!tasks_empty(&service->tasks))
            alone = UINT64_MAX;
        if (alone != UINT64_MAX && idle != UINT64_MAX)
            polls_until(polls, alone + idle);
        tasks_wait(&service->tasks, polls);
        events_wait(&service->events, polls);
        connections_wait(&service->connections, polls);
        if (untidy)
            polls_until(polls, cell_now() + QUIET);
        bool quiet = poll(polls->at, polls->count, milliseconds(polls->until)) == 0;
        if (!quiet) {
            untidy = true;
        } else if (untidy && !tasks_helped(&service->tasks)) {
            connections_rest(&service->connections);
            events_rest(&service->events);
            tidy();
            untidy = false;
        }
        tasks_act(&service->tasks, polls);
        events_act(&service->events, polls);
        connections_act(&service->connections, polls, service_handle, service);
        tasks_drop_deserted(&service->tasks);
        if (service->once && tasks_ended(&service->tasks, &service->exit_status) &&
            !connections_pending(&service->connections))
            return;
        if (alone != UINT64_MAX && idle != UINT64_MAX && cell_now() >= alone + idle)
            return;
    }
}
