/* Processes for requests; see copy.h. What a copy may still do is policies/syscall.h's
 * RULES_NOT_IN_COPIES. */
#include "engine/serve/copy.h"
#include "engine/serve/watch.h"

#include "engine/wasi/ask.h"
#include <errno.h>
#include <linux/filter.h>

#define SECOND      UINT64_C(1000000000)
#define MILLISECOND UINT64_C(1000000)

/* A request's process, as the server knows it. */
struct copy {
    int pidfd;
    uint64_t deadline; /* as sys_now */
};

/* What a process asks must not be answered to another, so each gets a line; where nothing can be
 * made for the component, the line only carries what is told, and they share one. */
int copies_open(struct server *server, struct err *err)
{
    if (!server->config->narrow)
        return 0;
    struct wasi *wasi = server->seats[0].instance.wasi;
    const struct wasi_network *may = &wasi->network;
    server->line = -1;
    server->retry = UINT64_MAX;
    server->lines = may->tcp || may->connect || may->listen || may->udp || may->names || may->http;
    if (!server->lines && ask_line(wasi, &server->line))
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no line for what requests tell: raise the limit on open files (ulimit -n)");
    server->copies = heap_zeroed(&server->heap, server->config->requests + SERVE_COPIES_BESIDE,
                                 sizeof *server->copies);
    return server->copies ? 0
                          : err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for %u requests at once",
                                    server->config->requests);
}

/* --- The copy -----------------------------------------------------------------------------------
 */

/* Gives back every descriptor that is another request's, or the server's. */
static void give_up(const struct serve_config *config, int kept, int line)
{
    const int own[] = {config->listener, config->events, config->leave, config->watch};
    bool failed = sys_own_line(line) < 0;
    for (size_t i = 0; i < countof(own); i++)
        if (own[i] >= 0)
            failed = sys_close(own[i]) < 0 || failed;
    if (kept > config->free)
        failed = sys_close_all((unsigned)config->free, (unsigned)kept - 1) < 0 || failed;
    failed = sys_close_all((unsigned)kept + 1, UINT32_MAX) < 0 || failed;
    const struct sock_fprog filter = {
        .len = (unsigned short)config->narrow_count,
        .filter = (struct sock_filter *)(uintptr_t)config->narrow,
    };
    if (failed || sys_narrow(&filter) < 0)
        sys_end();
}

/* Becomes the process of this connection's next request, which is its last. */
static _Noreturn void become(struct server *server, struct conn *conn, int line,
                             const uint8_t seed[RANDOM_SEED])
{
    give_up(server->config, conn->fd, line);
    chacha_seed(&server->random, seed);
    server->copies = NULL;
    server->ncopies = 0;
    server->copy = conn;
    server->leaving = true;
    server->accepting = false;
    server->connections = 1;
    server->again = server->gone = NULL;
    memset(server->clocks, 0, sizeof server->clocks);
    conn->clock = CLOCK_NONE;
    conn->state = CONN_IDLE;
    conn->readable = true;
    conn_clock(conn, CLOCK_IDLE);
    conn_go_on(conn);
    server_loop(server);
    watch_flush(server);
    sys_end();
}

int copy_wait(struct server *server, struct epoll_event *ret, int room, int timeout)
{
    struct conn *conn = server->copy;
    const struct seat *seat = &server->seats[0];
    struct reactor *reactor = &seat->instance.wasi->reactor;
    struct poll_set *set = &reactor->set;
    short wanted = (short)((conn->readable || conn->ended ? 0 : POLLIN) |
                           (conn->writable ? 0 : POLLOUT) | (conn->hung_up ? 0 : POLLRDHUP));
    poll_set_clear(set);
    bool asked = !wanted || poll_set_add(set, reactor->heap, conn->fd, wanted);
    for (size_t i = 0; seat->conn && i < reactor->count; i++)
        if (reactor->waits[i].fd >= 0 && reactor->waits[i].fd != conn->fd)
            asked =
                poll_set_add(set, reactor->heap, reactor->waits[i].fd, reactor->waits[i].events) &&
                asked;
    /* Without memory to ask with, everybody looks for themselves. */
    poll_set_run(set, !asked ? 0 : timeout < 0 ? UINT64_MAX : (uint64_t)timeout * 1000000);
    int count = 0;
    if (!asked)
        ret[count++] = (struct epoll_event){.events = EPOLLIN | EPOLLOUT, .data = {.ptr = conn}};
    for (size_t i = 0; i < set->count && count < room; i++) {
        const struct pollfd *poll = &set->polls[i];
        if (!poll->revents)
            continue;
        ret[count].events = (uint16_t)poll->revents;
        if (poll->fd == conn->fd)
            ret[count].data.ptr = conn;
        else
            ret[count].data.u64 = (uint64_t)poll->fd << 2 | EVENT_OTHER;
        count++;
    }
    return count;
}

/* --- The server ---------------------------------------------------------------------------------
 */

/* Whoever asks for numbers is not kept waiting by requests. */
static bool room_for(const struct server *server, const struct conn *conn)
{
    return server->ncopies < server->config->requests + (conn->watching ? SERVE_COPIES_BESIDE : 0);
}

/* Is there no process because others have not quite ended (what counts them lags behind), or for
 * want of what comes back? */
static bool passes(int error)
{
    return error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static void watch_copy(struct server *server, int pidfd)
{
    const struct serve_config *config = server->config;
    uint64_t longest = SERVE_COPY_TIME * SECOND;
    struct epoll_event event = {.events = EPOLLIN,
                                .data = {.u64 = (uint64_t)pidfd << 2 | EVENT_OTHER}};
    server->copies[server->ncopies++] =
        (struct copy){pidfd, deadline_after(deadline_after(server->now, config->time), longest)};
    sys_watch(config->events, EPOLL_CTL_ADD, pidfd, &event);
}

/* Makes a process for its request. If there can be none, the connection ends; false: if there can
 * be none yet, and it is worth a try later. */
static bool copy(struct server *server, struct conn *conn)
{
    uint8_t seed[RANDOM_SEED];
    int line = server->line, pidfd = -1;
    chacha_bytes(&server->random, seed, sizeof seed);
    int made = server->lines ? ask_line(server->seats[0].instance.wasi, &line) : 0;
    if (made == 0 && (made = sys_copy(&pidfd)) == 0)
        become(server, conn, line, seed);
    memset(seed, 0, sizeof seed);
    if (server->lines && line >= 0)
        sys_close(line);
    if (passes(made) && conn->tried++ < SERVE_COPY_TRIES)
        return false;
    conn_end(conn); /* from now on it is the copy's */
    if (made > 0)
        watch_copy(server, pidfd);
    return true;
}

static void feed(struct server *server)
{
    struct conn *conn;
    while ((conn = server->clocks[CLOCK_QUEUE].first) != NULL && room_for(server, conn))
        if (!copy(server, conn)) {
            server->retry = server->now + SERVE_COPY_PAUSE * MILLISECOND;
            break;
        }
}

/* Is there an empty line in it, which ends a head? */
static bool head_ends(const uint8_t *text, size_t len)
{
    const uint8_t *end = text + len;
    while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
        text++;
        if ((text < end && *text == '\n') || (end - text > 1 && text[0] == '\r' && text[1] == '\n'))
            return true;
    }
    return false;
}

/* Looks at what has come of its head, from its first byte on: the kernel tells it in no other way.
 * True: it is whole, or will not become so. */
static bool head_came(struct conn *conn)
{
    static uint8_t peeked[HTTP_MAX_HEAD];
    int64_t count = sys_peek(conn->fd, peeked, sizeof peeked);
    if (count == -EAGAIN) {
        conn->readable = false;
        return false;
    }
    if (count <= 0) {
        conn_end(conn);
        return false;
    }
    bool whole = count == sizeof peeked || conn->hung_up || head_ends(peeked, (size_t)count);
    memset(peeked, 0,
           (size_t)count);  /* nothing of it is to be found in other requests' processes */
    conn->readable = false; /* until more comes */
    conn->looked += (uint64_t)count;
    if (whole)
        return true;
    if (conn->looked > SERVE_LOOKED) {
        conn_end(conn);
    } else if (conn->state == CONN_IDLE) {
        conn->state = CONN_HEAD;
        conn_clock(conn, CLOCK_HEAD);
    }
    return false;
}

/* Its head came: it gets a process, or waits for one. */
static void take(struct server *server, struct conn *conn)
{
    if (!conn->watching) {
        conn->state = CONN_QUEUED;
        conn_clock(conn, CLOCK_QUEUE);
        feed(server);
    } else if (!room_for(server, conn) || !copy(server, conn)) {
        conn_end(conn);
    }
}

void copies_take(struct conn *conn)
{
    if ((conn->state != CONN_IDLE && conn->state != CONN_HEAD) || !conn->readable)
        return;
    if (head_came(conn))
        take(conn->server, conn);
    else if (conn->state != CONN_GONE && !conn_listen(conn))
        conn_end(conn);
}

void copies_ended(struct server *server, int pidfd)
{
    struct epoll_event none = {0};
    for (uint32_t i = 0; i < server->ncopies; i++) {
        if (server->copies[i].pidfd != pidfd)
            continue;
        sys_watch(server->config->events, EPOLL_CTL_DEL, pidfd, &none);
        sys_close(pidfd);
        server->copies[i] = server->copies[--server->ncopies];
        break;
    }
    feed(server);
}

void copies_check(struct server *server)
{
    if (!server->copies)
        return;
    for (uint32_t i = 0; i < server->ncopies; i++) {
        struct copy *copy = &server->copies[i];
        if (server->now < copy->deadline)
            continue;
        sys_end_copy(copy->pidfd);
        copy->deadline = UINT64_MAX;
    }
    if (server->now >= server->retry) {
        server->retry = UINT64_MAX;
        feed(server);
    }
}

uint64_t copies_first(const struct server *server)
{
    if (!server->copies)
        return UINT64_MAX;
    uint64_t first = server->retry;
    for (uint32_t i = 0; i < server->ncopies; i++)
        if (server->copies[i].deadline < first)
            first = server->copies[i].deadline;
    return first;
}
