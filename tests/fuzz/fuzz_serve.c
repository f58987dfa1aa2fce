/* The server in a cell as clients reach it: connections of HTTP/1.1 and HTTP/2 from their first
 * byte on, without a component: what comes of a body is read and the request is answered. The
 * input's first byte says how; the rest are bytes of a connection, cut into reads; the server may
 * be told to leave meanwhile. What it asks of the kernel and of wasi:http is played here. */
#include "engine/serve/copy.h"
#include "engine/serve/watch.h"

#include <errno.h>
#include <stdlib.h>

#define MEMORY ((size_t)4 << 20)

static struct {
    const uint8_t *at;
    size_t left;
    uint8_t step; /* bytes of a read, at most; 0: as many as are asked for */
    bool leaves;  /* the server, in one of the first rounds */
    bool body;    /* bodies are read */
    bool waits;   /* requests wait before they are answered */
} input;

static uint64_t now;

int64_t sys_read(int fd, void *to, size_t len)
{
    (void)fd;
    if (input.step && len > input.step)
        len = input.step;
    if (len > input.left)
        len = input.left;
    memcpy(to, input.at, len);
    input.at += len;
    input.left -= len;
    return (int64_t)len;
}

/* What is written is looked at by the sanitizers only. */
int64_t sys_write(int fd, const void *from, size_t len)
{
    volatile uint8_t sum = 0;
    (void)fd;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)from)[i]);
    return (int64_t)len;
}

int sys_close(int fd)
{
    return fd < 0 ? -EBADF : 0;
}

int sys_shutdown(int fd, int how)
{
    (void)fd, (void)how;
    return 0;
}

int sys_watch(int events, int op, int fd, struct epoll_event *event)
{
    (void)events, (void)op, (void)fd, (void)event;
    return 0;
}

uint64_t sys_now(void)
{
    return now += 1000;
}

struct str server_date(struct server *server)
{
    (void)server;
    return str_of("Fri, 02 Jan 2026 03:04:05 GMT");
}

void server_again(struct conn *conn)
{
    (void)conn; /* the loop below looks again anyway */
}

/* --- What would be a component ------------------------------------------------------------------
 */

static struct conn *waiting[256];
static size_t nwaiting;

static void answer(struct conn *conn)
{
    uint8_t bytes[777];
    while (input.body && conn_body_read(conn, bytes, sizeof bytes) > 0)
        ;
    conn->seat = NULL;
    conn_answer(conn, 200);
    conn->state = CONN_ENDING;
}

void seat_take(struct server *server, struct conn *conn)
{
    static struct seat seat;
    (void)server;
    conn->state = CONN_ACTIVE;
    conn->seat = &seat;
    conn_body_begin(conn);
    conn->in.at += conn->head.size;
    if (input.waits && nwaiting < countof(waiting)) {
        waiting[nwaiting++] = conn;
        return;
    }
    answer(conn);
}

static void answer_waiting(void)
{
    for (size_t i = 0; i < nwaiting; i++) {
        answer(waiting[i]);
        conn_go_on(waiting[i]);
    }
    nwaiting = 0;
}

/* Requests get no processes here: fuzz_copy.c. */
void copies_take(struct conn *conn)
{
    (void)conn;
    abort();
}

/* --- A connection -------------------------------------------------------------------------------
 */

static void bury(struct server *server)
{
    while (server->gone) {
        struct conn *conn = server->gone;
        server->gone = conn->next;
        heap_give(&server->heap, conn);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct server server;
    static uint8_t *memory;
    static const struct serve_config config = {
        .requests = 4, .body = 100000, .log = -1, .watch = -1, .worker = 0};
    if (!memory)
        memory = aligned_alloc(ARENA_PAGE, MEMORY);
    if (!memory || !size)
        return 0;
    input.step = data[0] & 0x1f;
    input.leaves = data[0] & 0x20;
    input.body = data[0] & 0x40;
    input.waits = data[0] & 0x80;
    input.at = data + 1;
    input.left = size - 1;
    nwaiting = 0;
    memset(memory, 0, MEMORY);
    server = (struct server){.config = &config};
    arena_init(&server.arena, memory, MEMORY);
    heap_init(&server.heap, &server.arena, MEMORY);
    conn_new(&server, 7, false);
    struct conn *conn = NULL;
    for (int clock = CLOCK_IDLE; clock < CLOCKS && !conn; clock++)
        conn = server.clocks[clock].first;
    for (int rounds = 0; rounds < 64 && server.connections; rounds++) {
        if (input.leaves && rounds == (input.step & 3)) {
            server.leaving = true;
            h2_leave(&server);
        }
        h2_flush(&server);
        answer_waiting();
        if (conn && server.connections && conn->state != CONN_GONE) {
            conn->readable = !conn->ended;
            conn_go_on(conn);
        }
        h2_flush(&server);
    }
    if (conn && server.connections && conn->state != CONN_GONE)
        conn_end(conn);
    answer_waiting();
    bury(&server);
    if (server.connections)
        return 0;
    if (server.heap.used)
        abort(); /* something was not given back */
    return 0;
}
