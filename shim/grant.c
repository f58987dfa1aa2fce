/* Making grants: streams of the caller, pumps, /dev/null, and directories. Paths are the
 * operator's; nothing here has been seen by a component. */
#include "shim/grant.h"
#include "policies/host.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/mount.h"
#include "shim/socket.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LISTENER_BACKLOG 128

void grants_start(struct grants *grants)
{
    grants->count = 0;
    grants->pump_count = 0;
    grants->keeper_count = 0;
    grants->patience = (struct keeper_patience){.fd = -1};
    for (int i = 0; i < 3; i++)
        grants->streams[i] = i;
    for (size_t i = 0; i < PROTOCOL_GRANTS; i++)
        grants->at[i] = -1;
}

void grants_close(struct grants *grants)
{
    for (size_t i = 0; i < grants->count; i++) {
        if (grants->at[i] >= 0)
            close(take_fd(&grants->at[i]));
    }
}

void grants_end(struct grants *grants)
{
    grants_close(grants);
    for (size_t i = 0; i < grants->keeper_count; i++)
        keeper_end(take_fd(&grants->keepers[i]));
    grants->keeper_count = 0;
}

bool grants_output_pending(const struct grants *grants)
{
    for (size_t i = 0; i < grants->pump_count; i++)
        if (grants->pumps[i].output && !pump_ended(&grants->pumps[i]))
            return true;
    return false;
}

/* Takes `fd`, also on failure. */
static int keep(struct grants *grants, uint64_t number, int fd, struct err *err)
{
    if (number >= PROTOCOL_GRANTS || grants->at[number] >= 0) {
        close(fd);
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "a cell can have %d grants, each once; give fewer directories",
                       PROTOCOL_GRANTS);
    }
    grants->at[number] = fd;
    if (grants->count <= number)
        grants->count = (size_t)number + 1;
    return 0;
}

/* Whether `fd` goes only in the direction that standard stream `stream` has, and is something that
 * may be in a cell: from a directory, native code would walk out. */
static bool one_way(int fd, uint64_t stream)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_PATH) &&
           (flags & O_ACCMODE) == (stream == 0 ? O_RDONLY : O_WRONLY) && fstat(fd, &status) == 0 &&
           !S_ISDIR(status.st_mode) && !(S_ISCHR(status.st_mode) && isatty(fd));
}

/* A pipe's end for writing as a description of its own, which then need not block whoever writes.
 * -1: it is no pipe, somebody else's, or nobody reads it. */
static int open_again(int stream)
{
    struct stat status;
    char path[32];
    if (fstat(stream, &status) || !S_ISFIFO(status.st_mode))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", stream);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int pass_stream(struct grants *grants, uint64_t grant, uint64_t number, bool own,
                       struct err *err)
{
    int stream = grants->streams[number];
    if (!one_way(stream, number))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "standard stream %d is not what it was when the plan was made: leave it "
                       "alone while carrel starts",
                       (int)number);
    int fd = own ? open_again(stream) : -1;
    if (fd < 0)
        fd = fcntl(stream, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot duplicate standard stream %d: %s%s",
                       (int)number, strerror(errno), advice_on(errno));
    return keep(grants, grant, fd, err);
}

static bool same_terminal(int a, int b)
{
    struct stat one, other;
    return isatty(a) && isatty(b) && fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
           one.st_rdev == other.st_rdev;
}

static int pump_stream(struct grants *grants, const struct operation_stream_pump *pump,
                       struct err *err)
{
    /* Output and errors on one terminal go through one pipe, to keep their order. */
    if (pump->stream == 2 && pump->grant > 0 && pump->grant < PROTOCOL_GRANTS &&
        grants->at[pump->grant - 1] >= 0 && grants->pump_count > 0 &&
        grants->pumps[grants->pump_count - 1].filtered &&
        same_terminal(grants->streams[1], grants->streams[2])) {
        int fd = fcntl(grants->at[pump->grant - 1], F_DUPFD_CLOEXEC, 3);
        if (fd >= 0)
            return keep(grants, pump->grant, fd, err);
    }
    int fd;
    if (grants->pump_count == countof(grants->pumps) ||
        pump_open(&grants->pumps[grants->pump_count], (int)pump->stream,
                  grants->streams[pump->stream], (int)pump->pipe, &fd, err))
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "there are three standard streams: this is a mistake in carrel: please report it");
    grants->pump_count++;
    return keep(grants, pump->grant, fd, err);
}

static int text_stream(struct grants *grants, const struct operation_stream_text *text,
                       struct err *err)
{
    int fd;
    struct pump *pump = &grants->pumps[grants->pump_count];
    if (grants->pump_count == countof(grants->pumps) || text->stream == 0 ||
        pump_open(pump, (int)text->stream, grants->streams[text->stream], 0, &fd, err))
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "text goes to standard output or error: this is a mistake in carrel: please report it");
    pump_plain(pump);
    grants->pump_count++;
    return keep(grants, text->grant, fd, err);
}

static int no_stream(struct grants *grants, const struct operation_stream_none *none,
                     struct err *err)
{
    int fd = open("/dev/null", (none->stream == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot open /dev/null: %s%s", strerror(errno),
                       advice_on(errno));
    return keep(grants, none->grant, fd, err);
}

static int no_directory(const char *path, struct err *err)
{
    return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot give the directory %s: %s%s", path,
                   strerror(errno),
                   errno == ELOOP ? ": it is a link now, and was none when it was looked at: leave "
                                    "it alone while carrel starts"
                                  : "");
}

/* The operator accepts that no mount can be cloned here: a plain descriptor, from which native code
 * walks out unless Landlock holds it. */
static int open_directory(struct grants *grants, const struct operation *operation, int source,
                          const char *call, struct wall_report *report, struct err *err)
{
    const struct operation_directory *directory = &operation->of.directory;
    if (walls_failed(report, operation, call, errno, err))
        return -1;
    int fd = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? no_directory(directory->path, err) : keep(grants, directory->grant, fd, err);
}

static int clone_directory(struct grants *grants, const struct operation *operation,
                           struct wall_report *report, struct err *err)
{
    const struct operation_directory *directory = &operation->of.directory;
    const char *call;
    cleanup_close int source = mount_source(directory->path);
    if (source < 0)
        return no_directory(directory->path, err);
    int mount = mount_clone(source, directory->attributes, &call);
    if (mount < 0)
        return open_directory(grants, operation, source, call, report, err);
    walls_built(report, operation);
    return keep(grants, directory->grant, mount, err);
}

static int give_directory(struct grants *grants, const struct operation *operation, int pid,
                          struct wall_report *report, struct err *err)
{
    uint64_t grant = operation->of.idmap.grant;
    const char *call = "fstat";
    errno = EBADF;
    if (grant >= PROTOCOL_GRANTS || grants->at[grant] < 0 ||
        mount_give_to(grants->at[grant], HOST_ID_FIRST + (uint32_t)pid, &call))
        return walls_failed(report, operation, call, errno, err);
    walls_built(report, operation);
    return 0;
}

/* One that cannot be reached is found out by the resolver: it gets nothing from there. */
static int connect_server(struct grants *grants, const struct operation_nameserver *server,
                          struct err *err)
{
    bool stream = strcmp(server->protocol, "TCP") == 0;
    int fd = socket_make(stream ? PROTOCOL_TCP : PROTOCOL_UDP, server->address->family);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no socket for a nameserver: %s: see what `carrel doctor` says",
                       strerror(-fd));
    socket_connect(fd, server->address);
    return keep(grants, server->grant, fd, err);
}

/* Whoever comes may be waiting before the cell runs: as many as of other listening sockets. */
static int listen_at(struct grants *grants, const struct operation_listener *listener,
                     struct err *err)
{
    struct net_address address;
    if (!net_rule_address(listener->rule, &address))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no address to listen at: %s: write another with --net",
                       listener->rule->text);
    int fd = socket_make(PROTOCOL_TCP, address.family);
    int error = fd < 0 ? fd : socket_bind(fd, &address);
    if (error >= 0 && listen(fd, LISTENER_BACKLOG))
        error = -errno;
    if (error >= 0)
        return keep(grants, listener->grant, fd, err);
    if (fd >= 0)
        close(fd);
    return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot listen as --net %s asks: %s%s",
                   listener->rule->text, strerror(-error), advice_on(-error));
}

static int open_trust(struct grants *grants, const struct operation_trust *trust, struct err *err)
{
    int fd = open(trust->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "cannot open the trusted certificates %s: %s: install ca-certificates, or "
                       "name another file in SSL_CERT_FILE",
                       trust->path, strerror(errno));
    return keep(grants, trust->grant, fd, err);
}

static int open_certificate(struct grants *grants, const struct operation_certificate *from,
                            struct err *err)
{
    int fd = open(from->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot open the %s %s: %s%s", from->what,
                       from->path, strerror(errno), advice_on(errno));
    return keep(grants, from->grant, fd, err);
}

static int start_keeper(struct grants *grants, const struct operation_store *store, struct err *err)
{
    if (grants->keeper_count == countof(grants->keepers))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "a cell can have %d stores: keep more in one",
                       PROTOCOL_GRANTS);
    int fd = keeper_start(store->program, store->path, &grants->patience,
                          &grants->keepers[grants->keeper_count], err);
    if (fd < 0)
        return -1;
    grants->keeper_count++;
    return keep(grants, store->grant, fd, err);
}

/* A descriptor of the shim's own, which keeps it. */
static int pass_own(struct grants *grants, uint64_t grant, uint64_t own, struct err *err)
{
    int fd = fcntl((int)own, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot hand over descriptor %d: %s%s",
                       (int)own, strerror(errno), advice_on(errno));
    return keep(grants, grant, fd, err);
}

static int make_events(struct grants *grants, uint64_t grant, struct err *err)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no epoll instance: %s%s", strerror(errno),
                       advice_on(errno));
    return keep(grants, grant, fd, err);
}

int grants_make(struct grants *grants, const struct operation *operation, int pid,
                struct wall_report *report, struct err *err)
{
    int result = 0;
    switch (operation->kind) {
    case OPERATION_STREAM_PASS:
        result = pass_stream(grants, operation->of.stream_pass.grant,
                             operation->of.stream_pass.stream, /*own=*/false, err);
        break;
    case OPERATION_STREAM_OWN:
        result = pass_stream(grants, operation->of.stream_own.grant,
                             operation->of.stream_own.stream, /*own=*/true, err);
        break;
    case OPERATION_STREAM_PUMP:
        result = pump_stream(grants, &operation->of.stream_pump, err);
        break;
    case OPERATION_STREAM_TEXT:
        result = text_stream(grants, &operation->of.stream_text, err);
        break;
    case OPERATION_STREAM_NONE: result = no_stream(grants, &operation->of.stream_none, err); break;
    case OPERATION_HTTP_LISTENER:
        result = pass_own(grants, operation->of.http_listener.grant,
                          operation->of.http_listener.socket, err);
        break;
    case OPERATION_LEAVE:
        result = pass_own(grants, operation->of.leave.grant, operation->of.leave.pipe, err);
        break;
    case OPERATION_TICKS:
        result = pass_own(grants, operation->of.ticks.grant, operation->of.ticks.file, err);
        break;
    case OPERATION_WATCH:
        result = pass_own(grants, operation->of.watch.grant, operation->of.watch.socket, err);
        break;
    case OPERATION_COUNTERS:
        result = pass_own(grants, operation->of.counters.grant, operation->of.counters.file, err);
        break;
    case OPERATION_ACCESS_LOG:
        result =
            pass_own(grants, operation->of.access_log.grant, operation->of.access_log.file, err);
        break;
    case OPERATION_EVENTS: result = make_events(grants, operation->of.events.grant, err); break;
    case OPERATION_NAMESERVER:
        result = connect_server(grants, &operation->of.nameserver, err);
        break;
    case OPERATION_STORE: result = start_keeper(grants, &operation->of.store, err); break;
    case OPERATION_TRUST: result = open_trust(grants, &operation->of.trust, err); break;
    case OPERATION_CERTIFICATE:
        result = open_certificate(grants, &operation->of.certificate, err);
        break;
    case OPERATION_LISTENER: result = listen_at(grants, &operation->of.listener, err); break;
    case OPERATION_DIRECTORY: return clone_directory(grants, operation, report, err);
    case OPERATION_IDMAP: return give_directory(grants, operation, pid, report, err);
    default: return 0;
    }
    if (result == 0)
        walls_built(report, operation);
    return result;
}
