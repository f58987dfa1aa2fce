/* How a server that gives each request a process looks at connections: a socket for a client, and
 * no process ever, as all that there may be are busy. */
#include "tests/unit/unit.h"

#include "engine/serve/copy.h"
#include "engine/wasi/sys.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY ((size_t)4 << 20)

static const struct serve_config config = {.requests = 0, .watch = -1, .log = -1};

struct scene {
    struct serve_config config;
    struct server server;
    void *memory;
    int client;
    struct conn *conn;
};

static int set_up(void **state)
{
    int pair[2];
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    scene->memory = aligned_alloc(ARENA_PAGE, MEMORY);
    assert_non_null(scene->memory);
    memset(scene->memory, 0, MEMORY);
    scene->config = config;
    scene->config.events = epoll_create1(EPOLL_CLOEXEC);
    struct server *server = &scene->server;
    server->config = &scene->config;
    arena_init(&server->arena, scene->memory, MEMORY);
    heap_init(&server->heap, &server->arena, MEMORY);
    server->copies = heap_take(&server->heap, 1); /* there are some, of which none is free */
    scene->client = pair[0];
    conn_new(server, pair[1], false);
    scene->conn = server->clocks[CLOCK_IDLE].first;
    assert_non_null(scene->conn);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    conn_end(scene->conn); /* nothing, if it has ended */
    close(scene->client);
    close(scene->config.events);
    free(scene->memory);
    free(scene);
    return 0;
}

/* The client sends, and the server is told that something came. */
static enum conn_state send_to(struct scene *scene, const char *text, size_t len)
{
    assert_int_equal(write(scene->client, text, len), len);
    scene->conn->readable = true;
    conn_go_on(scene->conn);
    return scene->conn->state;
}

static void whole(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char taken[sizeof head];
    struct scene *scene = *state;
    assert_int_equal(send_to(scene, head, sizeof head - 1), CONN_QUEUED);
    /* It is there for the process that is to read it. */
    assert_int_equal(read(scene->conn->fd, taken, sizeof taken), sizeof head - 1);
}

/* Byte by byte, as long as it costs little. */
static void pieces(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct scene *scene = *state;
    for (size_t i = 0; i + 1 < sizeof head; i++)
        assert_int_equal(send_to(scene, head + i, 1),
                         i + 2 < sizeof head ? CONN_HEAD : CONN_QUEUED);
}

/* Each piece has the server look at all before it: pieces too small for what came end it. */
static void endless(void **state)
{
    static char piece[50000];
    struct scene *scene = *state;
    memset(piece, 'a', sizeof piece);
    assert_int_equal(send_to(scene, piece, sizeof piece), CONN_HEAD);
    for (uint64_t looked = 2 * sizeof piece; looked <= SERVE_LOOKED; looked += sizeof piece)
        assert_int_equal(send_to(scene, piece, 0), CONN_HEAD);
    assert_int_equal(send_to(scene, piece, 0), CONN_GONE);
}

/* In pieces of a packet a head may be as long as heads may be. */
static void packets(void **state)
{
    static char piece[512];
    struct scene *scene = *state;
    enum conn_state is = CONN_HEAD;
    memset(piece, 'a', sizeof piece);
    for (size_t sent = 0; sent < HTTP_MAX_HEAD; sent += sizeof piece) {
        assert_int_equal(is, CONN_HEAD);
        is = send_to(scene, piece, sizeof piece);
    }
    assert_int_equal(is, CONN_QUEUED); /* too long: whoever reads it says so */
}

static void hangs_up(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(send_to(scene, "GET", 3), CONN_HEAD);
    scene->conn->hung_up = true;
    assert_int_equal(send_to(scene, " ", 1), CONN_QUEUED);
}

/* Another process has it open still; what comes to it then is nothing to its server. */
static void forgotten(void **state)
{
    struct epoll_event event;
    struct scene *scene = *state;
    int other = dup(scene->conn->fd);
    assert_true(other >= 0);
    assert_int_equal(send_to(scene, "GET", 3), CONN_HEAD);
    assert_int_equal(epoll_wait(scene->config.events, &event, 1, 0), 1);
    conn_end(scene->conn);
    assert_int_equal(write(scene->client, " ", 1), 1);
    assert_int_equal(epoll_wait(scene->config.events, &event, 1, 0), 0);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(endless, set_up, tear_down),
        cmocka_unit_test_setup_teardown(packets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hangs_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
