/* The loop of the server; see serve.h. */
#include "engine/serve/copy.h"
#include "engine/serve/watch.h"

#include <errno.h>

#define SECOND UINT64_C(1000000000)

static const uint64_t times[CLOCKS] = {[CLOCK_IDLE] = SERVE_IDLE_TIME * SECOND,
                                       [CLOCK_HEAD] = SERVE_HEAD_TIME * SECOND,
                                       [CLOCK_END] = SERVE_END_TIME * SECOND,
                                       [CLOCK_LINGER] = SERVE_LINGER_TIME * SECOND};

/* --- The date -----------------------------------------------------------------------------------
 */

static void digits(char *to, unsigned count, unsigned number)
{
    while (count--) {
        to[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Days since 1970 to a date of the Gregorian calendar. */
static void civil(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    /* Counted from March, so that the leap day is a year's last. */
    uint64_t since = (uint64_t)(days + 719468);
    uint64_t era = since / 146097, of_era = since % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153;
    *ret_day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
    *ret_year = (unsigned)(year + era * 400 + (*ret_month <= 2));
}

struct str server_date(struct server *server)
{
    static const char weekdays[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds = sys_real_time().tv_sec;
    const size_t length = sizeof server->date - 1;
    if (seconds != server->date_at && seconds >= 0) {
        unsigned year, month, day, time = (unsigned)(seconds % 86400);
        civil(seconds / 86400, &year, &month, &day);
        memcpy(server->date, "---, 00 --- 0000 00:00:00 GMT", length);
        memcpy(server->date, weekdays + seconds / 86400 % 7 * 3, 3);
        digits(server->date + 5, 2, day);
        memcpy(server->date + 8, months + (month - 1) * 3, 3);
        digits(server->date + 12, 4, year);
        digits(server->date + 17, 2, time / 3600);
        digits(server->date + 20, 2, time / 60 % 60);
        digits(server->date + 23, 2, time % 60);
        server->date_at = seconds;
    }
    return (struct str){server->date, length};
}

/* --- Accepting ----------------------------------------------------------------------------------
 */

/* Does the socket have to be looked at? */
static void accept_or_not(struct server *server)
{
    bool want = !server->leaving && server->connections < SERVE_CONNECTIONS;
    if (want == server->accepting)
        return;
    const int listeners[] = {server->config->listener, server->config->watch};
    for (size_t i = 0; i < countof(listeners); i++) {
        if (listeners[i] < 0)
            continue;
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data = {.u64 = (uint64_t)listeners[i] << 2 | EVENT_LISTENER}};
        sys_watch(server->config->events, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listeners[i],
                  &event);
    }
    server->accepting = want;
}

static void accept_some(struct server *server, int listener)
{
    bool watching = listener == server->config->watch;
    for (int i = 0; i < SERVE_ACCEPTS && server->connections < SERVE_CONNECTIONS; i++) {
        int fd = sys_accept(listener);
        if (fd == -EAGAIN || fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
            return;
        if (fd >= 0)
            conn_new(server, fd, watching);
    }
}

/* No more requests; those at work are answered. */
static void leave(struct server *server)
{
    server->leaving = true;
    h2_leave(server);
    h2_flush(server);
    struct epoll_event none = {0};
    sys_watch(server->config->events, EPOLL_CTL_DEL, server->config->leave, &none);
    while (server->clocks[CLOCK_IDLE].first)
        conn_end(server->clocks[CLOCK_IDLE].first);
}

/* --- Time ---------------------------------------------------------------------------------------
 */

/* Its time is over. */
static void expire(struct conn *conn)
{
    if (conn->state == CONN_HEAD && !conn->server->copies) {
        conn->closing = true;
        conn->body_state = BODY_FAILED;
        conn_answer(conn, 408);
        conn->state = CONN_ENDING;
        conn_clock(conn, CLOCK_NONE);
        conn_go_on(conn);
    } else {
        conn_end(conn);
    }
}

/* Does the instance wait for its client, who takes nothing of the response, or sends nothing of
 * what it is to answer? A response that has begun may go with a body that comes now and then. */
static bool waits_for_client(const struct conn *conn)
{
    bool comes = conn->body_state == BODY_COMES || conn->body_state == BODY_TRAILS;
    return buffer_left(&conn->out) >= SERVE_OUTPUT || (!conn->answered && comes);
}

/* While others wait for an instance, nobody may hold one by being slow. */
static bool too_slow(struct server *server, struct seat *seat)
{
    const struct conn *conn = seat->conn;
    if (!server->clocks[CLOCK_QUEUE].first || !waits_for_client(conn)) {
        seat->slow_since = 0;
        return false;
    }
    uint64_t moved = conn->traffic - seat->slow_from;
    if (seat->slow_since && server->now - seat->slow_since < SERVE_SLOW_TIME * SECOND)
        return false;
    bool slow = seat->slow_since && moved < SERVE_SLOW_BYTES;
    seat->slow_since = server->now;
    seat->slow_from = conn->traffic;
    return slow;
}

/* Ends what has lasted too long. */
static void check_time(struct server *server)
{
    for (int clock = CLOCK_IDLE; clock < CLOCKS; clock++)
        for (struct conn *conn; (conn = server->clocks[clock].first) != NULL &&
                                server->now - conn->since >= times[clock];)
            expire(conn);
    copies_check(server);
    for (uint32_t i = 0; i < server->nseats && server->active; i++) {
        struct seat *seat = &server->seats[i];
        if (seat->conn && server->now >= seat->deadline) {
            struct conn *conn = seat->conn;
            watch_count(server, COUNTER_LATE, 1);
            seat_stop(server, seat, 504);
            conn_go_on(conn);
        } else if (seat->conn && too_slow(server, seat)) {
            struct conn *conn = seat->conn;
            watch_count(server, COUNTER_SLOW, 1);
            seat_stop(server, seat, 408);
            conn_go_on(conn);
        } else if (seat->conn && server->now >= seat->wake) {
            seat->woken = true;
        }
    }
}

/* Milliseconds until something has to be done, whatever happens. */
static int time_left(const struct server *server)
{
    uint64_t first = copies_first(server);
    if (server->again)
        return 0;
    if (server->clocks[CLOCK_QUEUE].first && first > server->now + SECOND)
        first = server->now + SECOND; /* somebody may be too slow */
    for (int clock = CLOCK_IDLE; clock < CLOCKS; clock++) {
        const struct conn *conn = server->clocks[clock].first;
        if (conn && conn->since + times[clock] < first)
            first = conn->since + times[clock];
    }
    for (uint32_t i = 0; i < server->nseats && server->active; i++) {
        const struct seat *seat = &server->seats[i];
        if (!seat->conn)
            continue;
        if (seat->woken)
            return 0;
        first = seat->deadline < first ? seat->deadline : first;
        first = seat->wake < first ? seat->wake : first;
    }
    if (first == UINT64_MAX)
        return -1;
    uint64_t now = sys_now();
    return first > now ? (int)((first - now) / 1000000 + 1) : 0;
}

/* --- The loop -----------------------------------------------------------------------------------
 */

void server_again(struct conn *conn)
{
    if (conn->again)
        return;
    conn->again = true;
    conn->next = conn->server->again;
    conn->server->again = conn;
}

static void conn_event(struct conn *conn, uint32_t events)
{
    if (conn->state == CONN_GONE)
        return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->readable = !conn->ended;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->hung_up = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        conn->writable = true;
    if (conn->seat) {
        conn_send(conn);
        conn->seat->woken = true;
    } else {
        conn_go_on(conn);
    }
}

static void handle(struct server *server, const struct epoll_event *event)
{
    switch (event->data.u64 & EVENT_MASK) {
    case EVENT_LISTENER: accept_some(server, (int)(event->data.u64 >> 2)); break;
    case EVENT_LEAVE: leave(server); break;
    case EVENT_OTHER:
        if (server->copies)
            copies_ended(server, (int)(event->data.u64 >> 2));
        else
            seats_wake(server, (int)(event->data.u64 >> 2));
        break;
    default: conn_event(event->data.ptr, event->events); break;
    }
}

static void run_woken(struct server *server)
{
    for (uint32_t i = 0; i < server->nseats && server->active; i++) {
        struct seat *seat = &server->seats[i];
        struct conn *conn = seat->conn;
        if (!conn || !seat->woken)
            continue;
        seat_run(server, seat);
        conn_go_on(conn);
    }
}

static void run_again(struct server *server)
{
    struct conn *conn = server->again;
    server->again = NULL;
    while (conn) {
        struct conn *next = conn->next;
        conn->again = false;
        conn_go_on(conn);
        conn = next;
    }
}

static void bury(struct server *server)
{
    while (server->gone) {
        struct conn *conn = server->gone;
        server->gone = conn->next;
        heap_give(&server->heap, conn);
    }
}

static int wait_for(struct server *server, struct epoll_event *ret)
{
    int timeout = time_left(server);
    return server->copy ? copy_wait(server, ret, SERVE_EVENTS, timeout)
                        : sys_wait(server->config->events, ret, SERVE_EVENTS, timeout);
}

void server_loop(struct server *server)
{
    static struct epoll_event events[SERVE_EVENTS];
    while (!server->leaving || server->connections || server->ncopies) {
        accept_or_not(server);
        int count = wait_for(server, events);
        server->now = sys_now();
        for (int i = 0; i < count; i++)
            handle(server, &events[i]);
        run_again(server);
        run_woken(server);
        check_time(server);
        if (!server->copies) /* which feed themselves */
            seats_feed(server);
        h2_flush(server);
        watch_flush(server);
        bury(server);
    }
}

int serve(const struct serve_config *config, struct err *err)
{
    static struct server server;
    server.config = config;
    server.date_at = -1;
    arena_init(&server.arena, config->memory, config->size);
    heap_init(&server.heap, &server.arena, config->size);
    chacha_seed(&server.random, config->seed);
    memset(config->seed, 0, RANDOM_SEED);
    if (seats_open(&server, err) || copies_open(&server, err))
        return -1;
    watch_open(&server);
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = EVENT_LEAVE}};
    int failed = sys_watch(config->events, EPOLL_CTL_ADD, config->leave, &event);
    if (failed < 0)
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "cannot wait for connections (errno %d): this is a mistake in carrel: please report it",
            -failed);
    server.now = sys_now();
    server_loop(&server);
    return 0;
}
