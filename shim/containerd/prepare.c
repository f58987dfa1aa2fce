/* The helper; see prepare.h. It ends with the shim, and leaves nothing behind. */
#include "shim/containerd/prepare.h"

#include "policies/audit_output.h"
#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/containerd/log.h"
#include "shim/containerd/rootfs.h"
#include "shim/containerd/runtime_options.h"
#include "shim/demand_cache.h"
#include "shim/engine_file.h"
#include "shim/host.h"
#include "shim/session.h"
#include "shim/shared.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

void *prepare_room(size_t size)
{
    void *at =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void prepare_release(struct prepared *room)
{
    const uintptr_t page = 4096;
    uintptr_t from = ((uintptr_t)&room->reader + page - 1) & ~(page - 1);
    uintptr_t to = (uintptr_t)(&room->plan + 1) & ~(page - 1);
    madvise((void *)from, to - from, MADV_REMOVE);
}

/* --- In the helper --------------------------------------------------------------------------- */

#define REQUEST_MOST 512 /* bytes of what an image asks for, each */

/* What a helper says, one byte each. */
enum { TOLD_LAUNCH, TOLD_DONE };

/* Descriptors that go with it: the component's, and the socket of one that serves. */
enum { FD_COMPONENT, FD_LISTENER, FDS };

/* Says how far the room is filled in. */
static void tell(int socket, char byte, const int *fds, size_t count)
{
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(FDS * sizeof(int))];
    } control = {.space = {0}};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        packet.msg_control = &control;
        packet.msg_controllen = CMSG_SPACE(count * sizeof *fds);
        struct cmsghdr *head = CMSG_FIRSTHDR(&packet);
        *head = (struct cmsghdr){CMSG_LEN(count * sizeof *fds), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(head), fds, count * sizeof *fds);
    }
    while (sendmsg(socket, &packet, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

/* What only the helper needs. */
struct work {
    struct prepared *room;
    const struct preparing *what;
    int socket;
    struct bundle bundle;
    struct session session;
    struct demand demand;
    int listener; /* of a component that serves; -1 */
    struct verdict verdict;
    struct wall_report walls;
    struct audit audit;
};

/* Does it export a function of that name? What instances and core modules export, and what was cut
 * short, only the cell knows: then it is taken for one. */
static bool may_export(const struct demand *demand, struct str name)
{
    uint32_t seen = 0;
    if (!demand_is(demand, DEMAND_IS_COMPONENT) || demand_is(demand, DEMAND_IS_NESTS))
        return true;
    for (size_t i = 0; i < demand->name_count; i++) {
        const struct demand_name *one = &demand->names[i];
        if (one->list != DEMAND_EXPORT)
            continue;
        if (one->text.len >= DEMAND_NAME_MAX || str_eq(one->text, name))
            return true;
        seen++;
    }
    return seen < demand->head.totals[DEMAND_EXPORT];
}

/* Is what is to be called a call of one of its exports? Its arguments are the cell's to read. */
static int judge_call(const struct work *work, struct err *err)
{
    const char *call = work->room->invoke + strspn(work->room->invoke, " ");
    struct str name = {call, strcspn(call, "(")};
    if (!name.at[name.len])
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/invoke: '%s' is no call: write NAME(ARGUMENTS)", call);
    while (name.len && name.at[name.len - 1] == ' ')
        name.len--;
    if (may_export(&work->demand, name))
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "the component exports no function '" STR_FMT
                   "': `carrel inspect` lists those that it does",
                   STR_ARG(name));
}

/* Can this component be run in the way that was asked for? */
static int judge(const struct work *work, struct err *err)
{
    const struct prepared *room = work->room;
    bool answers = demand_is(&work->demand, DEMAND_IS_PROXY);
    if (derive_refusal(&work->demand, &room->policy, &work->verdict, err))
        return -1;
    if (room->serves && !room->invoke && !answers)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "it answers no HTTP requests: take carrel.policy/serve away");
    if (room->serves && !room->invoke)
        return capability_in(work->verdict.granted, CAP_HTTP_IN)
                   ? 0
                   : err_set(err, ERR_DENIED, ERR_NOWHERE,
                             "answers HTTP requests, and carrel.policy/deny denies http.in: leave "
                             "that out of it");
    if (room->invoke)
        return judge_call(work, err);
    if (demand_is(&work->demand, DEMAND_IS_COMMAND))
        return 0;
    if (answers)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "it answers HTTP requests and is no program: say where it listens in the "
                       "annotation carrel.policy/serve, for example *:8080");
    return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                   "it is no program: name a call of one of its exports in the annotation "
                   "carrel.policy/invoke");
}

/* There is no such file: then a layer of the image may be the component. */
static int fetch_component(const struct work *work, struct err *err)
{
    struct err why = {.offset = ERR_NOWHERE}, missing = *err;
    if (missing.kind != ERR_ABSENT)
        return -1;
    *err = (struct err){.offset = ERR_NOWHERE};
    if (artifact_fetch(&work->what->image, &work->room->component, &why) == 0)
        return 0;
    return err_set(err, why.kind, ERR_NOWHERE, "%s; and %s", missing.text, why.text);
}

/* The copy of the component: the container's, or out of the root file system. */
static int get_component(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    char root[PATH_MAX], path[64];
    if (work->what->component) {
        room->component = *work->what->component;
        return 0;
    }
    bundle_root(&work->bundle, root, sizeof root);
    if (rootfs_mount(work->what->rootfs, root, err))
        return -1;
    int found = rootfs_find(&work->bundle, root, room, path, err);
    if (found == 0 ? component_copy(path, NULL, NULL, &room->component, err)
                   : fetch_component(work, err))
        return -1;
    const char *name = strrchr(room->arguments.at[0], '/');
    room->component.name = name && name[1] ? name + 1 : room->arguments.at[0];
    return 0;
}

/* What a reader says; while it reads, the shim launches the cell that will run. */
static int ask_reader(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    const struct cell_request request = {
        .role = CELL_READER,
        .host = &room->host,
        .policy = &room->policy,
        .component_size = room->component.size,
        .digest = room->component.digest,
    };
    if (cell_plan_make(&request, &room->reader, err))
        return -1;
    tell(work->socket, TOLD_LAUNCH, NULL, 0);
    if (session_read(&work->session, &room->component, &room->reader.plan, false, &work->demand,
                     &work->walls, err)) {
        if (err->kind == ERR_MALFORMED)
            err_within(err, "no WebAssembly (a Linux program needs another runtime)");
        return -1;
    }
    demand_cache_put(room->component.digest, room->engine, &work->demand);
    return 0;
}

static int get_demand(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    if (!demand_cache_get(room->component.digest, room->engine, &work->demand) &&
        ask_reader(work, err))
        return -1;
    derive_verdict(&work->demand, &room->policy, &work->verdict);
    return judge(work, err);
}

/* Listens where the component is to serve: in the network of its pod. The helper goes nowhere else
 * afterwards. */
static int listen_for_it(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    struct serving serving;
    cleanup_close int network = room->network[0] ? open(room->network, O_RDONLY | O_CLOEXEC) : -1;
    if (room->network[0] && (network < 0 || setns(network, CLONE_NEWNET)))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot enter the network namespace %s: %s: make the pod again",
                       room->network, strerror(errno));
    serving_start(&serving);
    if (serving_listen(&serving, &room->serve_at, err))
        return -1;
    work->listener = serving.listener;
    snprintf(room->serve_text, sizeof room->serve_text, "%s", serving.address);
    return 0;
}

static int make_plan(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    if (room->serves && !room->invoke && listen_for_it(work, err))
        return -1;
    if (getrandom(room->seed, sizeof room->seed, 0) != (ssize_t)sizeof room->seed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no random seed: %s: see what `carrel doctor` says", strerror(errno));
    streams_kinds(work->what->streams, room->host.streams);
    const struct cell_request request = {
        .role = CELL_RUN,
        .host = &room->host,
        .policy = &room->policy,
        .verdict = &work->verdict,
        .component_size = room->component.size,
        .digest = room->component.digest,
        .seed = room->seed,
        .arguments = room->arguments,
        .invoke = room->invoke,
        .serve = room->serves && !room->invoke ? &room->serve : NULL,
    };
    return cell_plan_make(&request, &room->plan, err);
}

/* The policy of a process; `options` is the text of the runtime's, or NULL. */
static int apply_policy(struct work *work, json_object *process, const char *options,
                        struct err *err)
{
    json_object *parsed = options ? runtime_options_parse(options, err) : NULL;
    if (options && !parsed)
        return -1;
    return bundle_policy(&work->bundle, process, parsed, work->room, err);
}

/* What containerd's configuration, or whoever calls it, says of the runtime: kept for execs. */
static int take_options(struct work *work, struct err *err)
{
    cleanup_free char *text = NULL;
    bool other;
    if (runtime_options_text(work->what->options, &text, &other, err))
        return -1;
    if (other)
        log_line("info", work->what->image.container,
                 "options of runc are not looked at: they say nothing to a cell");
    if (!text)
        return 0;
    work->room->options = prepared_text(work->room, text);
    return work->room->options
               ? 0
               : err_set(err, ERR_LIMIT, ERR_NOWHERE, "no room for the options of the runtime");
}

/* The process of an exec: its arguments are a call of an export. */
static int take_exec(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    json_object *process = bundle_parse(work->what->process);
    if (!json_object_is_type(process, json_type_object))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the process of the exec is no JSON object: send one");
    if (apply_policy(work, process, work->what->kept_options, err))
        return -1;
    size_t size = 1;
    for (size_t i = 0; i < room->arguments.count; i++)
        size += strlen(room->arguments.at[i]) + 1;
    char *call = prepared_keep(room, NULL, size), *at = call;
    if (!call || room->arguments.count == 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the exec names no export to call: write 'NAME(ARGUMENTS)'");
    for (size_t i = 0; i < room->arguments.count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", room->arguments.at[i]);
    if (!strchr(call, '('))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "%s: there is no Linux program in this container, only a component: write "
                       "the call of one of its exports, 'NAME(ARGUMENTS)'",
                       call);
    room->invoke = call;
    room->serves = false;
    return 0;
}

static int prepare_container(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    struct group_limits limits;
    json_object *process = NULL;
    json_object_object_get_ex(work->bundle.config, "process", &process);
    room->sandbox = bundle_is_sandbox(&work->bundle);
    if (bundle_limits(bundle_resources(&work->bundle), &limits, err) ||
        bundle_check_namespaces(&work->bundle, err) || take_options(work, err) ||
        apply_policy(work, process, room->options, err))
        return -1;
    bundle_tell_namespaces(&work->bundle, work->what->image.container);
    if (!room->group[0])
        return 0;
    room->grouped = true;
    return group_make(room->group, &limits, err);
}

/* The files by which its cells enter the container's group. */
static int list_joins(struct prepared *room, struct err *err)
{
    char file[GROUP_FILE];
    struct host *host = &room->host;
    while (room->group[0] && host->join_count < HOST_JOINS &&
           group_entry(room->group, host->join_count, file)) {
        const char *kept = prepared_text(room, file);
        if (!kept)
            return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                           "no room for the path of the control group");
        host->joins[host->join_count++] = kept;
    }
    return 0;
}

static int work_out(struct work *work, struct err *err)
{
    struct prepared *room = work->room;
    if (bundle_read(work->what->bundle, &work->bundle, err) ||
        (work->what->process.len ? take_exec(work, err) : prepare_container(work, err)))
        return -1;
    if (room->sandbox)
        return 0;
    if (engine_file_find(NULL, room->engine, err))
        return -1;
    host_probe(room->engine, false, &room->host);
    shared_use(work->what->shim, &room->host);
    if (list_joins(room, err))
        return -1;
    if (session_open(&work->session, err) || get_component(work, err) || get_demand(work, err) ||
        make_plan(work, err))
        return -1;
    return 0;
}

/* What an image asks for is shown with what its component asks for, and given to neither. */
static void take_request(void *data, struct bytes name, struct bytes value)
{
    struct work *work = data;
    struct demand *demand = &work->demand;
    char text[REQUEST_MOST];
    int length = snprintf(text, sizeof text, "%.*s=%.*s", (int)name.len, (const char *)name.at,
                          (int)value.len, value.len ? (const char *)value.at : "");
    log_line("info", work->what->image.container,
             "the image asks for %s: annotate the container with that if it is to have it", text);
    if (length >= (int)sizeof text || demand->name_count == DEMAND_NAMES_MAX)
        return;
    const char *kept = strdup(text);
    if (kept)
        demand->names[demand->name_count++] =
            (struct demand_name){DEMAND_REQUEST, {kept, (size_t)length}};
}

/* The words of a set, between blanks. */
static const char *words_of(capability_set set, char *to, size_t size)
{
    size_t used = 0;
    snprintf(to, size, "nothing");
    for (unsigned i = 0; i < CAP_COUNT && used < size; i++) {
        if (capability_in(set, (enum capability)i))
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? " " : "",
                                     capabilities[i].word);
    }
    return to;
}

/* One line of the log: what it asks for, and what of that it is given. */
static void tell_audit(const struct work *work, const char *path)
{
    char asked[384], given[384];
    const struct verdict *verdict = &work->verdict;
    log_line("info", work->what->image.container,
             "the component asks for: %s; it is given: %s; see %s",
             words_of(verdict->demanded, asked, sizeof asked),
             words_of(verdict->granted, given, sizeof given), path);
}

/* The audit of what was derived: a line of the log, and as JSON beside the specification, for
 * whoever asks. */
static void write_audit(struct work *work)
{
    struct prepared *room = work->room;
    char path[PATH_MAX], hidden[PATH_MAX];
    snprintf(path, sizeof path, "%s/carrel-audit.json", work->what->bundle);
    snprintf(hidden, sizeof hidden, "%s/.carrel-audit.json", work->what->bundle);
    tell_audit(work, path);
    cleanup_file FILE *file = fopen(hidden, "we");
    if (!file)
        return;
    artifact_labels(&work->what->image, ANNOTATION_PREFIX, take_request, work);
    audit_make(&(struct audit_input){.file = room->component.name,
                                     .size = room->component.size,
                                     .digest = room->component.digest,
                                     .demand = &work->demand,
                                     .policy = &room->policy,
                                     .verdict = &work->verdict,
                                     .plan = &room->plan.plan,
                                     .standing = work->walls.standing,
                                     .missing = work->walls.missing | room->plan.missing},
               &work->audit);
    struct audit_output output;
    audit_output_begin(&output, AUDIT_JSON, &(struct audit_style){.colour = false}, file);
    audit_output_add(&output, &work->audit);
    audit_output_end(&output);
    if (fflush(file) == 0)
        rename(hidden, path);
}

static _Noreturn void help(struct prepared *room, const struct preparing *what, int socket,
                           pid_t shim)
{
    struct work *work = calloc(1, sizeof *work);
    struct err err = {.offset = ERR_NOWHERE};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != shim || !work)
        _exit(1);
    close(what->listener); /* a shim that dies takes its socket with it at once */
    work->room = room;
    work->what = what;
    work->socket = socket;
    work->listener = -1;
    room->component.memory = -1;
    bool failed = work_out(work, &err) || streams_wait_ready(what->streams, &err);
    if (failed)
        room->err = err;
    const int fds[FDS] = {room->component.memory, work->listener};
    size_t count = failed || fds[FD_COMPONENT] < 0 ? 0 : fds[FD_LISTENER] < 0 ? 1 : FDS;
    tell(socket, TOLD_DONE, fds, count);
    if (!failed && !room->sandbox && !what->process.len) {
        setpriority(PRIO_PROCESS, 0, 10); /* the container is more urgent */
        write_audit(work);
    }
    _exit(0);
}

/* --- In the shim ----------------------------------------------------------------------------- */

int prepare_start(struct prepared *room, const struct preparing *what, int *ret_socket,
                  pid_t *ret_pid, struct err *err)
{
    int pair[2];
    room->err = (struct err){.offset = ERR_NOWHERE};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot make a socket: %s: raise the limit on open files", strerror(errno));
    pid_t shim = getpid(), pid = fork();
    if (pid == 0)
        help(room, what, pair[1], shim);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "cannot start a helper: %s: free some memory, or raise the limit on processes",
            strerror(errno));
    }
    *ret_socket = pair[0];
    *ret_pid = pid;
    return 0;
}

void prepare_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

enum prepare_state prepare_finish(struct prepared *room, int socket)
{
    char byte;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t size = recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return PREPARE_WAITS;
    if (size > 0 && byte == TOLD_LAUNCH)
        return PREPARE_LAUNCH;
    int fds[FDS] = {-1, -1};
    struct cmsghdr *head = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len <= CMSG_LEN(sizeof fds))
        memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    room->component.memory = fds[FD_COMPONENT];
    room->serve.listener = fds[FD_LISTENER];
    if (size <= 0 || (room->err.kind == ERR_NONE && !room->sandbox && room->component.memory < 0))
        err_set(&room->err, ERR_FAULT, ERR_NOWHERE,
                "the helper that prepares the container died: see the log of containerd");
    return PREPARE_DONE;
}

int prepare_apart(prepare_work *work, const void *data, char *ret, struct err *err)
{
    struct apart {
        struct err err;
        char ret[ID_MAX];
        bool done;
    } *apart = prepare_room(sizeof *apart);
    pid_t pid = apart ? fork() : -1;
    if (pid == 0) {
        apart->err.offset = ERR_NOWHERE;
        work(data, apart->ret, &apart->err);
        apart->done = true;
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    int result = 0;
    if (pid < 0 || !apart->done)
        result = err_set(err, ERR_FAULT, ERR_NOWHERE,
                         "cannot start a helper, or it died: free some memory, or raise the limit "
                         "on processes");
    else if (apart->err.kind != ERR_NONE)
        result = err_set(err, apart->err.kind, ERR_NOWHERE, "%s", apart->err.text);
    else if (ret)
        memcpy(ret, apart->ret, ID_MAX);
    if (apart)
        munmap(apart, sizeof *apart);
    return result;
}

struct limiting {
    const char *group;
    struct bytes resources;
};

static int set_limits(const void *data, char *ret, struct err *err)
{
    (void)ret;
    const struct limiting *limiting = data;
    struct group_limits limits;
    json_object *object = bundle_parse(limiting->resources);
    if (!json_object_is_type(object, json_type_object))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "the resources are no JSON object: send one");
    return bundle_limits(object, &limits, err) || group_limit(limiting->group, &limits, err) ? -1
                                                                                             : 0;
}

int prepare_limits(const char *group, struct bytes resources, struct err *err)
{
    const struct limiting limiting = {group, resources};
    return prepare_apart(set_limits, &limiting, NULL, err);
}
