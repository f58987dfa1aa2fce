/* The life of one cell. The handlers below are the only code of the shim that sees what a cell
 * sent; protocol_judge has checked kind, size, state and number before. */
#include "shim/cell.h"

#include "engine/base/deadline.h"
#include "policies/printable.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/moment.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* A cell that has an order builds its walls in a moment, unless the machine is very busy. */
#define LOCKING_TIME UINT64_C(30000000000)

/* Of one cell before the shim looks at the others again. */
#define MESSAGES_AT_ONCE 16

uint64_t cell_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void cell_start(struct cell *cell)
{
    memset(cell, 0, offsetof(struct cell, grants));
    grants_start(&cell->grants);
    network_start(&cell->network);
    lines_start(&cell->lines);
    cell->state = STATE_WAITING;
    cell->process = (struct launched){-1, -1, -1, -1};
    cell->cgroups = cgroups_none();
    cell->deadline = UINT64_MAX;
    memset(&cell->outcome, 0, offsetof(struct outcome, frames)); /* which are as many as counted */
}

int cell_launch(struct cell *cell, struct shim *shim, const struct plan *plan, struct err *err)
{
    cell_start(cell);
    if (launch(shim, plan, &cell->cgroups, &cell->outcome.walls, &cell->process, err)) {
        cgroups_remove_patiently(&cell->cgroups);
        return -1;
    }
    return 0;
}

int cell_order(struct cell *cell, const struct plan *plan, const struct component *component,
               struct err *err)
{
    cell->plan = plan;
    cell->component = component;
    if (component_check(component, err))
        return -1;
    cell->outcome.walls.standing |= WALL_BIT(WALL_SEALED_COMPONENT);
    for (size_t i = 0; i < plan->count; i++) {
        if (operation_infos[plan->at[i].kind].phase == PHASE_GRANT &&
            grants_make(&cell->grants, &plan->at[i], cell->process.pid, &cell->outcome.walls, err))
            return -1;
    }
    if (order_make(plan, component, &cell->order, err))
        return -1;
    network_open(&cell->network, plan, component->name, cell->log);
    if (cell->grants.count != cell->order.head.grants)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "grants were made that are not handed over: this is a mistake in carrel: "
                       "please report it");
    cell->state = cell->order.head.role == ROLE_READER     ? STATE_READER_LOCKING
                  : cell->order.head.role == ROLE_RESOLVER ? STATE_RESOLVER_LOCKING
                  : cell->order.head.role == ROLE_TLS      ? STATE_TLS_LOCKING
                                                           : STATE_RUN_LOCKING;
    cell->deadline = deadline_after(cell_now(), LOCKING_TIME);
    cell_send(cell);
    return 0;
}

void cell_send(struct cell *cell)
{
    if (cell->ordered)
        return;
    int sent = order_send(&cell->order, cell->process.socket, cell->component, &cell->grants);
    if (sent == 0)
        return;
    /* All sent; or the cell is dead, and its pidfd says so; or it would wait for ever. */
    if (sent < 0 && errno != EPIPE && errno != ECONNRESET) {
        outcome_fail(&cell->outcome, ERR_FAULT, ERR_NOWHERE,
                     "cannot hand the cell its order: sendmsg: %s%s", strerror(errno),
                     advice_on(errno));
        cell_kill(cell);
    }
    cell->ordered = true;
    grants_close(&cell->grants);
    order_free(&cell->order);
}

void cell_kill(struct cell *cell)
{
    if (cell_gone(cell))
        return;
    syscall(SYS_pidfd_send_signal, cell->process.pidfd, SIGKILL, NULL, 0);
    cgroups_release(&cell->cgroups);
}

/* The cell did what no honest engine does. */
static void condemn(struct cell *cell, const char *what)
{
    outcome_fail(&cell->outcome, ERR_KILLED, ERR_NOWHERE,
                 "the cell was killed because it sent %s; the component may have taken over its "
                 "engine: take it for hostile",
                 what);
    cell_kill(cell);
}

/* The walls of phases START and LOCKDOWN stand, but for those in `missing`. */
static void note_walls(struct cell *cell, wall_set missing)
{
    for (size_t i = 0; i < cell->plan->count; i++) {
        const struct operation *operation = &cell->plan->at[i];
        const struct operation_info *info = &operation_infos[operation->kind];
        if (info->phase != PHASE_START && info->phase != PHASE_LOCKDOWN)
            continue;
        if (wall_in(missing, info->wall))
            walls_failed(&cell->outcome.walls, operation, "", 0, NULL);
        else
            walls_built(&cell->outcome.walls, operation);
    }
}

static void on_ready(struct cell *cell, const struct message_ready *ready)
{
    if (ready->missing & ~cell->order.head.may_miss) {
        condemn(cell, "that walls are missing which may not be");
        return;
    }
    note_walls(cell, ready->missing);
    cell->state = cell->state == STATE_READER_LOCKING     ? STATE_READER
                  : cell->state == STATE_RESOLVER_LOCKING ? STATE_RESOLVER
                  : cell->state == STATE_TLS_LOCKING      ? STATE_TLS
                                                          : STATE_RUN;
    cell->deadline = deadline_after(cell_now(), cell->leaving ? cell->grace : cell->order.time);
}

static void on_refused(struct cell *cell, const struct message_refused *refused)
{
    char call[sizeof refused->call + 1];
    snprintf(call, sizeof call, "%.*s", (int)sizeof refused->call, refused->call);
    struct err err = {0};
    if (refused->wall < WALL_COUNT)
        walls_refuse((enum wall)refused->wall, call, (int)refused->error, &err);
    else
        err_set(&err, ERR_FAULT, ERR_NOWHERE, "the cell could not start: %s: %s%s", call,
                strerror((int)refused->error), advice_on_start(call, (int)refused->error));
    outcome_fail(&cell->outcome, err.kind, err.offset, "%s", err.text);
    cell->state = STATE_ENDED;
    cell_kill(cell);
}

static void on_demand(struct cell *cell, const struct message_demand *demand)
{
    struct err err = {0};
    cell->state = STATE_ENDED;
    if (demand->size > sizeof demand->answer || !cell->demand) {
        condemn(cell, "a demand that nobody asked for");
        return;
    }
    if (demand_parse((struct bytes){demand->answer, demand->size}, cell->demand, &err))
        outcome_fail(&cell->outcome, err.kind, err.offset, "%s", err.text);
    else
        cell->answered = true;
    cell_kill(cell); /* it has nothing more to do */
}

static void on_exit_code(struct cell *cell, const struct message_exit *ended)
{
    outcome_exit(&cell->outcome, ended->code);
    cell->state = STATE_ENDED;
    cell_kill(cell);
}

/* Numbers only: which of them may be believed is the network's business. */
static void on_resolved(struct cell *cell, const struct message_resolved *resolved)
{
    cell->state = STATE_ENDED;
    cell->resolved = *resolved;
    cell->answered = true;
    cell_kill(cell);
}

/* What a component may be the cause of; anything else that is claimed is carrel's own fault. */
static enum err_kind believable(uint32_t kind)
{
    switch (kind) {
    case ERR_MALFORMED:
    case ERR_INVALID:
    case ERR_UNLINKABLE:
    case ERR_LIMIT:
    case ERR_DENIED:
    case ERR_TRAP:
    case ERR_EXHAUSTED:
    case ERR_MEMORY:
    case ERR_USAGE: return (enum err_kind)kind;
    default: return ERR_FAULT;
    }
}

static void on_failure(struct cell *cell, const struct message_failure *failure)
{
    outcome_fail(&cell->outcome, believable(failure->error), failure->offset, "%.*s",
                 (int)strnlen(failure->text, sizeof failure->text), failure->text);
    cell->state = STATE_ENDED;
    cell_kill(cell);
}

static void on_trap(struct cell *cell, const struct message_trap *trap)
{
    outcome_trap(&cell->outcome, trap);
    cell->state = STATE_ENDED;
    cell_kill(cell);
}

/* It goes on: nothing is known about its end. */
void cell_request_trap(struct cell *cell, const struct message_request_trap *request)
{
    static struct message_trap trap;
    static struct outcome outcome;
    char file[512], text[sizeof outcome.why.text * 4];
    if (cell->request_traps++ >= PROTOCOL_REQUEST_TRAPS)
        return;
    trap = (struct message_trap){.trap = request->trap};
    memcpy(trap.text, request->text, sizeof trap.text);
    outcome = (struct outcome){0};
    outcome_trap(&outcome, &trap);
    moment_say("carrel: %s: a request ended in a trap: %s\n",
               printable(file, sizeof file, str_of(cell->component->name)),
               printable(text, sizeof text, str_of(outcome.why.text)));
}

/* What the component calls its functions may hold anything. */
static void on_trace(struct cell *cell, const struct message_trace *trace)
{
    char line[4 * sizeof trace->text];
    if (!cell->order.head.traced) {
        condemn(cell, "instructions that nobody had asked for");
        return;
    }
    printable(line, sizeof line,
              (struct str){trace->text, strnlen(trace->text, sizeof trace->text)});
    moment_say("carrel: trace: %s\n", line);
}

/* A server asks for a line as often as requests come, so that costs little. */
static void make_line(struct cell *cell, struct network_answer *answer)
{
    *answer = network_no_answer();
    network_charge(&cell->network, 1);
    int made = lines_open(&cell->lines, &answer->fd);
    answer->message.error = made < 0 ? (uint32_t)-made : 0;
}

static void on_question(struct cell *cell, const union message *message, size_t size)
{
    struct network_answer answer;
    if (message->kind != MESSAGE_ASK_LINE) {
        network_answer(&cell->network, message, size, cell_now(), &answer);
    } else if (cell->order.head.isolation == ISOLATION_PROCESS) {
        make_line(cell, &answer);
    } else {
        condemn(cell, "a question that only a server with processes asks");
        return;
    }
    int error = network_send(cell->process.socket, &answer);
    if (error == EAGAIN) {
        condemn(cell, "questions without taking the answers");
    } else if (error) {
        outcome_fail(&cell->outcome, ERR_FAULT, ERR_NOWHERE, "cannot answer the cell: %s%s",
                     strerror(error), advice_on(error));
        cell_kill(cell);
    }
}

static void handle(struct cell *cell, const union message *message, size_t size)
{
    const char *wrong = protocol_judge(&cell->counts, cell->state, message, size);
    if (wrong) {
        condemn(cell, wrong);
        return;
    }
    if (network_asks(message->kind)) {
        on_question(cell, message, size);
        return;
    }
    switch ((enum message_kind)message->kind) {
    case MESSAGE_READY: on_ready(cell, &message->ready); break;
    case MESSAGE_REFUSED: on_refused(cell, &message->refused); break;
    case MESSAGE_DEMAND: on_demand(cell, &message->demand); break;
    case MESSAGE_EXIT: on_exit_code(cell, &message->exit); break;
    case MESSAGE_FAILURE: on_failure(cell, &message->failure); break;
    case MESSAGE_TRAP: on_trap(cell, &message->trap); break;
    case MESSAGE_REQUEST_TRAP: cell_request_trap(cell, &message->request_trap); break;
    case MESSAGE_TRACE: on_trace(cell, &message->trace); break;
    case MESSAGE_RESOLVED: on_resolved(cell, &message->resolved); break;
    case MESSAGE_DENIED: network_denied(&cell->network, &message->denied); break;
    default: break; /* never to the shim */
    }
}

bool cell_traces(const struct cell *cell)
{
    return cell->order.head.traced && cell->process.socket >= 0 && !outcome_known(&cell->outcome);
}

bool cell_held(const struct cell *cell)
{
    struct pollfd out = {STDERR_FILENO, POLLOUT, 0};
    return cell->state == STATE_RUN && cell_traces(cell) && poll(&out, 1, 0) == 0;
}

void cell_receive(struct cell *cell)
{
    static union message message;
    for (int i = 0; i < MESSAGES_AT_ONCE && cell->process.socket >= 0 && !cell_held(cell); i++) {
        const char *wrong;
        ssize_t size = protocol_receive(cell->process.socket, &message, &wrong);
        if (size == -EAGAIN)
            return;
        bool ended = size <= 0 && !wrong;
        if (wrong)
            condemn(cell, wrong);
        else if (!ended && !outcome_known(&cell->outcome))
            handle(cell, &message, (size_t)size);
        /* What it may say after its end is of no interest. */
        if (ended || outcome_known(&cell->outcome)) {
            close(take_fd(&cell->process.socket));
            return;
        }
        if (message.kind == MESSAGE_READY) /* it has only begun: there cannot be more yet */
            return;
    }
}

uint64_t cell_pause(struct cell *cell, uint64_t now)
{
    return cell->state == STATE_RUN ? network_pause(&cell->network, now) : 0;
}

void cell_hear(struct cell *cell, short events)
{
    if (events & POLLOUT)
        cell_send(cell);
    if (events & (POLLIN | POLLHUP | POLLERR))
        cell_receive(cell);
}

void cell_wait(const struct cell *cell, bool active, bool sends, struct pollfd ret[2])
{
    short events = (short)(POLLIN | (sends ? POLLOUT : 0));
    ret[0] = (struct pollfd){active ? cell->process.socket : -1, events, 0};
    ret[1] = (struct pollfd){active ? cell->process.pidfd : -1, POLLIN, 0};
}

void cell_act(struct cell *cell, const struct pollfd waits[2])
{
    cell_hear(cell, waits[0].revents);
    cell_check_time(cell, cell_now());
    if (waits[1].revents)
        cell_bury(cell);
}

void cell_leave(struct cell *cell, uint64_t grace)
{
    cell->leaving = true;
    cell->grace = grace;
    if (cell->state == STATE_RUN)
        cell->deadline = deadline_after(cell_now(), grace);
}

void cell_check_time(struct cell *cell, uint64_t now)
{
    if (now < cell->deadline || cell->late)
        return;
    cell->late = true;
    if (cell_gone(cell))
        return;
    if (cell->leaving && cell->state == STATE_RUN)
        outcome_fail(&cell->outcome, ERR_TIME, ERR_NOWHERE,
                     "its last requests did not end within %.12g s: give them longer with "
                     "--request-timeout",
                     (double)cell->grace / 1e9);
    else if (cell->state == STATE_RUN || cell->state == STATE_READER ||
             cell->state == STATE_RESOLVER)
        outcome_fail(&cell->outcome, ERR_TIME, ERR_NOWHERE, "%s did not end within %.12g s: %s",
                     cell->state == STATE_RUN ? "it" : "its reader", (double)cell->order.time / 1e9,
                     cell->state == STATE_RUN ? "give it longer with --timeout"
                                              : "the machine is too busy, or it is made to waste "
                                                "time");
    else
        outcome_fail(&cell->outcome, ERR_FAULT, ERR_NOWHERE,
                     "the cell did not start in time: the machine is too busy, try again");
    cell_kill(cell);
}

void cell_bury(struct cell *cell)
{
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)cell->process.pidfd, &info, WEXITED | __WALL) < 0 &&
           errno == EINTR)
        ;
    /* What it said before it died, which is bounded by the socket's buffer. */
    for (int i = 0; i < 256 && cell->process.socket >= 0 && !outcome_known(&cell->outcome); i++)
        cell_receive(cell);
    if (!cell->answered)
        outcome_death(&cell->outcome, info.si_code, info.si_status,
                      wall_in(cell->outcome.walls.standing, WALL_CGROUP));
    close(take_fd(&cell->process.pidfd));
    cgroups_remove(&cell->cgroups);
    /* Pumps and keepers end when nobody holds the cell's ends any more. */
    grants_end(&cell->grants);
    lines_close(&cell->lines);
    network_close(&cell->network);
    order_free(&cell->order);
}

void cell_close(struct cell *cell)
{
    if (!cell_gone(cell)) {
        cell_kill(cell);
        cell_bury(cell);
    }
    if (cell->process.listener >= 0)
        close(take_fd(&cell->process.listener));
    if (cell->process.socket >= 0)
        close(take_fd(&cell->process.socket));
    for (size_t i = 0; i < cell->grants.pump_count; i++)
        pump_close(&cell->grants.pumps[i]);
    cgroups_remove_patiently(&cell->cgroups);
}
