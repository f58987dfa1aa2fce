/* The row of wasi:http/outgoing-handler under its own filter; see rules_fixture.h. The shim's side
 * is played by a process of its own with the shim's code; the server is another. */
#include "engine/wasi/http.h"
#include "shim/network.h"
#include "tests/unit/rules_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct network network;
static struct plan plan;

/* Every process that is made here ends with the one that made it, which a filter may kill at any
 * time, and holds nothing of it meanwhile. */
static void leave_with_parent(int keep)
{
    alarm(20);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 0; fd < 256; fd++)
        if (fd != keep)
            close(fd);
}

static _Noreturn void answer_all(int socket)
{
    static struct message_counts counts;
    static union message message;
    struct net_rule rule;
    struct err err = {0};
    leave_with_parent(socket);
    CLAIM(net_origin_rule_read("http://127.0.0.1:*", &rule, &err) == 0);
    plan_add(&plan, OPERATION_GRANTED, false)->of.granted.capabilities = CAPABILITY(HTTP_OUT);
    plan_add(&plan, OPERATION_NET_RULE, false)->of.net_rule.rule = &rule;
    network_open(&network, &plan, "test", NULL);
    for (;;) {
        struct network_answer answer;
        ssize_t size = recv(socket, &message, sizeof message, 0);
        if (size <= 0 || protocol_judge(&counts, STATE_RUN, &message, (size_t)size))
            _exit(0);
        if (!network_asks(message.kind))
            continue;
        network_answer(&network, &message, (size_t)size, 0, &answer);
        network_send(socket, &answer);
    }
}

static _Noreturn void serve(int listener)
{
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: "
                                   "close\r\n\r\nbody";
    char request[4096];
    leave_with_parent(listener);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        ssize_t size = read(connection, request, sizeof request);
        usleep(50000); /* whoever asked has to wait */
        if (size > 0)
            CLAIM(write(connection, response, sizeof response - 1) > 0);
        close(connection);
    }
}

/* A server on a port of its own. */
static uint16_t upstream(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CLAIM(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 8) == 0);
    CLAIM(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
    if (fork() == 0)
        serve(listener);
    close(listener);
    return ntohs(at.sin_port);
}

static void with_network(struct fixture *f)
{
    int pair[2];
    CLAIM(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    if (fork() == 0)
        answer_all(pair[0]);
    close(pair[0]);
    CLAIM(dup2(pair[1], PROTOCOL_SOCKET) == PROTOCOL_SOCKET);
    close(pair[1]);
    f->wasi->network = (struct wasi_network){.shim = PROTOCOL_SOCKET, .http = true};
}

static uint64_t result[64];

static void call(struct fixture *f, host_fn *fn, const void *args)
{
    memset(result, 0, sizeof result);
    CLAIM(fixture_call(f, fn, args, result) == HOST_DONE);
}

static void *made(void)
{
    void *resource;
    memcpy(&resource, result, sizeof resource);
    return resource;
}

/* Waits as the reactor of a cell would. */
static void wait_for(const struct future_response *future)
{
    struct stream_wait wait = future->ops->future.wait((void *)(uintptr_t)future);
    struct pollfd poll = {wait.fd, wait.events, 0};
    CLAIM(sys_poll(&poll, 1, UINT64_MAX) == 1);
}

static struct outgoing_request *request_to(struct fixture *f, uint16_t port)
{
    char authority[32];
    struct {
        void *self;
        HOST_OPTION(struct {
            uint8_t tag;
            struct str other;
        })
        scheme;
    } scheme = {.scheme = {.some = true}};
    struct {
        void *self;
        HOST_OPTION(struct str) authority;
    } where = {.authority = {.some = true}};
    snprintf(authority, sizeof authority, "127.0.0.1:%u", (unsigned)port);
    where.authority.of = str_of(authority);
    call(f, wasi_http_fields_new, NULL);
    void *headers = made();
    call(f, wasi_http_outgoing_request_new, &headers);
    struct outgoing_request *request = scheme.self = where.self = made();
    call(f, wasi_http_outgoing_request_set_scheme, &scheme);
    call(f, wasi_http_outgoing_request_set_authority, &where);
    return request;
}

static struct incoming_response *send_to(struct fixture *f, struct outgoing_request *request)
{
    struct {
        void *request;
        HOST_OPTION(void *) options;
    } handle = {.request = request};
    call(f, wasi_http_outgoing_handle, &handle);
    HOST_RESULT(struct future_response *, struct http_failure) *handled = (void *)result;
    CLAIM(handled->tag == HOST_OK);
    struct future_response *future = handled->ok;
    do /* at least once, however quick the server is: waiting is among what is tried */
        wait_for(future);
    while (!future->ops->future.ready(f->wasi, future));
    struct http_failure why;
    struct incoming_response *response = future->ops->get(f->wasi, future, &why);
    wasi_drop_http_future_incoming_response(f->vm, f->wasi, future);
    return response;
}

/* Asks, waits, reads, and closes: all that a connection is for. */
static void row_http_outgoing_handle(struct fixture *f)
{
    uint16_t port = upstream();
    with_network(f);
    size_t resources = f->wasi->resources;
    struct outgoing_request *request = request_to(f, port);
    walls_up();
    struct incoming_response *response = send_to(f, request);
    CLAIM(response && response->status == 200);
    struct http_source *source = response->message.source;
    char body[16];
    int64_t got;
    while ((got = source->ops->read(f->wasi, source, body, sizeof body)) == -EAGAIN)
        continue;
    CLAIM(got == 4 && memcmp(body, "body", 4) == 0);
    CLAIM(source->ops->read(f->wasi, source, body, sizeof body) == 0);
    wasi_drop_http_incoming_response(f->vm, f->wasi, response);
    CLAIM(f->wasi->resources == resources);
}

static const struct scenario scenarios[] = {
    {ROW_http_outgoing_handle, row_http_outgoing_handle},
};

RULES_MAIN(scenarios)
