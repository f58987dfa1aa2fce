/* Instances and the requests that they have; see server.h. Each has a store of its own, so that
 * what one does is out of the others' reach, and bringing it back is one copy. */
#include "engine/serve/watch.h"

#include "engine/wasi/clock.h"
#include "engine/wasi/http_trace.h"

#include <errno.h>

/* --- Making -------------------------------------------------------------------------------------
 */

/* Another instance, at rest. */
static int make(struct server *server, struct err *err)
{
    const struct serve_config *config = server->config;
    struct seat *seat = &server->seats[server->nseats];
    struct bytes left;
    if (config->make(config->data, server->nseats, &seat->instance, &left, err))
        return -1;
    bool once = config->narrow; /* it is copied with its process, and not brought back */
    if (!once && vm_image_size(seat->instance.vm) > left.len)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no room for an image of the component");
    if (once)
        vm_translate_all(seat->instance.vm);
    else
        seat->image = vm_image_make(seat->instance.vm, (void *)(uintptr_t)left.at);
    server->nseats++;
    seat->next = server->resting;
    server->resting = seat;
    return 0;
}

int seats_open(struct server *server, struct err *err)
{
    server->most = server->config->narrow ? 1 : server->config->requests;
    server->seats = heap_zeroed(&server->heap, server->most, sizeof *server->seats);
    if (!server->seats)
        return err_set(err, ERR_MEMORY, ERR_NOWHERE,
                       "no room for %u requests at once: give fewer with --max-requests",
                       server->most);
    return make(server, err);
}

/* One at rest, or NULL. */
static struct seat *at_rest(struct server *server)
{
    if (!server->resting && server->nseats < server->most) {
        struct err err = {0};
        if (make(server, &err))
            server->most = server->nseats;
    }
    return server->resting;
}

/* --- Ending -------------------------------------------------------------------------------------
 */

/* The request is over for the instance, which is at rest again; `spoilt`: it did not return. */
static void finish(struct server *server, struct seat *seat, bool spoilt)
{
    struct conn *conn = seat->conn;
    conn_settle(conn);
    if (conn->source)
        conn->source->conn = NULL;
    if (conn->sink)
        conn->sink->conn = NULL;
    conn->source = NULL;
    conn->sink = NULL;
    conn->seat = NULL;
    conn->state = CONN_ENDING;
    seat->conn = NULL;
    if (server->config->fresh || spoilt) {
        wasi_abandon(seat->instance.wasi);
        if (seat->image)
            vm_image_restore(seat->instance.vm, seat->image);
    } else {
        cm_call_free(seat->call);
    }
    seat->next = server->resting;
    server->resting = seat;
    server->active--;
}

void seat_stop(struct server *server, struct seat *seat, unsigned status)
{
    seat->conn->why = (uint16_t)status;
    finish(server, seat, /*spoilt=*/true);
}

/* --- Running ------------------------------------------------------------------------------------
 */

/* Asks the kernel about a descriptor that is no connection's: a pipe, a socket of the guest's. What
 * all instances want to know of it is asked at once. */
static void watch(struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLONESHOT,
                                .data = {.u64 = (uint64_t)fd << 2 | EVENT_OTHER}};
    for (uint32_t i = 0; i < server->nseats; i++) {
        const struct reactor *reactor = &server->seats[i].instance.wasi->reactor;
        for (size_t j = 0; server->seats[i].conn && j < reactor->count; j++)
            if (reactor->waits[j].fd == fd)
                event.events |= (uint32_t)reactor->waits[j].events;
    }
    int failed = sys_watch(server->config->events, EPOLL_CTL_ADD, fd, &event);
    if (failed == -EEXIST)
        failed = sys_watch(server->config->events, EPOLL_CTL_MOD, fd, &event);
    if (failed < 0) /* a file: it never has to wait */
        seats_wake(server, fd);
}

void seats_wake(struct server *server, int fd)
{
    for (uint32_t i = 0; i < server->nseats; i++) {
        struct seat *seat = &server->seats[i];
        const struct reactor *reactor = &seat->instance.wasi->reactor;
        for (size_t j = 0; seat->conn && j < reactor->count; j++)
            seat->woken = seat->woken || reactor->waits[j].fd == fd;
    }
}

/* It is blocked: what does it wait for? False: for nothing, so it would wait for ever. */
static bool note_waits(struct server *server, struct seat *seat)
{
    const struct reactor *reactor = &seat->instance.wasi->reactor;
    seat->wake = UINT64_MAX;
    for (size_t i = 0; i < reactor->count; i++) {
        const struct reactor_wait *wait = &reactor->waits[i];
        if (wait->until < seat->wake)
            seat->wake = wait->until;
        if (wait->fd >= 0 && wait->fd != seat->conn->fd && !server->copy)
            watch(server, wait->fd);
    }
    return reactor->count > 0;
}

static void trapped(struct server *server, struct seat *seat)
{
    const struct serve_config *config = server->config;
    const struct trap *trap = vm_trap(seat->instance.vm);
    config->trapped(config->data, seat->instance.vm);
    watch_count(server, trap->kind == TRAP_INTERRUPT ? COUNTER_LATE : COUNTER_TRAPS, 1);
    seat->conn->why = trap->kind == TRAP_INTERRUPT ? 504 : 500;
    finish(server, seat, /*spoilt=*/true);
}

static void run(struct server *server, struct seat *seat, uint64_t now)
{
    struct serve_instance *instance = &seat->instance;
    seat->woken = false;
    seat->began = now;
    instance->wasi->reactor.count = 0;
    if (instance->store->host_calls)
        cm_wake(instance->store, NULL);
    switch (fiber_run(instance->vm, instance->fiber)) {
    case FIBER_DONE: finish(server, seat, /*spoilt=*/false); break;
    case FIBER_BLOCKED:
        conn_push(seat->conn);
        if (!note_waits(server, seat)) {
            fiber_deadlock(instance->vm, instance->fiber);
            trapped(server, seat);
        }
        break;
    default: trapped(server, seat); break;
    }
}

void seat_run(struct server *server, struct seat *seat)
{
    run(server, seat, sys_now());
}

/* --- Beginning ----------------------------------------------------------------------------------
 */

/* What the guest is called with. False: no memory. */
static bool make_args(struct seat *seat, struct conn *conn)
{
    struct serve_instance *instance = &seat->instance;
    struct wasi *wasi = instance->wasi;
    const struct bytes text = buffer_text(&conn->in);
    struct http_source *source = request_source_new(wasi, conn);
    http_trace_take(&wasi->trace, &conn->head, text);
    seat->args.request =
        source ? incoming_request_new(wasi, &conn->head, text, conn->server->config->secure, source)
               : NULL;
    seat->args.outparam = seat->args.request ? response_outparam_new(wasi, &conn->exchange) : NULL;
    seat->call =
        seat->args.outparam ? cm_call_new(instance->store, instance->handle, &seat->args) : NULL;
    return seat->call != NULL;
}

static void begin(struct server *server, struct seat *seat, struct conn *conn)
{
    const struct serve_config *config = server->config;
    struct serve_instance *instance = &seat->instance;
    server->resting = seat->next;
    server->active++;
    seat->conn = conn;
    seat->slow_since = 0;
    conn->seat = seat;
    conn->state = CONN_ACTIVE;
    conn_body_begin(conn);
    if (config->seeds && config->fresh) {
        uint8_t seed[RANDOM_SEED];
        chacha_bytes(&server->random, seed, sizeof seed);
        wasi_seed(instance->wasi, seed);
    }
    bool ready = make_args(seat, conn);
    conn->in.at += conn->head.size;
    if (!ready) {
        seat_stop(server, seat, 503);
        return;
    }
    server->now = sys_now(); /* whoever ran before it in this round may have taken long */
    seat->deadline = deadline_after(server->now, config->time);
    if (config->ticks)
        vm_interrupt_at(instance->vm,
                        serve_tick_of(config->ticks, config->tick_shift, seat->deadline));
    fiber_begin(instance->vm, instance->fiber, cm_call_func(seat->call));
    run(server, seat, server->now);
}

/* The fields lie in a table that others use, too. */
static bool keep_fields(struct conn *conn)
{
    if (conn->fields)
        return true;
    size_t size = conn->head.nfields * sizeof *conn->fields;
    conn->fields = heap_take(&conn->server->heap, size);
    if (!conn->fields)
        return false;
    memcpy(conn->fields, conn->head.fields, size);
    conn->head.fields = conn->fields;
    return true;
}

void seat_take(struct server *server, struct conn *conn)
{
    struct seat *seat = server->clocks[CLOCK_QUEUE].first ? NULL : at_rest(server);
    if (seat) {
        begin(server, seat, conn);
        return;
    }
    conn->state = CONN_QUEUED;
    if (!keep_fields(conn)) {
        conn->closing = true;
        conn->body_state = BODY_FAILED;
        conn_answer(conn, 503);
        conn->state = CONN_ENDING;
        return;
    }
    conn_clock(conn, CLOCK_QUEUE);
}

void seats_feed(struct server *server)
{
    struct conn *conn;
    while ((conn = server->clocks[CLOCK_QUEUE].first) != NULL && at_rest(server)) {
        conn_clock(conn, CLOCK_NONE);
        begin(server, server->resting, conn);
        conn_go_on(conn);
    }
}
