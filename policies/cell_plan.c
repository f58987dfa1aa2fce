/* Composes the array of operations for one cell; see cell_plan.h. Decides nothing about rights:
 * those are in the verdict. Makes no system call but those of the filter's builder. */
#include "policies/cell_plan.h"

#include "policies/landlock.h"
#include "policies/quantity.h"
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/resource.h>

/* Descriptors: standard streams and files; a guest that opens more gets an error. */
#define DESCRIPTORS_MAX 1024
/* Of a cell that serves: connections, too. */
#define DESCRIPTORS_SERVING 20000

/* Processes of a server that gives each request one, besides those: for who asks for numbers. */
#define PROCESSES_BESIDE 4

/* Address space outside the arena: the engine's own pages, its stack, the mapped component. */
#define OUTSIDE_ARENA (UINT64_C(1) << 30)

/* What the engine needs besides the guest's memory: a fixed part, and a multiple of the component
 * for what decoding and translation make of it. The cell divides it by the same rows. */
enum {
#define NUMBER(NAME, value) NUMBER_##NAME = value,
#include "shim/protocol.def"
    ENGINE_FIXED = NUMBER_ENGINE_FIXED,
    ENGINE_TIMES = NUMBER_ENGINE_TIMES,
    UNPACKED_TIMES = 4, /* a reader's share: the file may be an image whose layers are compressed */
};

/* All servers twice, and some time to start. */
#define RESOLVER_TIME UINT64_C(15000000000)

#define GUEST_STACK (UINT64_C(8) << 20)

/* Microseconds in which a share of the processors is kept: the kernel's own choice, which a new
 * group of version 1 has already. */
#define PROCESSOR_PERIOD 100000

/* A reader that takes longer is stuck, or has been taken over. */
#define READER_TIME UINT64_C(20000000000)

enum { GRANTS_MAX = 128 }; /* as in shim/protocol.def */

/* One thing to be handed over: of these what is not NULL, else a stream, or what keeps its place.
 */
struct handed {
    const struct policy_directory *directory;
    const struct policy_store *store;
    const struct net_rule *listener;
    const struct net_address *nameserver;
    const char *trust;
    const char *certificate;
    const char *key;
    enum grant_kind serve; /* of a cell that serves: HTTP_LISTENER, EVENTS, LEAVE, TICKS; or 0 */
    unsigned stream;       /* 0 to 2 */
    bool nothing;          /* the cell is not given the stream */
};

/* The parts of a request that most functions want. */
struct composing {
    const struct cell_request *request;
    const struct host *host;
    const struct policy *policy;
    struct cell_plan *to;
    size_t handed_count;
    struct handed handed[GRANTS_MAX]; /* by the number of the grant */
};

static struct operation *add(struct composing *c, enum operation_kind kind)
{
    enum wall wall = operation_infos[kind].wall;
    bool may_fail =
        wall != WALL_NONE && (walls[wall].need == WALL_EXTRA || wall_in(c->policy->degraded, wall));
    return plan_add(&c->to->plan, kind, may_fail);
}

static bool granted(const struct composing *c, enum capability capability)
{
    return c->request->role == CELL_RUN && capability_in(c->request->verdict->granted, capability);
}

/* Whether the component demands it or not. */
static bool allowed(const struct composing *c, enum capability capability)
{
    return capability_in(c->request->policy->allowed, capability);
}

static bool shares(const struct composing *c)
{
    return c->host->shares && !c->policy->fresh;
}

static uint64_t engine_memory(const struct composing *c)
{
    uint64_t size = c->request->component_size, arena = c->host->arena;
    uint64_t times = ENGINE_TIMES * (c->request->role == CELL_READER ? UNPACKED_TIMES : 1);
    return size < arena / times ? (uint64_t)ENGINE_FIXED + times * size : arena;
}

/* The whole cell's memory: guest and engine in whole MiB, never more than the arena. */
static uint64_t cell_memory(const struct composing *c)
{
    const uint64_t unit = UINT64_C(1) << 20;
    uint64_t guest = c->request->role == CELL_RUN ? c->policy->memory : 0;
    uint64_t engine = engine_memory(c);
    uint64_t arena = c->host->arena;
    if (guest >= arena || engine >= arena - guest || arena - guest - engine < unit)
        return arena;
    return (guest + engine + unit - 1) / unit * unit;
}

bool cell_isolates_by_process(const char *isolation)
{
    return strcmp(isolation, "process") == 0;
}

/* Does each request get a process of its own? */
static bool copies(const struct composing *c)
{
    const struct cell_serve *serve = c->request->serve;
    return serve && cell_isolates_by_process(serve->isolation);
}

/* Processes that the cell may be. */
static uint64_t processes(const struct composing *c)
{
    return copies(c) ? 1 + c->request->serve->requests + PROCESSES_BESIDE : 1;
}

/* --- The shim -------------------------------------------------------------------------------- */

static void group(struct composing *c, const char *parent, const char *controller)
{
    struct operation_cgroup *o = &add(c, OPERATION_CGROUP)->of.cgroup;
    o->parent = parent;
    o->controller = controller;
}

static bool has_limits(const struct host_cgroups *has, enum cgroup_controller controller)
{
    return has->in_unified[controller] || has->version1[controller][0];
}

/* The processors that the cell may use, in millionths; 0: as many as it likes. Of the component's
 * alone, as its memory is: others have a time of their own, or do what it asks of the shim. */
static uint64_t processors(const struct composing *c)
{
    return c->request->role == CELL_RUN ? c->policy->cpus : 0;
}

/* What is asked of control groups and cannot be had here. Memory has other bounds, too: the arena
 * and the rlimits. Nothing else keeps a cell to a share of the processors: it runs without that
 * bound only if that is accepted. */
static int look_for_groups(struct composing *c, struct err *err)
{
    const struct host_cgroups *has = &c->host->cgroups;
    c->to->lacks = NULL;
    if (c->host->bounded && !has_limits(has, CGROUP_MEMORY))
        c->to->lacks = "there is no control group here in which this user may limit memory";
    if (processors(c) && !has_limits(has, CGROUP_CPU))
        c->to->lacks = "there is no control group here in which this user may limit processors";
    c->to->missing = c->to->lacks ? WALL_BIT(WALL_CGROUP) : 0;
    if (!processors(c) || has_limits(has, CGROUP_CPU) || wall_in(c->policy->degraded, WALL_CGROUP))
        return 0;
    return err_set(err, ERR_WALL, ERR_NOWHERE,
                   "the wall \"%s\" cannot be built, which --cpus needs: %s: `carrel doctor` says "
                   "how to have one; --degrade=%s runs without that bound",
                   walls[WALL_CGROUP].word, c->to->lacks, walls[WALL_CGROUP].word);
}

/* What a controller keeps the cell to, as its file takes it; NULL: it bounds nothing. */
static const char *bound(const struct composing *c, enum cgroup_controller controller,
                         enum cgroup_version version)
{
    switch (controller) {
    case CGROUP_MEMORY: return c->to->memory;
    case CGROUP_PIDS: return c->to->processes;
    case CGROUP_CPU:
        return !processors(c) ? NULL : version == CGROUP_VERSION2 ? c->to->processor : c->to->quota;
    default: return NULL;
    }
}

/* A group of its own in version 1, where each controller has a hierarchy. */
static bool bounded_apart(const struct composing *c, enum cgroup_controller controller)
{
    return c->host->cgroups.version1[controller][0] && bound(c, controller, CGROUP_VERSION1);
}

/* The bound on processors, which stands alone, may be missing only if that is accepted. */
static void must_hold(const struct composing *c, enum cgroup_controller controller,
                      struct operation *operation)
{
    if (controller == CGROUP_CPU)
        operation->may_fail = wall_in(c->policy->degraded, WALL_CGROUP);
}

static void limit(struct composing *c, enum cgroup_controller controller,
                  enum cgroup_version version)
{
    struct operation *operation = add(c, OPERATION_CGROUP_LIMIT);
    operation->of.cgroup_limit.file = cgroup_controllers[controller].file[version].name;
    operation->of.cgroup_limit.value = bound(c, controller, version);
    must_hold(c, controller, operation);
}

/* What bounds a cell as a whole, in the hierarchy of version 2 and in those of version 1. */
static void cgroups(struct composing *c)
{
    const struct host_cgroups *has = &c->host->cgroups;
    snprintf(c->to->quota, sizeof c->to->quota, "%" PRIu64,
             processors(c) * PROCESSOR_PERIOD / QUANTITY_PROCESSOR);
    snprintf(c->to->processor, sizeof c->to->processor, "%s %d", c->to->quota, PROCESSOR_PERIOD);
    snprintf(c->to->memory, sizeof c->to->memory, "%" PRIu64, cell_memory(c));
    snprintf(c->to->processes, sizeof c->to->processes, "%" PRIu64, processes(c));
    if (has->unified[0]) {
        group(c, has->unified, "");
        for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++)
            if (has->in_unified[i] && bound(c, i, CGROUP_VERSION2))
                limit(c, i, CGROUP_VERSION2);
        add(c, OPERATION_CGROUP_HOOKS);
    }
    for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!bounded_apart(c, i))
            continue;
        group(c, has->version1[i], cgroup_controllers[i].name);
        limit(c, i, CGROUP_VERSION1);
    }
}

static void shim(struct composing *c)
{
    if (!c->host->root) {
        struct operation_own_spaces *o = &add(c, OPERATION_OWN_SPACES)->of.own_spaces;
        o->uid = c->host->uid;
        o->gid = c->host->gid;
    }
    add(c, OPERATION_MDWE);
    if (shares(c))
        add(c, OPERATION_SHARED_SPACES);
    cgroups(c);
    add(c, OPERATION_PASSRIGHTS);
}

/* --- The process ----------------------------------------------------------------------------- */

static void rlimit(struct composing *c, uint64_t resource, uint64_t value)
{
    struct operation_rlimit *o = &add(c, OPERATION_RLIMIT)->of.rlimit;
    o->resource = resource;
    o->value = value;
}

static void rlimits(struct composing *c)
{
    rlimit(c, RLIMIT_AS, c->host->arena + OUTSIDE_ARENA);
    rlimit(c, RLIMIT_CORE, 0);
    rlimit(c, RLIMIT_NOFILE, c->request->serve ? DESCRIPTORS_SERVING : DESCRIPTORS_MAX);
    rlimit(c, RLIMIT_NPROC, processes(c));
    rlimit(c, RLIMIT_MEMLOCK, 0);
    rlimit(c, RLIMIT_MSGQUEUE, 0);
    rlimit(c, RLIMIT_NICE, 0);
    rlimit(c, RLIMIT_RTPRIO, 0);
    rlimit(c, RLIMIT_SIGPENDING, 0);
    /* The first process of a namespace hears no SIGXCPU, so the softer limit is its hard one. */
    if (c->host->processor > 0)
        rlimit(c, RLIMIT_CPU, c->host->processor);
}

/* Is a net namespace made for this cell by somebody else? */
static bool ahead(const struct composing *c)
{
    return c->host->ahead && !shares(c) && !c->policy->fresh;
}

/* Namespaces of the cell's own. */
static void own_spaces(struct composing *c)
{
    add(c, OPERATION_SPACE_PID);
    add(c, OPERATION_SPACE_UTS);
    add(c, OPERATION_SPACE_CGROUP);
    if (shares(c))
        return;
    add(c, OPERATION_SPACE_MOUNT);
    if (!ahead(c))
        add(c, OPERATION_SPACE_NET);
    add(c, OPERATION_SPACE_IPC);
}

/* What is there instead of the host's files, network and queues. */
static void surroundings(struct composing *c)
{
    if (!shares(c)) {
        add(c, OPERATION_ROOT);
        return;
    }
    add(c, OPERATION_ENTER_NET)->of.enter_net.file = (uint64_t)c->host->spaces[HOST_SPACE_NET];
    add(c, OPERATION_ENTER_IPC)->of.enter_ipc.file = (uint64_t)c->host->spaces[HOST_SPACE_IPC];
    add(c, OPERATION_ENTER_MOUNT)->of.enter_mount.file =
        (uint64_t)c->host->spaces[HOST_SPACE_MOUNT];
    add(c, OPERATION_ENTER_ROOT);
}

static void process(struct composing *c)
{
    own_spaces(c);
    add(c, OPERATION_SESSION);
    add(c, OPERATION_DESCRIPTORS);
    for (unsigned i = 0; i < c->host->join_count; i++)
        add(c, OPERATION_JOIN)->of.join.file = c->host->joins[i];
    for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!bounded_apart(c, i))
            continue;
        struct operation *enter = add(c, OPERATION_CGROUP_ENTER);
        enter->of.cgroup_enter.controller = cgroup_controllers[i].name;
        must_hold(c, i, enter);
    }
    surroundings(c);
    rlimits(c);
    if (ahead(c))
        add(c, OPERATION_TAKE_NET)->of.take_net.maker = (uint64_t)c->host->maker;
    if (c->host->root)
        add(c, OPERATION_SET_ID)->of.set_id.first = HOST_ID_FIRST;
    add(c, OPERATION_SPACE_USER);
    add(c, OPERATION_BOUNDING)->of.bounding.last = c->host->last_cap;
    add(c, OPERATION_SECUREBITS);
    add(c, OPERATION_CAPSET);
    add(c, OPERATION_NO_NEW_PRIVS);
    add(c, OPERATION_DEATH);
    if (c->request->witnessed)
        add(c, OPERATION_WITNESS);
    add(c, OPERATION_EXECUTE)->of.execute.path =
        c->request->role == CELL_TLS ? c->host->tls : c->host->engine;
    add(c, OPERATION_DUMPABLE);
    add(c, OPERATION_ARENA)->of.arena.size = c->host->arena;
}

/* --- Grants ---------------------------------------------------------------------------------- */

/* Preview 1 makes no socket: what it can accept from is there when it starts. */
static bool preopens_sockets(const struct verdict *verdict)
{
    return verdict->answers[ROW_p1_sock_accept] == ANSWER_GRANTED;
}

static const struct net_rule *listening_denied(const struct policy *policy,
                                               const struct net_address *address)
{
    for (size_t i = 0; i < policy->net_denied_count; i++)
        if (net_rule_denies_local(&policy->net_denied[i], NET_LISTEN, address))
            return &policy->net_denied[i];
    return NULL;
}

/* One for each rule to listen, which must be about one address and port: no rule that was written
 * for a program comes to nothing without a word. (`all` is written for everything.) */
static int collect_listeners(struct composing *c, struct err *err)
{
    for (size_t i = 0; i < c->policy->net_count; i++) {
        const struct net_rule *rule = &c->policy->net[i], *by;
        struct net_address address;
        if (rule->use != NET_LISTEN)
            continue;
        if (!net_rule_address(rule, &address))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "--net %s: a program of preview 1 is given listening sockets when it "
                           "starts, one for each rule: name one address and one port",
                           rule->text);
        if ((by = listening_denied(c->policy, &address)))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "--net %s: the policy denies %s: leave one of the two out", rule->text,
                           by->text);
        if (c->handed_count == GRANTS_MAX)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "--net %s: more sockets and directories than one cell can be given "
                           "(%d): give fewer",
                           rule->text, GRANTS_MAX);
        c->handed[c->handed_count++].listener = rule;
    }
    return 0;
}

static int collect_stores(struct composing *c, struct err *err)
{
    const char *engine = c->host->engine, *slash = strrchr(engine, '/');
    int folder = slash ? (int)(slash - engine) + 1 : 0;
    size_t room = sizeof c->to->keeper;
    if ((size_t)snprintf(c->to->keeper, room, "%.*scarrel-keyvalue", folder, engine) >= room)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the path of carrel-keyvalue is too long: install carrel at a shorter one");
    if (c->policy->store_count > GRANTS_MAX - c->handed_count)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--keyvalue: more stores than one cell can be given: keep more in one");
    for (size_t i = 0; i < c->policy->store_count; i++)
        c->handed[c->handed_count++].store = &c->policy->stores[i];
    return 0;
}

/* Only what the component can use: a stream that it never asks for stays outside. A call's result
 * goes to standard output. Where the filter tells streams from other descriptors by their number,
 * nothing else may take one that is free. */
static int collect(struct composing *c, struct err *err)
{
    static const enum capability streams[3] = {CAP_STDIN, CAP_STDOUT, CAP_STDERR};
    bool prints = c->request->invoke || c->request->role == CELL_INSPECT;
    bool places = c->request->role == CELL_RUN
                      ? rules_number_descriptors(c->request->verdict->rules)
                      : c->request->role == CELL_TLS;
    for (unsigned i = 0; i < 3; i++) {
        bool given = granted(c, streams[i]) || (streams[i] == CAP_STDOUT && prints);
        if (given || places)
            c->handed[c->handed_count++] = (struct handed){.stream = i, .nothing = !given};
    }
    size_t directories = granted(c, CAP_DIR_READ) ? c->policy->directory_count : 0;
    if (directories > GRANTS_MAX - c->handed_count)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "more than %zu directories for one cell: give a directory above them",
                       GRANTS_MAX - c->handed_count);
    for (size_t i = 0; i < directories; i++)
        c->handed[c->handed_count++].directory = &c->policy->directories[i];
    if (granted(c, CAP_KEYVALUE) && collect_stores(c, err))
        return -1;
    if (c->request->role == CELL_RUN && preopens_sockets(c->request->verdict) &&
        collect_listeners(c, err))
        return -1;
    const struct cell_serve *serve = c->request->serve;
    const struct {
        enum grant_kind kind;
        bool given;
    } serving[] = {{GRANT_HTTP_LISTENER, true},
                   {GRANT_EVENTS, true},
                   {GRANT_LEAVE, true},
                   {GRANT_TICKS, true},
                   {GRANT_WATCH, serve && serve->watch >= 0},
                   {GRANT_COUNTERS, serve && serve->counters >= 0},
                   {GRANT_ACCESS_LOG, serve && serve->log >= 0}};
    for (size_t i = 0; i < countof(serving) && serve; i++) {
        if (!serving[i].given)
            continue;
        if (c->handed_count == GRANTS_MAX)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "too many directories for a cell that serves: give a directory above "
                           "them");
        c->handed[c->handed_count++].serve = serving[i].kind;
    }
    for (size_t i = 0; i < c->request->nameserver_count && c->handed_count < GRANTS_MAX; i++)
        c->handed[c->handed_count++].nameserver = &c->request->nameservers[i];
    if (c->request->trust)
        c->handed[c->handed_count++].trust = c->request->trust;
    if (c->request->certificate) {
        c->handed[c->handed_count++].certificate = c->request->certificate;
        c->handed[c->handed_count++].key = c->request->key;
    }
    return 0;
}

/* May the cell change anything in it? */
static bool writable(const struct composing *c, const struct policy_directory *directory)
{
    return !directory->read_only && (granted(c, CAP_DIR_WRITE) || granted(c, CAP_DIR_MUTATE));
}

/* Can what runs in it ask when a stream may go on? */
static bool polls(const struct composing *c)
{
    return c->request->role == CELL_RUN && c->request->verdict->rules & R(PPOLL);
}

/* And so do something else meanwhile? (A server answers by sockets.) */
static bool waits(const struct composing *c)
{
    return polls(c) && !c->request->serve;
}

static void stream(struct composing *c, uint64_t grant, unsigned number, bool nothing)
{
    if (nothing) {
        add(c, OPERATION_STREAM_NONE)->of.stream_none =
            (struct operation_stream_none){.grant = grant, .stream = number};
        return;
    }
    if (c->request->role == CELL_INSPECT && c->host->streams[number] != HOST_CLOSED) {
        add(c, OPERATION_STREAM_TEXT)->of.stream_text =
            (struct operation_stream_text){.grant = grant, .stream = number};
        return;
    }
    enum host_stream is = c->host->streams[number];
    if (is == HOST_UNBLOCKED && polls(c))
        is = HOST_FILE;
    switch (is) {
    case HOST_FILE:
        if (waits(c) && number > 0)
            add(c, OPERATION_STREAM_OWN)->of.stream_own =
                (struct operation_stream_own){.grant = grant, .stream = number};
        else
            add(c, OPERATION_STREAM_PASS)->of.stream_pass =
                (struct operation_stream_pass){.grant = grant, .stream = number};
        break;
    case HOST_TERMINAL:
    case HOST_BOTH:
    case HOST_UNBLOCKED:
        add(c, OPERATION_STREAM_PUMP)->of.stream_pump = (struct operation_stream_pump){
            .grant = grant,
            .pipe = waits(c) ? O_NONBLOCK : 0,
            .stream = number,
            .what = is == HOST_BOTH       ? "open both ways"
                    : is == HOST_TERMINAL ? "a terminal"
                                          : "not to be waited for (O_NONBLOCK)",
        };
        break;
    case HOST_CLOSED:
        add(c, OPERATION_STREAM_NONE)->of.stream_none =
            (struct operation_stream_none){.grant = grant, .stream = number};
        break;
    }
}

/* The engine follows symbolic links itself, step by step: the kernel need not. */
static void directory(struct composing *c, uint64_t grant, const struct policy_directory *from)
{
    const uint64_t always =
        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
    add(c, OPERATION_DIRECTORY)->of.directory = (struct operation_directory){
        .grant = grant,
        .path = from->host,
        .attributes = always | (writable(c, from) ? 0 : MOUNT_ATTR_RDONLY),
    };
    if (c->host->root)
        add(c, OPERATION_IDMAP)->of.idmap.grant = grant;
}

static void serving(struct composing *c, uint64_t grant, enum grant_kind kind)
{
    const struct cell_serve *serve = c->request->serve;
    switch (kind) {
    case GRANT_HTTP_LISTENER:
        add(c, OPERATION_HTTP_LISTENER)->of.http_listener = (struct operation_http_listener){
            .grant = grant, .socket = (uint64_t)serve->listener, .address = serve->address};
        break;
    case GRANT_EVENTS: add(c, OPERATION_EVENTS)->of.events.grant = grant; break;
    case GRANT_LEAVE:
        add(c, OPERATION_LEAVE)->of.leave =
            (struct operation_leave){.grant = grant, .pipe = (uint64_t)serve->leave};
        break;
    case GRANT_WATCH:
        add(c, OPERATION_WATCH)->of.watch = (struct operation_watch){
            .grant = grant, .socket = (uint64_t)serve->watch, .address = serve->watch_at};
        break;
    case GRANT_COUNTERS:
        add(c, OPERATION_COUNTERS)->of.counters =
            (struct operation_counters){.grant = grant, .file = (uint64_t)serve->counters};
        break;
    case GRANT_ACCESS_LOG:
        add(c, OPERATION_ACCESS_LOG)->of.access_log = (struct operation_access_log){
            .grant = grant, .file = (uint64_t)serve->log, .path = serve->log_path};
        break;
    default:
        add(c, OPERATION_TICKS)->of.ticks =
            (struct operation_ticks){.grant = grant, .file = (uint64_t)serve->ticks};
    }
}

static void grants(struct composing *c)
{
    for (size_t i = 0; i < c->handed_count; i++) {
        if (c->handed[i].directory)
            directory(c, i, c->handed[i].directory);
        else if (c->handed[i].listener)
            add(c, OPERATION_LISTENER)->of.listener =
                (struct operation_listener){.grant = i, .rule = c->handed[i].listener};
        else if (c->handed[i].store)
            add(c, OPERATION_STORE)->of.store =
                (struct operation_store){.grant = i,
                                         .program = c->to->keeper,
                                         .name = c->handed[i].store->name,
                                         .path = c->handed[i].store->path};
        else if (c->handed[i].trust)
            add(c, OPERATION_TRUST)->of.trust =
                (struct operation_trust){.grant = i, .path = c->handed[i].trust};
        else if (c->handed[i].certificate)
            add(c, OPERATION_CERTIFICATE)->of.certificate = (struct operation_certificate){
                .grant = i, .what = "certificate", .path = c->handed[i].certificate};
        else if (c->handed[i].key)
            add(c, OPERATION_CERTIFICATE)->of.certificate = (struct operation_certificate){
                .grant = i, .what = "private key", .path = c->handed[i].key};
        else if (c->handed[i].serve)
            serving(c, i, c->handed[i].serve);
        else if (c->handed[i].nameserver)
            add(c, OPERATION_NAMESERVER)->of.nameserver =
                (struct operation_nameserver){.grant = i,
                                              .protocol = c->request->by_stream ? "TCP" : "UDP",
                                              .address = c->handed[i].nameserver};
        else
            stream(c, i, c->handed[i].stream, c->handed[i].nothing);
    }
}

/* --- Messages -------------------------------------------------------------------------------- */

/* The cell's socket is its descriptor 3; what it is handed takes the lowest that are free. */
static uint64_t descriptor_of(uint64_t number)
{
    return number < 3 ? number : number + 1;
}

static void hand_over(struct composing *c, uint64_t number, const struct handed *handed)
{
    static const enum grant_kind kinds[3] = {GRANT_STDIN, GRANT_STDOUT, GRANT_STDERR};
    struct operation_grant *o = &add(c, OPERATION_GRANT)->of.grant;
    o->grant = number;
    o->descriptor = descriptor_of(number);
    if (handed->directory) {
        o->kind = GRANT_DIRECTORY;
        o->name = handed->directory->guest;
        o->rights = RIGHT_READ;
        if (writable(c, handed->directory))
            o->rights |= (allowed(c, CAP_DIR_WRITE) ? RIGHT_WRITE : 0) |
                         (allowed(c, CAP_DIR_MUTATE) ? RIGHT_MUTATE : 0);
        return;
    }
    if (handed->store) {
        o->kind = GRANT_STORE;
        o->name = handed->store->name;
        o->rights = RIGHT_READ | RIGHT_WRITE;
        return;
    }
    o->name = "";
    if (handed->trust || handed->certificate || handed->key) {
        o->kind = handed->trust ? GRANT_TRUST : handed->certificate ? GRANT_CERTIFICATE : GRANT_KEY;
        o->rights = RIGHT_READ;
        return;
    }
    if (handed->listener) {
        o->kind = GRANT_LISTENER;
        o->rights = RIGHT_READ;
        return;
    }
    if (handed->serve) {
        o->kind = handed->serve;
        o->rights = handed->serve == GRANT_ACCESS_LOG ? RIGHT_WRITE
                    : handed->serve == GRANT_COUNTERS ? RIGHT_READ | RIGHT_WRITE
                                                      : RIGHT_READ;
        return;
    }
    if (handed->nameserver) {
        o->kind = c->request->by_stream ? GRANT_NAMESERVER_STREAM : GRANT_NAMESERVER;
        o->rights = RIGHT_READ | RIGHT_WRITE;
        return;
    }
    if (handed->nothing) {
        o->kind = GRANT_NOTHING;
        return;
    }
    o->kind = kinds[handed->stream];
    o->rights = handed->stream == 0 ? RIGHT_READ : RIGHT_WRITE;
}

static void terminals(struct composing *c)
{
    static const uint64_t bits[3] = {TERMINAL_STDIN, TERMINAL_STDOUT, TERMINAL_STDERR};
    uint64_t streams = 0;
    for (unsigned i = 0; i < 3; i++)
        if (c->host->streams[i] == HOST_TERMINAL)
            streams |= bits[i];
    if (streams && granted(c, CAP_TERMINAL))
        add(c, OPERATION_TERMINALS)->of.terminals.streams = streams;
}

/* Those that say something about what the component can do; and if there is one, whatever is
 * denied: which of it bears on that rule is for whoever asks the rules. */
static void net_rules(struct composing *c)
{
    bool any = false;
    for (size_t i = 0; i < c->policy->net_count; i++) {
        const struct net_rule *rule = &c->policy->net[i];
        if (!(c->request->verdict->granted & net_rule_gives(rule) & ~CAPABILITY(NET)))
            continue;
        add(c, OPERATION_NET_RULE)->of.net_rule.rule = rule;
        any = true;
    }
    for (size_t i = 0; any && i < c->policy->net_denied_count; i++)
        add(c, OPERATION_NET_DENIAL)->of.net_denial.rule = &c->policy->net_denied[i];
}

static void messages(struct composing *c)
{
    static const char *const words[] = {[CELL_READER] = "reader",
                                        [CELL_RUN] = "run",
                                        [CELL_INSPECT] = "inspect",
                                        [CELL_RESOLVER] = "resolver",
                                        [CELL_TLS] = "tls"};
    const struct cell_request *r = c->request;
    add(c, OPERATION_ROLE)->of.role.role = r->serve ? "serve" : words[r->role];
    struct operation_component *component = &add(c, OPERATION_COMPONENT)->of.component;
    component->size = r->component_size;
    component->digest = r->digest;
    /* Whoever reads what INSPECT prints may take all the time that they want. */
    uint64_t time = r->role == CELL_READER     ? READER_TIME
                    : r->role == CELL_RESOLVER ? RESOLVER_TIME
                    : r->role == CELL_TLS      ? POLICY_UNLIMITED
                                               : c->policy->timeout;
    if (time != POLICY_UNLIMITED)
        add(c, OPERATION_TIME)->of.time.time = time;
    for (size_t i = 0; i < c->handed_count; i++)
        hand_over(c, i, &c->handed[i]);
    terminals(c);
    if (granted(c, CAP_ARGS) || r->role == CELL_INSPECT || r->role == CELL_RESOLVER ||
        (r->role == CELL_READER && r->arguments.count))
        add(c, OPERATION_ARGUMENTS)->of.arguments.list = r->arguments;
    if (r->role == CELL_RESOLVER)
        add(c, OPERATION_SEED)->of.seed.seed = r->seed;
    if (r->role != CELL_RUN)
        return;
    add(c, OPERATION_LIMITS)->of.limits = (struct operation_limits){
        .memory = c->policy->memory, .stack = GUEST_STACK, .fuel = c->policy->fuel};
    if (c->policy->traced)
        add(c, OPERATION_TRACE);
    add(c, OPERATION_GRANTED)->of.granted =
        (struct operation_granted){.capabilities = r->verdict->granted, .rules = r->verdict->rules};
    if (c->policy->denied)
        add(c, OPERATION_DENIED)->of.denied.capabilities = c->policy->denied;
    if (r->serve)
        add(c, OPERATION_SERVE)->of.serve = (struct operation_serve){
            .secure = r->serve->secure,
            .worker = r->serve->worker,
            .log_json = r->serve->log_json,
            .requests = r->serve->requests,
            .isolation = r->serve->isolation,
            .time = r->serve->time,
            .body = r->serve->body,
        };
    if (granted(c, CAP_ENV))
        add(c, OPERATION_ENVIRONMENT)->of.environment.list = c->policy->environment;
    if (granted(c, CAP_CONFIG))
        add(c, OPERATION_CONFIG)->of.config.list = c->policy->config;
    if (granted(c, CAP_TIMEZONE) && c->policy->zone)
        add(c, OPERATION_ZONE)->of.zone =
            (struct operation_zone){.name = c->policy->zone_name, .table = c->policy->zone};
    if (granted(c, CAP_RANDOM) || granted(c, CAP_RANDOM_INSECURE))
        add(c, OPERATION_SEED)->of.seed.seed = r->seed;
    net_rules(c);
    if (r->invoke)
        add(c, OPERATION_INVOKE)->of.invoke.call = r->invoke;
}

/* --- Lockdown -------------------------------------------------------------------------------- */

static void landlock(struct composing *c, rule_set set)
{
    int abi = c->host->landlock;
    struct landlock_denied denied = landlock_denies(abi);
    struct operation_landlock *o = &add(c, OPERATION_LANDLOCK)->of.landlock;
    o->files = denied.files;
    o->net = denied.net;
    o->scopes = denied.scopes;
    for (size_t i = 0; i < c->handed_count; i++) {
        const struct policy_directory *below = c->handed[i].directory;
        uint64_t files = below ? landlock_allows(set, !writable(c, below), abi) : 0;
        if (files == 0)
            continue; /* the kernel refuses a rule that allows nothing */
        struct operation_landlock_rule *rule = &add(c, OPERATION_LANDLOCK_RULE)->of.landlock_rule;
        rule->grant = i;
        rule->files = files;
    }
}

static bool lists(const char *const *calls, size_t count, const char *call)
{
    for (size_t k = 0; k < count; k++)
        if (strcmp(calls[k], call) == 0)
            return true;
    return false;
}

/* The system calls of a set, each once. */
static struct text_list list_calls(const char *calls[RULE_COUNT], rule_set set)
{
    size_t count = 0;
    for (int i = 0; i < RULE_COUNT; i++)
        if (set >> i & 1 && !lists(calls, count, rules[i].call))
            calls[count++] = rules[i].call;
    return (struct text_list){calls, count};
}

/* The filter of the processes that a server makes for requests; see RULES_COPIES. */
static int narrow(struct composing *c, rule_set set, struct err *err)
{
    struct cell_plan *to = c->to;
    if (seccomp_narrow(set, RULES_NOT_IN_COPIES, &to->narrow, err))
        return -1;
    struct operation_narrow *o = &add(c, OPERATION_NARROW)->of.narrow;
    o->calls = list_calls(to->given_up, rules_lost(set, RULES_NOT_IN_COPIES));
    o->program = (struct operation_program){to->narrow.code, to->narrow.len};
    return 0;
}

static rule_set filter_rules(const struct composing *c)
{
    switch (c->request->role) {
    case CELL_RUN: return c->request->verdict->rules | (copies(c) ? RULES_COPIES : 0);
    case CELL_RESOLVER: return RULES_RESOLVER;
    case CELL_TLS: return c->request->certificate ? RULES_TLS_FRONT : RULES_TLS;
    default: return RULES_BASE;
    }
}

static int lockdown(struct composing *c, struct err *err)
{
    rule_set set = filter_rules(c);
    if (seccomp_filter(set, &c->to->filter, err))
        return -1;
    if (copies(c) && narrow(c, set, err))
        return -1;
    add(c, OPERATION_ARENA_CUT)->of.arena_cut.size = cell_memory(c);
    landlock(c, set);
    struct operation_seccomp *o = &add(c, OPERATION_SECCOMP)->of.seccomp;
    o->calls = list_calls(c->to->calls, set);
    o->program = (struct operation_program){c->to->filter.code, c->to->filter.len};
    return 0;
}

int cell_plan_make(const struct cell_request *request, struct cell_plan *ret, struct err *err)
{
    struct composing c = {
        .request = request, .host = request->host, .policy = request->policy, .to = ret};
    ret->plan.count = 0;
    ret->plan.overflown = false;
    if (collect(&c, err) || look_for_groups(&c, err))
        return -1;
    shim(&c);
    process(&c);
    grants(&c);
    messages(&c);
    return lockdown(&c, err);
}

void cell_plan_shared(const struct host *host, struct plan *ret)
{
    if (!host->root) {
        struct operation_own_spaces *o = &plan_add(ret, OPERATION_OWN_SPACES, false)->of.own_spaces;
        o->uid = host->uid;
        o->gid = host->gid;
    }
    plan_add(ret, OPERATION_ROOT, false);
}
