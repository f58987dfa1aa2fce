/* `start`: from the command line to a shim that serves; see command.h. containerd reads all that is
 * printed, and waits until nobody can print any more. */
#include "shim/containerd/command.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/containerd/bundle.h"
#include "shim/containerd/flag.h"
#include "shim/containerd/prepare.h"
#include "shim/containerd/service.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#define SOCKETS "/run/containerd/s"
#define BACKLOG 64
#define IDLE    UINT64_C(60000000000) /* without a container: whoever started it is gone */

static const struct flag flags[] = {
    {"namespace", FLAG_TEXT, offsetof(struct command, namespace)},
    {"address", FLAG_TEXT, offsetof(struct command, address)},
    {"id", FLAG_TEXT, offsetof(struct command, id)},
    {"bundle", FLAG_TEXT, offsetof(struct command, bundle)},
    {"publish-binary", FLAG_TEXT, offsetof(struct command, publish)},
    {"debug", FLAG_BOOL, offsetof(struct command, debug)},
    {"v", FLAG_BOOL, offsetof(struct command, version)},
    {"info", FLAG_BOOL, offsetof(struct command, info)},
};

int command_read(int argc, char **argv, struct command *ret, struct err *err)
{
    *ret = (struct command){.namespace = "", .address = "", .id = "", .bundle = "."};
    for (size_t i = 1; i < (size_t)argc; i++) {
        if (argv[i][0] != '-')
            ret->action = argv[i];
        else if (flag_read(flags, sizeof flags / sizeof *flags, argv, &i, ret, err))
            return -1;
    }
    return 0;
}

bool command_socket(const struct command *command, const char *group, char *ret, unsigned long size)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char text[PATH_MAX];
    int length =
        snprintf(text, sizeof text, "%s/%s/%s", command->address, command->namespace, group);
    if (length >= (int)sizeof text)
        return false;
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, text, (size_t)length);
    SHA256_Update(&hash, "/carrel", 7);
    SHA256_Final(digest, &hash);
    int used = snprintf(ret, size, SOCKETS "/");
    for (size_t i = 0; i < sizeof digest && used + 3 <= (int)size; i++)
        used += snprintf(ret + used, size - (size_t)used, "%02x", digest[i]);
    return used == (int)strlen(SOCKETS) + 1 + 2 * SHA256_DIGEST_LENGTH;
}

/* --- The group ------------------------------------------------------------------------------- */

static int read_group(const void *data, char *ret, struct err *err)
{
    const struct command *command = data;
    struct bundle bundle;
    if (bundle_read(command->bundle, &bundle, err))
        return -1;
    const char *group = bundle_group(&bundle);
    int length = snprintf(ret, ID_MAX, "%s", group ? group : command->id);
    return length > 0 && length < ID_MAX
               ? 0
               : err_set(err, ERR_USAGE, ERR_NOWHERE,
                         "the id is empty, or longer than %d bytes: give another with -id",
                         ID_MAX - 1);
}

/* Apart: the shim would inherit what the allocator keeps of the JSON, for as long as it stays. */
static int find_group(const struct command *command, char ret[ID_MAX], struct err *err)
{
    return prepare_apart(read_group, command, ret, err);
}

/* --- The socket ------------------------------------------------------------------------------ */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static bool is_served(const char *path)
{
    const struct sockaddr_un address = address_of(path);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 &&
           (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
}

/* A listening socket at `path`; *ret is -1 if a shim listens there already. */
static int listen_at(const char *path, int *ret, struct err *err)
{
    const struct sockaddr_un address = address_of(path);
    *ret = -1;
    for (int attempt = 0; attempt < 8; attempt++) {
        cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
            chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0) {
            *ret = take_fd(&fd);
            return 0;
        }
        if (fd < 0 || errno != EADDRINUSE)
            break;
        if (is_served(path))
            return 0;
        unlink(path);
    }
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "cannot listen at %s: %s: remove what is in its place", path, strerror(errno));
}

/* A file of the bundle, whole or not at all. */
static int write_file(const char *bundle, const char *name, const char *text, struct err *err)
{
    char path[PATH_MAX], hidden[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", bundle, name);
    snprintf(hidden, sizeof hidden, "%s/.%s", bundle, name);
    cleanup_close int fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t size = (ssize_t)strlen(text);
    if (fd >= 0 && write(fd, text, (size_t)size) == size && rename(hidden, path) == 0)
        return 0;
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot write %s: %s: make room for it there", path,
                   strerror(errno));
}

/* --- The shim -------------------------------------------------------------------------------- */

static void replace(int fd, const char *path, int how)
{
    int opened = open(path, how | O_CLOEXEC);
    if (opened >= 0) {
        dup2(opened, fd);
        close(opened);
    }
}

/* A little more likely to be killed for want of memory than whoever started it. */
static void adjust_oom(void)
{
    char text[16] = "";
    cleanup_close int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, text, sizeof text - 1, 0) <= 0)
        return;
    long score = strtol(text, NULL, 10);
    dprintf(fd, "%ld", score < 1000 ? score + 1 : score);
}

int command_serve(const struct command *command, int listener)
{
    static struct service service;
    const char *events = getenv("TTRPC_ADDRESS");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    prctl(PR_SET_NAME, "carrel-shim", 0, 0, 0);
    service.containerd = command->address;
    service_run(&service, listener, command->namespace, events ? events : "", IDLE);
    return 0;
}

static _Noreturn void serve(const struct command *command, int listener, const char *path)
{
    /* Whoever waits for a descriptor of whoever started this does not wait for the shim. */
    if (dup2(listener, 3) == 3 && listener != 3)
        close(listener);
    listener = 3;
    fcntl(listener, F_SETFD, FD_CLOEXEC);
    closefrom(4);
    setsid();
    replace(STDIN_FILENO, "/dev/null", O_RDONLY);
    replace(STDOUT_FILENO, "/dev/null", O_WRONLY);
    /* containerd's log, which it holds open; without it nothing is said. */
    replace(STDERR_FILENO, "/dev/null", O_WRONLY);
    replace(STDERR_FILENO, "log", O_RDWR | O_NONBLOCK);
    adjust_oom();
    int code = command_serve(command, listener);
    unlink(path);
    _exit(code);
}

/* The socket of the container's shim at `path`; *ret is -1 if it is served already. */
static NOINLINE int find_shim(const struct command *command, char *path, size_t size, int *ret,
                              struct err *err)
{
    char group[ID_MAX], url[PATH_MAX];
    if (find_group(command, group, err))
        return -1;
    if (!command_socket(command, group, path, size))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the address of the socket is too long: give the container a shorter id");
    mkdir("/run/containerd", 0711);
    mkdir(SOCKETS, 0711);
    if (listen_at(path, ret, err))
        return -1;
    snprintf(url, sizeof url, "unix://%s", path);
    return write_file(command->bundle, "address", url, err);
}

/* The stack of the functions above is not the shim's: it is deeper than where the shim begins, and
 * so given back. */
static int start(const struct command *command, char *path, size_t size, struct err *err)
{
    cleanup_close int listener = -1;
    if (find_shim(command, path, size, &listener, err))
        return -1;
    pid_t pid = listener < 0 ? 1 : fork();
    if (pid == 0)
        serve(command, listener, path);
    if (pid > 0)
        return 0;
    unlink(path);
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "cannot start the shim: %s: free some memory, or raise the limit on processes",
                   strerror(errno));
}

int command_start(const struct command *command)
{
    struct err err = {.offset = ERR_NOWHERE};
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    const char *most = getenv("MAX_SHIM_VERSION");
    if (start(command, path, sizeof path, &err)) {
        fprintf(stderr, "carrel: %s\n", err.text);
        return 1;
    }
    if (most && strtol(most, NULL, 10) >= 3)
        printf("{\"version\":3,\"address\":\"unix://%s\",\"protocol\":\"ttrpc\"}", path);
    else
        printf("unix://%s", path);
    return fflush(stdout) ? 1 : 0;
}
