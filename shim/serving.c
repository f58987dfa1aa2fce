/* What a cell that serves is handed; see serving.h. */
#include "shim/serving.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/guardian.h"
#include "shim/protocol.h"
#include "shim/socket.h"
#include "shim/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG    4096
#define PAGE       4096
#define UNSENT     131072 /* bytes that the kernel keeps of a connection beside what is on its way */
#define ACCEPTS    16     /* clients that are taken before the shim looks at something else */
#define SYSTEMD_FD 3      /* the first that is handed over: sd_listen_fds(3) */

void serving_start(struct serving *serving)
{
    *serving = (struct serving){.listener = -1,
                                .watch = -1,
                                .counters = -1,
                                .log = -1,
                                .front = -1,
                                .back = -1,
                                .held = {-1, -1},
                                .leave = {-1, -1},
                                .ticks = -1};
}

/* The socket that systemd listens with; -1: there is none. */
static int activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    char own[24];
    snprintf(own, sizeof own, "%d", (int)getpid());
    if (!pid || !count || strcmp(pid, own) != 0 || strcmp(count, "1") != 0)
        return -1;
    return SYSTEMD_FD;
}

static int take_over(struct serving *serving, int fd, struct err *err)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "LISTEN_FDS says that descriptor %d listens, and it does not: have the unit "
                       "use ListenStream=",
                       fd);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    serving->listener = fd;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0
               ? 0
               : err_set(err, ERR_FAULT, ERR_NOWHERE,
                         "cannot keep the socket of systemd's: %s: raise the limit on open files "
                         "(LimitNOFILE=)",
                         strerror(errno));
}

static int listen_at(const struct net_address *address, const char *flag, int *ret, struct err *err)
{
    const int one = 1;
    char text[NET_TEXT_MAX];
    int fd = socket_make(PROTOCOL_TCP, address->family);
    int failed = fd < 0 ? -fd : 0;
    if (!failed && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one))
        failed = errno;
    if (!failed)
        failed = -socket_bind(fd, address);
    if (!failed && listen(fd, BACKLOG))
        failed = errno;
    if (failed) {
        const char *why = failed == EADDRINUSE ? ": another program does; choose a port with "
                          : failed == EADDRNOTAVAIL
                              ? ": this host does not have that address; choose one of its with "
                          : failed == EACCES ? ": ports below 1024 are root's; choose another with "
                                             : "";
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot listen at %s: %s%s%s%s",
                       net_address_text(address, text), strerror(failed), advice_on(failed), why,
                       *why ? flag : "");
    }
    *ret = fd;
    return 0;
}

/* Answers go out as they are written; connections inherit it, as the next: what waits to be sent is
 * the server's to see, so that it knows that a slow client takes something. Else the kernel has
 * megabytes of it, and asks for more when a third of them is gone. Workers that share the socket
 * must not wait where another was faster. Of a socket of systemd's the unit says so itself
 * (NonBlocking=yes); if it did not, nobody else uses it while this server does, and systemd sets it
 * anew at each start.
 */
static void tune(int listener)
{
    const int one = 1, unsent = UNSENT;
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
}

/* The cell can neither write to the page nor make it shorter. */
static int make_ticks(struct serving *serving, struct err *err)
{
    serving->ticks = memfd_create("ticks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (serving->ticks >= 0 && ftruncate(serving->ticks, PAGE) == 0) {
        void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, serving->ticks, 0);
        if (page != MAP_FAILED) {
            serving->page = page;
            if (fcntl(serving->ticks, F_ADD_SEALS,
                      F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0)
                return 0;
        }
    }
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "no page to count time in: %s%s", strerror(errno),
                   advice_on(errno));
}

int serving_listen(struct serving *serving, const struct net_address *address, struct err *err)
{
    int fd = activated();
    if (fd >= 0 ? take_over(serving, fd, err)
                : listen_at(address, "--addr", &serving->listener, err))
        return -1;
    tune(serving->listener);
    struct net_address local;
    if (socket_local(serving->listener, &local))
        net_address_text(&local, serving->address);
    else
        snprintf(serving->address, sizeof serving->address, "a socket of systemd's");
    return 0;
}

/* --- Being watched -------------------------------------------------------------------------------
 */

int serving_watch(struct serving *serving, const struct net_address *address, struct err *err)
{
    struct net_address local;
    if (listen_at(address, "--metrics", &serving->watch, err))
        return -1;
    tune(serving->watch);
    if (socket_local(serving->watch, &local))
        net_address_text(&local, serving->watch_at);
    serving->counters = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (serving->counters >= 0 &&
        ftruncate(serving->counters, PROTOCOL_COUNTERS * PROTOCOL_WORKERS) == 0 &&
        fcntl(serving->counters, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return 0;
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "no pages to count in: %s%s", strerror(errno),
                   advice_on(errno));
}

/* A terminal or a device is nothing that a cell may have. */
int serving_log(struct serving *serving, const char *path, struct err *err)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot open the access log %s: %s%s", path,
                       strerror(errno),
                       errno == ENXIO ? ": nobody reads this FIFO yet" : advice_on(errno));
    serving->log = fd;
    if (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode)))
        return 0;
    return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                   "the access log %s is neither a file nor a FIFO: name another with --access-log",
                   path);
}

/* --- TLS -----------------------------------------------------------------------------------------
 */

void serving_secure(struct serving *serving)
{
    serving->front = take_fd(&serving->listener);
}

/* A Unix socket that listens and that nobody finds. */
static int listen_within(struct serving *serving)
{
    serving->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (serving->listener < 0)
        return -1;
    serving->back = guardian_bind(serving->listener);
    return serving->back >= 0 ? listen(serving->listener, BACKLOG) : -1;
}

/* A connection to it. */
static int connect_within(const struct serving *serving)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", serving->back);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False: there is no room for it now. */
static bool pass_held(struct serving *serving, const struct tls *tls)
{
    if (serving->held[0] < 0)
        return true;
    if (serving->held[1] < 0)
        serving->held[1] = connect_within(serving);
    if (serving->held[1] < 0 || !tls_serve(tls, serving->held[0], serving->held[1]))
        return false;
    for (int i = 0; i < 2; i++)
        close(take_fd(&serving->held[i]));
    return true;
}

void serving_accept(struct serving *serving, const struct tls *tls)
{
    for (int i = 0; i < ACCEPTS && pass_held(serving, tls); i++) {
        serving->held[0] = accept4(serving->front, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (serving->held[0] < 0)
            return;
    }
    pass_held(serving, tls);
}

int serving_open(struct serving *serving, struct err *err)
{
    if (serving->front >= 0 && listen_within(serving))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no socket for what TLS decrypts: %s%s",
                       strerror(errno), advice_on(errno));
    if (pipe2(serving->leave, O_CLOEXEC))
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no pipe: %s%s", strerror(errno),
                       advice_on(errno));
    return make_ticks(serving, err);
}

bool serving_leave(struct serving *serving)
{
    if (serving->leave[1] < 0)
        return false;
    close(take_fd(&serving->leave[1]));
    if (serving->front >= 0)
        close(take_fd(&serving->front));
    return true;
}

void serving_tick(struct serving *serving, uint64_t now)
{
    uint32_t before = *serving->page, tick = (uint32_t)(now >> SERVING_TICK_SHIFT);
    *serving->page = tick;
    if (!serving->rests || before == 0 || before == tick)
        return;
    serving->rests();
    serving->rests = NULL;
}

void serving_close(struct serving *serving)
{
    int *const fds[] = {&serving->listener, &serving->leave[0], &serving->leave[1],
                        &serving->ticks,    &serving->front,    &serving->back,
                        &serving->held[0],  &serving->held[1]};
    for (size_t i = 0; i < countof(fds); i++)
        if (*fds[i] >= 0)
            close(take_fd(fds[i]));
    if (serving->page)
        munmap((void *)(uintptr_t)serving->page, PAGE);
    serving->page = NULL;
}
