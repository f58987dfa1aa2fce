/* `exec`: calling an export of a component that runs, as an OCI runtime runs another program. The
 * cell is a child of the container's shim, so that whoever started this (conmon) has a child of its
 * own for it: a carrier, which moves the cell's streams and hands its signals on, and ends as it
 * does. If the carrier is killed, its call of Wait is gone with it, and the shim ends the cell. */
#include "shim/containerd/oci.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define CHUNK 4096 /* what a pipe that can be written to takes (pipe(7), PIPE_BUF) */

/* The exec of a carrier. */
struct carrying {
    const char *socket; /* of the container's shim */
    const char *container;
    char exec[ID_MAX];
    const char *console; /* where a terminal is sent; NULL: there is none */
    int fd;              /* a connection on which Wait is called; -1 */
    int ours[3];         /* the carrier's ends of the cell's streams; -1 */
    bool input_waits;    /* standard input is read once there is room for it */
};

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
    caught = signal;
}

/* --- What is executed ------------------------------------------------------------------------ */

/* A file whole, as JSON; NULL with *err. */
static json_object *read_json(const char *path, struct err *err)
{
    static char text[OCI_REQUEST_MOST];
    cleanup_file FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text, file) : 0;
    if (file == stdin)
        file = NULL;
    json_object *object = bundle_parse((struct bytes){(const uint8_t *)text, size});
    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "%s is no JSON object of at most %d bytes: name a file that holds one", path,
                OCI_REQUEST_MOST);
        return NULL;
    }
    return object;
}

static json_object *process_of(char **command, bool tty)
{
    json_object *object = json_object_new_object(), *arguments = json_object_new_array();
    for (; *command; command++)
        json_object_array_add(arguments, json_object_new_string(*command));
    json_object_object_add(object, "args", arguments);
    json_object_object_add(object, "cwd", json_object_new_string("/"));
    json_object_object_add(object, "terminal", json_object_new_boolean(tty));
    return object;
}

/* --- The carrier ----------------------------------------------------------------------------- */

static int call_exec(const struct carrying *carrying, int fd, struct bytes process,
                     const char names[3][64], struct err *err)
{
    static uint8_t inner[OCI_REQUEST_MOST], bytes[OCI_REQUEST_MOST];
    uint8_t answer[256];
    struct writer any = WRITER(inner), writer = WRITER(bytes), space = WRITER(answer);
    struct bytes body;
    const struct message_any wrapped = {
        bytes_of("types.containerd.io/opencontainers/runtime-spec/1/Process"), process};
    message_put(any, &wrapped, &any);
    char console[PATH_MAX];
    snprintf(console, sizeof console, "console://%s", carrying->console ? carrying->console : "");
    bool terminal = carrying->console != NULL;
    const struct message_exec_request request = {
        .id = bytes_of(carrying->container),
        .exec = bytes_of(carrying->exec),
        .terminal = terminal,
        .in = bytes_of(names[0]),
        .out = bytes_of(terminal ? console : names[1]),
        .error = bytes_of(names[2]),
        .spec = written(&any),
    };
    message_put(exec_request, &request, &writer);
    return oci_call(fd, "Exec", written(&writer), &space, &body, err) ||
                   oci_call_task(fd, "Start", carrying->container, carrying->exec, &space, &body,
                                 err)
               ? -1
               : 0;
}

/* Pipes for the streams, which the shim opens by the names that they have here; their other ends
 * are closed once it did. */
static int open_streams(struct carrying *carrying, int theirs[3], char names[3][64],
                        struct err *err)
{
    for (int stream = 0; !carrying->console && stream < 3; stream++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            return err_set(err, ERR_FAULT, ERR_NOWHERE,
                           "cannot make a pipe: %s: raise the limit on open files",
                           strerror(errno));
        bool in = stream == 0;
        carrying->ours[stream] = ends[in ? 1 : 0];
        theirs[stream] = ends[in ? 0 : 1];
        snprintf(names[stream], 64, "/proc/%d/fd/%d", (int)getpid(), theirs[stream]);
    }
    return 0;
}

static int begin(struct carrying *carrying, struct bytes process, struct err *err)
{
    char names[3][64] = {"", "", ""};
    int theirs[3] = {-1, -1, -1};
    uint8_t bytes[2 * ID_MAX + 16];
    struct writer writer = WRITER(bytes);
    snprintf(carrying->exec, sizeof carrying->exec, "exec-%d", (int)getpid());
    carrying->fd = oci_connect(carrying->socket);
    if (carrying->fd < 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "container %s has ended: delete it, and create it again",
                       carrying->container);
    int failed = open_streams(carrying, theirs, names, err) ||
                 call_exec(carrying, carrying->fd, process, (const char(*)[64])names, err);
    for (int stream = 0; stream < 3; stream++)
        if (theirs[stream] >= 0)
            close(theirs[stream]);
    const struct message_task_request request = {bytes_of(carrying->container),
                                                 bytes_of(carrying->exec)};
    message_put(task_request, &request, &writer);
    return failed ? -1 : oci_ask(carrying->fd, "Wait", written(&writer), err);
}

static void hang_up(int *fd)
{
    if (*fd >= 0)
        close(take_fd(fd));
}

/* Moves what is there to be read at once. Both ends may be of any kind, and block. */
static void move(int *from, int *to)
{
    char chunk[CHUNK];
    ssize_t size = read(*from, chunk, sizeof chunk), sent = 0;
    while (size > 0 && sent < size) {
        ssize_t written = write(*to, chunk + sent, (size_t)(size - sent));
        if (written < 0 && errno != EINTR)
            size = 0; /* nobody takes it any more */
        sent += written > 0 ? written : 0;
    }
    if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) {
        hang_up(from);
        hang_up(to);
    }
}

static void hand_on(const struct carrying *carrying, int signal)
{
    cleanup_close int fd = oci_connect(carrying->socket);
    if (fd >= 0)
        oci_call_kill(fd, carrying->container, carrying->exec, (uint64_t)signal, NULL);
}

/* The answer to Wait; then the exec is deleted. Without a shim it was killed with that. */
static int take_end(const struct carrying *carrying)
{
    uint8_t bytes[256];
    struct writer space = WRITER(bytes);
    struct bytes body;
    struct message_wait_answer ended;
    if (oci_hear(carrying->fd, &space, &body, NULL) || !message_get(wait_answer, body, &ended))
        return 128 + SIGKILL;
    oci_call_task(carrying->fd, "Delete", carrying->container, carrying->exec, &space, &body, NULL);
    return (int)ended.exit_status;
}

/* What whoever started this left open (--preserve-fds) would otherwise stay so as long as the cell
 * runs: a pipe whose end somebody waits for. */
static void close_inherited(const struct carrying *carrying)
{
    const int kept[] = {carrying->fd, carrying->ours[0], carrying->ours[1], carrying->ours[2]};
    unsigned from = STDERR_FILENO + 1;
    for (;;) {
        unsigned next = ~0u; /* also of those that are not there: -1 */
        for (size_t i = 0; i < countof(kept); i++)
            next = (unsigned)kept[i] >= from && (unsigned)kept[i] < next ? (unsigned)kept[i] : next;
        if (next > from)
            close_range(from, next - 1, 0);
        if (next == ~0u)
            return;
        from = next + 1;
    }
}

/* Until the cell has ended, and all that it wrote is out. */
static int carry(struct carrying *carrying)
{
    enum { AT_END, AT_INPUT, AT_OUT, AT_ERROR, ATS };
    int standard[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, code = -1;
    const sigset_t all = signals_all();
    sigset_t none;
    sigemptyset(&none);
    close_inherited(carrying);
    while (code < 0 || carrying->ours[1] >= 0 || carrying->ours[2] >= 0) {
        bool typing = carrying->ours[0] >= 0;
        struct pollfd waits[ATS] = {
            [AT_END] = {code < 0 ? carrying->fd : -1, POLLIN, 0},
            [AT_INPUT] = {!typing                 ? -1
                          : carrying->input_waits ? standard[0]
                                                  : carrying->ours[0],
                          carrying->input_waits ? POLLIN : POLLOUT, 0},
            [AT_OUT] = {carrying->ours[1], POLLIN, 0},
            [AT_ERROR] = {carrying->ours[2], POLLIN, 0},
        };
        sigprocmask(SIG_SETMASK, &all, NULL);
        int signal = caught;
        caught = 0;
        if (signal)
            hand_on(carrying, signal);
        else
            ppoll(waits, ATS, NULL, &none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (signal || caught)
            continue;
        if (waits[AT_END].revents)
            code = take_end(carrying);
        if (waits[AT_INPUT].revents && carrying->input_waits) {
            move(&standard[0], &carrying->ours[0]);
            carrying->input_waits = false;
        } else if (waits[AT_INPUT].revents & (POLLERR | POLLHUP)) {
            hang_up(&carrying->ours[0]);
        } else if (waits[AT_INPUT].revents) {
            carrying->input_waits = true;
        }
        for (int stream = 1; stream < 3; stream++)
            if (waits[AT_OUT - 1 + stream].revents)
                move(&carrying->ours[stream], &standard[stream]);
    }
    return code;
}

/* Signals that end a program are the cell's. */
static void catch_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    const struct sigaction handed_on = {.sa_handler = on_signal};
    for (size_t i = 0; i < countof(signals); i++)
        sigaction(signals[i], &handed_on, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --- The command ----------------------------------------------------------------------------- */

/* What a carrier that detaches tells whoever started it: why it could not begin, or nothing. */
static bool hear(int from, struct err *ret)
{
    ssize_t size;
    do {
        size = read(from, ret, sizeof *ret);
    } while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof *ret;
}

static int detach(struct carrying *carrying, struct bytes process, const char *pid_file,
                  struct err *err)
{
    int told[2];
    struct err said = {.offset = ERR_NOWHERE};
    if (pipe2(told, O_CLOEXEC))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot make a pipe: %s: raise the limit on open files", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        catch_signals();
        begin(carrying, process, &said);
        if (write(told[1], &said, sizeof said) != sizeof said || said.kind != ERR_NONE)
            _exit(1);
        close(told[0]);
        close(told[1]);
        _exit(carry(carrying));
    }
    close(told[1]);
    bool heard = pid > 0 && hear(told[0], &said);
    close(told[0]);
    if (!heard)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot start who carries the exec: free some memory");
    if (said.kind != ERR_NONE)
        return err_set(err, said.kind, ERR_NOWHERE, "%s", said.text);
    if (oci_write_pid(pid_file, pid, err) == 0)
        return 0;
    kill(pid, SIGKILL); /* and the cell with it */
    return -1;
}

static int execute(struct oci *oci, struct carrying *carrying, struct bytes process,
                   struct err *err)
{
    if (oci->detach)
        return detach(carrying, process, oci->pid_file, err);
    catch_signals();
    if (begin(carrying, process, err) || oci_write_pid(oci->pid_file, (int)getpid(), err))
        return -1;
    oci->code = carry(carrying);
    return 0;
}

int oci_exec(struct oci *oci, struct err *err)
{
    struct oci_place place;
    json_object *terminal = NULL;
    struct carrying carrying = {.ours = {-1, -1, -1}, .fd = -1};
    if (oci_check_fds(oci, err) || oci_find(oci, &place, err))
        return -1;
    if (!oci->process == !oci->command)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "exec: say what to call, either in a file with --process or behind the "
                       "container's name");
    json_object *process =
        oci->process ? read_json(oci->process, err) : process_of(oci->command, oci->tty);
    if (!process)
        return -1;
    carrying.socket = place.socket;
    carrying.container = oci->words[1];
    int failed = 0;
    if (json_object_object_get_ex(process, "terminal", &terminal) &&
        json_object_get_boolean(terminal)) {
        carrying.console = oci->console_socket;
        if (!carrying.console)
            failed =
                err_set(err, ERR_USAGE, ERR_NOWHERE,
                        "the exec wants a terminal: say with --console-socket where it is sent");
    }
    size_t size = 0;
    const char *text = json_object_to_json_string_length(process, JSON_C_TO_STRING_PLAIN, &size);
    if (!failed)
        failed = execute(oci, &carrying, (struct bytes){(const uint8_t *)text, size}, err);
    json_object_put(process);
    return failed;
}

int oci_update(struct oci *oci, struct err *err)
{
    static uint8_t inner[OCI_REQUEST_MOST], bytes[OCI_REQUEST_MOST];
    uint8_t answer[256];
    struct writer any = WRITER(inner), writer = WRITER(bytes), space = WRITER(answer);
    struct bytes body;
    if (!oci->resources)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "update: name a file of linux.resources with --resources");
    cleanup_close int fd = oci_reach(oci, err);
    json_object *resources = fd < 0 ? NULL : read_json(oci->resources, err);
    if (!resources)
        return -1;
    const struct message_any wrapped = {
        bytes_of("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"),
        bytes_of(json_object_to_json_string_ext(resources, JSON_C_TO_STRING_PLAIN))};
    message_put(any, &wrapped, &any);
    const struct message_update_request request = {bytes_of(oci->words[1]), written(&any)};
    message_put(update_request, &request, &writer);
    int failed = oci_call(fd, "Update", written(&writer), &space, &body, err);
    json_object_put(resources);
    return failed;
}
