/* The commands of an OCI runtime; see oci.h. A container has a folder: its shim's socket, and the
 * path of its bundle. A folder whose shim does not answer is that of a container that has ended. */
#include "shim/containerd/oci.h"

#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/containerd/ttrpc.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

/* --- A container's folder -------------------------------------------------------------------- */

static bool is_id(const char *id)
{
    size_t length =
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-");
    return length > 0 && length < ID_MAX && !id[length] && strcmp(id, ".") != 0 &&
           strcmp(id, "..") != 0;
}

static int find_place(const struct oci *oci, struct oci_place *ret, struct err *err)
{
    const char *id = oci->count > 1 ? oci->words[1] : "";
    if (!is_id(id))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "'%s' is no name of a container: use letters, digits and _ + - .", id);
    int length = snprintf(ret->socket, sizeof ret->socket, "%s/%s/socket", oci->root, id);
    if (length >= (int)sizeof ret->socket)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "%s/%s/socket is too long for a socket: use a shorter --root", oci->root,
                       id);
    snprintf(ret->folder, sizeof ret->folder, "%s/%s", oci->root, id);
    snprintf(ret->bundle_file, sizeof ret->bundle_file, "%s/%s/bundle", oci->root, id);
    ret->bundle[0] = '\0';
    return 0;
}

/* That of a container that there is. */
int oci_find(const struct oci *oci, struct oci_place *ret, struct err *err)
{
    if (find_place(oci, ret, err))
        return -1;
    cleanup_file FILE *file = fopen(ret->bundle_file, "re");
    if (!file || !fgets(ret->bundle, sizeof ret->bundle, file))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE, "container %s does not exist: create it first",
                       oci->words[1]);
    return 0;
}

/* Every folder of a path; only root looks into the last. */
static int make_folders(const char *path)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdir(part, 0755) && errno != EEXIST)
            return -1;
    }
    return mkdir(path, 0700) && errno != EEXIST ? -1 : 0;
}

static void remove_folder(const struct oci_place *place)
{
    unlink(place->socket);
    unlink(place->bundle_file);
    rmdir(place->folder);
}

/* The folder of a new container. */
static int make_place(const struct oci *oci, const struct oci_place *place, const char *bundle,
                      struct err *err)
{
    if (make_folders(oci->root))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot make %s: %s: run as root, or give a --root of your own", oci->root,
                       strerror(errno));
    if (mkdir(place->folder, 0700))
        return errno == EEXIST
                   ? err_set(err, ERR_USAGE, ERR_NOWHERE,
                             "container %s exists: choose another name, or delete it",
                             oci->words[1])
                   : err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot make %s: %s: give another --root",
                             place->folder, strerror(errno));
    cleanup_file FILE *file = fopen(place->bundle_file, "we");
    if (file && fputs(bundle, file) >= 0 && fflush(file) == 0)
        return 0;
    err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot write %s: %s: make room for it there",
            place->bundle_file, strerror(errno));
    remove_folder(place);
    return -1;
}

/* --- How it is ------------------------------------------------------------------------------- */

/* The status of a container, in the words of the specification, and its process: the shim, which
 * ends when and as the container does. */
static const char *status_of(const struct oci_place *place, const char *id, int *ret_pid)
{
    uint8_t bytes[4096];
    struct writer space = WRITER(bytes);
    struct bytes body;
    struct message_state_answer state;
    struct message_connect_answer connected;
    *ret_pid = 0;
    cleanup_close int fd = oci_connect(place->socket);
    if (fd < 0 || oci_call_task(fd, "State", id, "", &space, &body, NULL) ||
        !message_get(state_answer, body, &state))
        return "stopped";
    uint64_t status = state.status;
    if (oci_call_task(fd, "Connect", id, "", &space, &body, NULL) == 0 &&
        message_get(connect_answer, body, &connected))
        *ret_pid = (int)connected.shim_pid;
    return status == 1 ? "created" : status == 2 ? "running" : status == 4 ? "paused" : "stopped";
}

/* --- The log --------------------------------------------------------------------------------- */

/* Where podman and CRI-O look for what went wrong. */
static void write_log(const struct oci *oci, const char *level, const char *text)
{
    cleanup_file FILE *file = oci->log ? fopen(oci->log, "ae") : NULL;
    if (!file)
        return;
    if (!oci->log_format || strcmp(oci->log_format, "json") != 0) {
        fprintf(file, "carrel: %s\n", text);
        return;
    }
    json_object *line = json_object_new_object();
    json_object_object_add(line, "level", json_object_new_string(level));
    json_object_object_add(line, "msg", json_object_new_string(text));
    fprintf(file, "%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
    json_object_put(line);
}

/* --- create ---------------------------------------------------------------------------------- */

static int listen_at(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        chmod(path, 0600) == 0 && listen(fd, 8) == 0)
        return take_fd(&fd);
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot listen at %s: %s: give another --root",
                   path, strerror(errno));
}

/* What this runtime cannot do is refused, not left out. */
static int check_bundle(const struct oci *oci, const char *directory, bool *ret_terminal,
                        struct err *err)
{
    struct bundle bundle;
    json_object *hooks = NULL, *process = NULL, *terminal = NULL;
    if (bundle_read(directory, &bundle, err))
        return -1;
    if (json_object_object_get_ex(bundle.config, "hooks", &hooks) &&
        json_object_is_type(hooks, json_type_object)) {
        json_object_object_foreach(hooks, kind, list)
        {
            if (json_object_is_type(list, json_type_array) && json_object_array_length(list))
                return err_set(
                    err, ERR_USAGE, ERR_NOWHERE,
                    "the specification has %s hooks, which carrel does not run: leave them out",
                    kind);
        }
    }
    *ret_terminal = json_object_object_get_ex(bundle.config, "process", &process) &&
                    json_object_object_get_ex(process, "terminal", &terminal) &&
                    json_object_get_boolean(terminal);
    if (*ret_terminal && !oci->console_socket)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the process wants a terminal: say with --console-socket where it is sent");
    json_object_put(bundle.config);
    return 0;
}

/* podman and CRI-O pass descriptors 3 and after on to whatever runs. A component has no way to name
 * one: they are closed, which is said and no failure. */
int oci_check_fds(const struct oci *oci, struct err *err)
{
    char *end = NULL;
    unsigned long count = oci->preserve_fds ? strtoul(oci->preserve_fds, &end, 10) : 0;
    if (oci->preserve_fds && (!isdigit((unsigned char)*oci->preserve_fds) || *end || count > 65536))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--preserve-fds %s: write the number of descriptors, as in 0",
                       oci->preserve_fds);
    char text[128];
    snprintf(text, sizeof text,
             "--preserve-fds %lu: a component is given no descriptors: they are closed", count);
    if (count && oci->log)
        write_log(oci, "warning", text);
    else if (count)
        fprintf(stderr, "carrel: %s\n", text);
    return 0;
}

int oci_write_pid(const char *path, int pid, struct err *err)
{
    if (!path)
        return 0;
    cleanup_file FILE *file = fopen(path, "we");
    if (file && fprintf(file, "%d", pid) > 0 && fflush(file) == 0)
        return 0;
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot write %s: %s: make room for it there", path,
                   strerror(errno));
}

static int call_create(const struct oci *oci, const struct oci_place *place, const char *bundle,
                       bool terminal, struct err *err)
{
    uint8_t bytes[2 * PATH_MAX], answer[256];
    char names[3][PATH_MAX];
    struct writer writer = WRITER(bytes), space = WRITER(answer);
    struct bytes body;
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "fd://%d", OCI_STREAMS + i);
    if (terminal)
        snprintf(names[1], sizeof names[1], "console://%s", oci->console_socket);
    const struct message_create_request request = {.id = bytes_of(oci->words[1]),
                                                   .bundle = bytes_of(bundle),
                                                   .terminal = terminal,
                                                   .in = bytes_of(terminal ? "" : names[0]),
                                                   .out = bytes_of(names[1]),
                                                   .error = bytes_of(terminal ? "" : names[2])};
    message_put(create_request, &request, &writer);
    cleanup_close int fd = oci_connect(place->socket);
    if (fd < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot reach %s: %s: start whoever listens there", place->socket,
                       strerror(errno));
    return oci_call(fd, "Create", written(&writer), &space, &body, err);
}

static int create_in(const struct oci *oci, const struct oci_place *place, const char *bundle,
                     bool terminal, struct err *err)
{
    cleanup_close int listener = listen_at(place->socket, err);
    if (listener < 0)
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        oci_serve(listener);
    if (pid < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot start a shim: %s: free some memory, or raise the limit on processes",
                       strerror(errno));
    if (call_create(oci, place, bundle, terminal, err) || oci_write_pid(oci->pid_file, pid, err)) {
        kill(pid, SIGKILL); /* and the cell with it */
        return -1;
    }
    return 0;
}

static int on_create(struct oci *oci, struct err *err)
{
    struct oci_place place;
    char bundle[PATH_MAX];
    bool terminal = false;
    if (find_place(oci, &place, err))
        return -1;
    if (!realpath(oci->bundle, bundle))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "there is no bundle %s: %s: name its folder with --bundle", oci->bundle,
                       strerror(errno));
    if (oci_check_fds(oci, err) || check_bundle(oci, bundle, &terminal, err) ||
        make_place(oci, &place, bundle, err))
        return -1;
    if (create_in(oci, &place, bundle, terminal, err)) {
        remove_folder(&place);
        return -1;
    }
    return 0;
}

/* --- The others ------------------------------------------------------------------------------ */

int oci_reach(const struct oci *oci, struct err *err)
{
    struct oci_place place;
    if (oci_find(oci, &place, err))
        return -1;
    int fd = oci_connect(place.socket);
    if (fd < 0)
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "container %s has ended: delete it, and create it again", oci->words[1]);
    return fd;
}

static int call_simply(const struct oci *oci, const char *method, struct err *err)
{
    uint8_t answer[256];
    struct writer space = WRITER(answer);
    struct bytes body;
    cleanup_close int fd = oci_reach(oci, err);
    return fd < 0 ? -1 : oci_call_task(fd, method, oci->words[1], "", &space, &body, err);
}

static int on_start(struct oci *oci, struct err *err)
{
    return call_simply(oci, "Start", err);
}

static int on_pause(struct oci *oci, struct err *err)
{
    return call_simply(oci, "Pause", err);
}

static int on_resume(struct oci *oci, struct err *err)
{
    return call_simply(oci, "Resume", err);
}

json_object *oci_state(const struct oci_place *place, const char *id)
{
    int pid;
    struct stat made;
    const char *status = status_of(place, id, &pid);
    json_object *state = json_object_new_object();
    json_object_object_add(state, "ociVersion", json_object_new_string("1.0.2"));
    json_object_object_add(state, "id", json_object_new_string(id));
    json_object_object_add(state, "status", json_object_new_string(status));
    if (pid)
        json_object_object_add(state, "pid", json_object_new_int(pid));
    json_object_object_add(state, "bundle", json_object_new_string(place->bundle));
    if (stat(place->bundle_file, &made) == 0) {
        char time[32];
        struct tm parts;
        strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&made.st_mtime, &parts));
        json_object_object_add(state, "created", json_object_new_string(time));
    }
    return state;
}

static int on_state(struct oci *oci, struct err *err)
{
    struct oci_place place;
    if (oci_find(oci, &place, err))
        return -1;
    json_object *state = oci_state(&place, oci->words[1]);
    printf("%s\n", json_object_to_json_string_ext(state, JSON_C_TO_STRING_PRETTY));
    json_object_put(state);
    return 0;
}

/* A number, or a name with or without SIG. -1: there is none of it. */
static int signal_named(const char *word)
{
    char *end;
    long number = strtol(word, &end, 10);
    if (*word && !*end)
        return number >= 0 && number < NSIG ? (int)number : -1;
    const char *name = strncasecmp(word, "SIG", 3) == 0 ? word + 3 : word;
    for (int i = 1; i < NSIG; i++) {
        const char *known = sigabbrev_np(i);
        if (known && strcasecmp(known, name) == 0)
            return i;
    }
    return -1;
}

static int on_kill(struct oci *oci, struct err *err)
{
    struct oci_place place;
    const char *word = oci->count > 2 ? oci->words[2] : "TERM";
    int signal = signal_named(word);
    if (signal < 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "there is no signal %s: write one like TERM or 15", word);
    if (oci_find(oci, &place, err))
        return -1;
    cleanup_close int fd = oci_connect(place.socket);
    if (fd < 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "container %s is not running: start it first",
                       oci->words[1]);
    return oci_call_kill(fd, oci->words[1], "", (uint64_t)signal, err);
}

static void remove_group(const char *directory)
{
    struct bundle bundle;
    char group[GROUP_PATH];
    const char *path = bundle_read(directory, &bundle, NULL) == 0
                           ? bundle_text(&bundle, "linux.cgroupsPath")
                           : NULL;
    if (path && group_path(path, group))
        group_remove(group, OCI_WORD);
}

static int on_delete(struct oci *oci, struct err *err)
{
    struct oci_place place;
    struct err absent = {0};
    int pid;
    if (oci_find(oci, &place, &absent)) {
        if (oci->force && absent.kind == ERR_ABSENT)
            return 0;
        return err_set(err, absent.kind, ERR_NOWHERE, "%s", absent.text);
    }
    const char *status = status_of(&place, oci->words[1], &pid);
    if (!oci->force && (strcmp(status, "running") == 0 || strcmp(status, "paused") == 0))
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "container %s is %s: kill it first",
                       oci->words[1], status);
    cleanup_close int fd = oci_connect(place.socket);
    if (fd >= 0) {
        oci_call_kill(fd, oci->words[1], "", SIGKILL, NULL);
        oci_wait_end(fd);
    }
    remove_group(place.bundle);
    remove_folder(&place);
    return 0;
}

/* --- The table ------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    int (*carry_out)(struct oci *oci, struct err *err);
} commands[] = {
    {"create", on_create},  {"start", on_start},    {"state", on_state},
    {"kill", on_kill},      {"delete", on_delete},  {"pause", on_pause},
    {"resume", on_resume},  {"exec", oci_exec},     {"ps", oci_ps},
    {"events", oci_events}, {"update", oci_update}, {"features", oci_features},
    {"list", oci_list},
};

static int carry_out(struct oci *oci, struct err *err)
{
    for (size_t i = 0; oci->count && i < countof(commands); i++) {
        if (strcmp(oci->words[0], commands[i].word) == 0)
            return commands[i].carry_out(oci, err);
    }
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "%s%s: the commands are create, start, state, kill, delete, pause, resume, "
                   "exec, ps, events, update, list and features",
                   oci->count ? "unknown command " : "", oci->count ? oci->words[0] : "no command");
}

int oci_main(char **argv)
{
    struct oci oci;
    struct err err = {.offset = ERR_NOWHERE};
    if (oci_read(argv, &oci, &err) == 0) {
        if (oci.version || oci.help) {
            printf(oci.version ? OCI_NAME " version " CARREL_VERSION "\nspec: 1.0.2\n"
                               : "carrel oci [--root DIR] [--log FILE] create --bundle DIR "
                                 "[--pid-file FILE] [--console-socket SOCKET] NAME\n"
                                 "carrel oci start|state|pause|resume NAME\n"
                                 "carrel oci kill NAME [SIGNAL]\n"
                                 "carrel oci delete [--force] NAME\n"
                                 "carrel oci exec [--detach] [--pid-file FILE] [--tty] "
                                 "[--console-socket SOCKET] --process FILE NAME\n"
                                 "carrel oci exec [--detach] [--pid-file FILE] NAME "
                                 "'EXPORT(ARGUMENTS)'\n"
                                 "carrel oci ps [--format json|table] NAME\n"
                                 "carrel oci events [--stats] [--interval SECONDS] NAME\n"
                                 "carrel oci update --resources FILE|- NAME\n"
                                 "carrel oci list [--quiet] [--format json|table]\n"
                                 "carrel oci features\n");
            return 0;
        }
        if (carry_out(&oci, &err) == 0)
            return oci.code;
    }
    fprintf(stderr, "carrel: %s\n", err.text);
    write_log(&oci, "error", err.text);
    return 1;
}
