/* The loop of a session; see session.h. */
#include "shim/session.h"
#include "engine/base/deadline.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/shared.h"
#include "shim/signals.h"
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

/* What the loop waits for: the cell's socket and process, the guardian, signals, three pumps. */
enum {
    WAIT_SOCKET,
    WAIT_CELL,
    WAIT_GUARDIAN,
    WAIT_SIGNALS,
    WAIT_PUMPS,
    WAIT_LOOKUP = WAIT_PUMPS + 3,
    WAIT_TLS = WAIT_LOOKUP + 2,
    WAIT_FRONT = WAIT_TLS + 2,
    WAIT_WITNESS,
    WAIT_LINES,
    WAITS = WAIT_LINES + PROTOCOL_LINES
};

/* How often time is counted for a cell that serves. */
#define SERVING_TICK (UINT64_C(1) << SERVING_TICK_SHIFT)

/* What ends a program that does not heed it: the cell ends with carrel, and the cause is said.
 * Those of real time are added. Not SIGALRM, which is carrel's own (moment.h), nor those of faults.
 */
static const int heeded[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,   SIGTSTP,   SIGUSR1, SIGUSR2,
                             SIGABRT, SIGPROF, SIGIO,  SIGVTALRM, SIGSTKFLT, SIGPWR};

/* Descriptors for carrel itself, at once; and poll waits for no more than may be open. */
#define DESCRIPTORS_NEEDED 64
#define DESCRIPTORS_WANTED 256

static int have_descriptors(struct err *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS_WANTED)
        return 0;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < DESCRIPTORS_NEEDED)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no more than %llu files may be open at once, and %d are needed: raise the "
                       "hard limit (ulimit -n %d)",
                       (unsigned long long)limit.rlim_max, DESCRIPTORS_NEEDED, DESCRIPTORS_WANTED);
    return 0;
}

/* A blocked signal comes even where it is ignored; asking when it comes spares every run to ask for
 * all of them. */
static bool ignored(int number)
{
    struct {
        void (*handler)(int);
        uint64_t rest[3];
    } action = {.handler = SIG_DFL};
    return syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(uint64_t)) == 0 &&
           action.handler == SIG_IGN;
}

int session_open(struct session *session, struct err *err)
{
    if (have_descriptors(err))
        return -1;
    session->shim = shim_new();
    session->guardian = guardian_none();
    lookups_start(&session->lookups);
    tls_start(&session->tls);
    cell_start(&session->cells[0]);
    session->cell = &session->cells[0];
    session->spare = NULL;
    session->interrupted = 0;
    session->log = NULL;
    session->watch = NULL;
    session->hear = NULL;
    session->uses = NULL;
    session->left = false;
    session->serving = NULL;
    /* The cell inherits both: a closed pipe, and a file at its limit, are errors that one is told
     * of, never a death. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const sigset_t set = signals_and_real_time(heeded, countof(heeded));
    sigprocmask(SIG_BLOCK, &set, &session->mask);
    session->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (session->signals < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot wait for signals: %s%s",
                       strerror(errno), advice_on(errno));
    guardian_sweep();
    return 0;
}

void session_serve(struct session *session, struct serving *serving)
{
    session->serving = serving;
    serving_tick(serving, cell_now());
}

/* No more requests; what is at work may end. False: it was told before. */
static bool leave(struct session *session)
{
    struct serving *serving = session->serving;
    if (!serving || !serving_leave(serving))
        return false;
    cell_leave(session->cell, serving->grace);
    return true;
}

/* The user wants the foreground back: cell and shim stop, and go on together. By the signal itself,
 * which the kernel discards where nobody could let them go on. The time that is limited stands
 * still. */
static void stop(struct session *session)
{
    struct cell *cell = session->cell;
    uint64_t began = cell_now();
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTSTP);
    if (!cell_gone(cell))
        syscall(SYS_pidfd_send_signal, cell->process.pidfd, SIGSTOP, NULL, 0);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stopping, NULL);
    sigprocmask(SIG_BLOCK, &stopping, NULL);
    uint64_t stood = cell_now() - began;
    cell->deadline = deadline_after(cell->deadline, stood);
    if (!cell_gone(cell))
        syscall(SYS_pidfd_send_signal, cell->process.pidfd, SIGCONT, NULL, 0);
}

static int ended_by(int number, struct err *err)
{
    const char *name = sigabbrev_np(number); /* those of real time have none */
    return name ? err_set(err, ERR_KILLED, ERR_NOWHERE,
                          "ended by SIG%s, which carrel was sent: see who sent it", name)
                : err_set(err, ERR_KILLED, ERR_NOWHERE,
                          "ended by signal %d, which carrel was sent: see who sent it", number);
}

static void heed_signals(struct session *session)
{
    struct signalfd_siginfo info;
    while (read(session->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (ignored((int)info.ssi_signo))
            continue;
        if (info.ssi_signo == SIGTSTP) {
            stop(session);
            continue;
        }
        if (leave(session))
            continue;
        struct outcome *outcome = &session->cell->outcome;
        struct err why = {0};
        if (!outcome_known(outcome) && session->interrupted == 0)
            session->interrupted = (int)info.ssi_signo;
        ended_by((int)info.ssi_signo, &why);
        outcome_fail(outcome, why.kind, why.offset, "%s", why.text);
        cell_kill(session->cell);
        for (size_t i = 0; i < session->cell->grants.pump_count; i++)
            pump_close(&session->cell->grants.pumps[i]);
    }
}

/* What poll is to wait for at most, in milliseconds; `until` is of cell_now, UINT64_MAX: no end. */
static int milliseconds(uint64_t now, uint64_t until)
{
    if (until == UINT64_MAX)
        return -1;
    if (now >= until)
        return 0;
    uint64_t left = (until - now) / 1000000 + 1;
    return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* Until its time is over, or until it is listened to again. When it is over, a cell has only to
 * die, and output is moved that can be moved at once. */
static int time_left(const struct cell *cell, bool ticks, uint64_t pause, uint64_t lookup)
{
    if (cell->late)
        return cell_gone(cell) ? 0 : -1;
    uint64_t now = cell_now(), until = cell->deadline;
    if (ticks && now + SERVING_TICK < until)
        until = now + SERVING_TICK;
    if (pause > 0 && now + pause < until)
        until = now + pause;
    if (lookup < until)
        until = lookup;
    return milliseconds(now, until);
}

/* Clients that speak TLS; or room for one that was accepted already. (Where the room is that of the
 * component's cell, the next tick looks again.) */
static struct pollfd front_wait(const struct session *session)
{
    const struct serving *serving = session->serving;
    if (!serving || serving->front < 0 || !tls_serves(&session->tls))
        return (struct pollfd){-1, 0, 0};
    if (serving->held[0] < 0)
        return (struct pollfd){serving->front, POLLIN, 0};
    bool full = serving->held[1] >= 0;
    return (struct pollfd){full ? session->tls.cell.process.socket : -1, POLLOUT, 0};
}

/* Without the cell that speaks TLS nobody can be served. */
static void serve_secure(struct session *session)
{
    struct cell *cell = session->cell;
    if (session->tls.failed && !cell_gone(cell) && !cell->late) {
        outcome_fail(&cell->outcome, ERR_FAULT, ERR_NOWHERE, "%s", session->tls.why);
        cell_kill(cell);
    } else if (tls_serves(&session->tls) && session->serving->front >= 0) {
        serving_accept(session->serving, &session->tls);
    }
}

static void wait_for(const struct session *session, struct pollfd waits[WAITS])
{
    struct cell *cell = session->cell;
    uint64_t pause = cell_pause(cell, cell_now());
    short sending = cell->ordered ? 0 : POLLOUT;
    short listening = pause ? 0 : POLLIN;
    waits[WAIT_SOCKET] = (struct pollfd){cell->process.socket, (short)(listening | sending), 0};
    if (cell_held(cell))
        waits[WAIT_SOCKET] = (struct pollfd){STDERR_FILENO, POLLOUT, 0};
    waits[WAIT_CELL] = (struct pollfd){cell_traces(cell) ? -1 : cell->process.pidfd, POLLIN, 0};
    waits[WAIT_GUARDIAN] = (struct pollfd){session->guardian.pidfd, POLLIN, 0};
    waits[WAIT_SIGNALS] = (struct pollfd){session->signals, POLLIN, 0};
    for (size_t i = 0; i < 3; i++)
        waits[WAIT_PUMPS + i] = i < cell->grants.pump_count ? pump_wait(&cell->grants.pumps[i])
                                                            : (struct pollfd){-1, 0, 0};
    lookups_wait(&session->lookups, waits + WAIT_LOOKUP);
    tls_wait(&session->tls, &cell->network, waits + WAIT_TLS);
    waits[WAIT_FRONT] = front_wait(session);
    waits[WAIT_WITNESS] = (struct pollfd){cell->process.listener, POLLIN, 0};
    lines_wait(&cell->lines, pause == 0, waits + WAIT_LINES);
    poll(waits, WAIT_LINES + cell->lines.places,
         time_left(cell, session->serving, pause, lookups_deadline(&session->lookups)));
}

/* A system call of the cell, which waits until it was heard. */
static void hear(struct session *session)
{
    struct cell *cell = session->cell;
    struct seccomp_data call;
    if (witness_hear(cell->process.listener, &call)) {
        if (session->hear)
            session->hear(session->watching, &call);
    } else if (cell_gone(cell)) {
        close(take_fd(&cell->process.listener));
    }
}

/* True if a pump moved something. */
static bool act(struct session *session, const struct pollfd waits[WAITS])
{
    struct cell *cell = session->cell;
    bool moved = false;
    if (waits[WAIT_WITNESS].revents)
        hear(session);
    lines_act(cell, waits + WAIT_LINES); /* before the cell has more of them */
    cell_hear(cell, waits[WAIT_SOCKET].revents);
    /* After what the cell has said: whether it serves already decides what a signal means to it. */
    if (waits[WAIT_SIGNALS].revents)
        heed_signals(session);
    for (size_t i = 0; i < cell->grants.pump_count; i++) {
        if (waits[WAIT_PUMPS + i].revents && pump_move(&cell->grants.pumps[i]))
            moved = true;
    }
    lookups_act(&session->lookups, waits + WAIT_LOOKUP);
    lookups_advance(&session->lookups, &cell->network, &session->shim);
    tls_act(&session->tls, waits + WAIT_TLS);
    tls_advance(&session->tls, &cell->network, &session->shim);
    if (session->serving) {
        serving_tick(session->serving, cell_now());
        if (session->tls.certificate)
            serve_secure(session);
    }
    cell_check_time(cell, cell_now());
    struct err err = {0};
    if (waits[WAIT_GUARDIAN].revents && guardian_replace(&session->guardian, &err)) {
        outcome_fail(&cell->outcome, err.kind, err.offset, "%s", err.text);
        cell_kill(cell);
    }
    if (waits[WAIT_CELL].revents)
        cell_bury(cell);
    return moved;
}

/* Time is over, and whoever should take the rest of the output does not. */
static void give_up_output(struct cell *cell)
{
    for (size_t i = 0; i < cell->grants.pump_count; i++)
        pump_close(&cell->grants.pumps[i]);
    struct outcome *outcome = &cell->outcome;
    if (!outcome->by_guest)
        return;
    outcome->by_guest = false;
    outcome_fail(
        outcome, ERR_TIME, ERR_NOWHERE,
        "it ended, but not all of its output was taken within %.12g s: whoever reads it is "
        "slow or has stopped; give it longer with --timeout",
        (double)cell->order.time / 1e9);
}

/* Waits until the cell is gone and its output is where it belongs. */
static void attend(struct session *session)
{
    struct pollfd waits[WAITS];
    while (!cell_gone(session->cell) || grants_output_pending(&session->cell->grants)) {
        wait_for(session, waits);
        bool moved = act(session, waits);
        shared_end(); /* by now it has ended */
        if (session->cell->late && cell_gone(session->cell) && !moved &&
            grants_output_pending(&session->cell->grants))
            give_up_output(session->cell);
    }
}

/* What ends the wait for a file's bytes. */
struct patience {
    struct session *session;
    uint64_t time;  /* nanoseconds */
    uint64_t until; /* of cell_now */
};

static int no_time(const struct patience *patience, bool there, struct err *err)
{
    return err_set(err, ERR_TIME, ERR_NOWHERE, "its bytes %s within %.12g s: %s",
                   there ? "could not all be read" : "did not come", (double)patience->time / 1e9,
                   there ? "give it longer with --timeout"
                         : "whoever writes them is slow, or give it longer with --timeout");
}

static int wait_for_bytes(void *data, int file, struct err *err)
{
    const struct patience *patience = data;
    struct session *session = patience->session;
    for (;;) {
        struct pollfd waits[] = {{file, POLLIN, 0}, {session->signals, POLLIN, 0}};
        poll(waits, countof(waits), milliseconds(cell_now(), patience->until));
        if (waits[1].revents)
            heed_signals(session);
        if (session->interrupted)
            return ended_by(session->interrupted, err);
        if (cell_now() >= patience->until)
            return no_time(patience, waits[0].revents, err);
        if (waits[0].revents)
            return 0;
    }
}

int session_copy(struct session *session, const char *path, uint64_t time, struct component *ret,
                 struct err *err)
{
    struct patience patience = {session, time, deadline_after(cell_now(), time)};
    if (component_copy(path, wait_for_bytes, &patience, ret, err))
        return -1;
    if (cell_now() < patience.until)
        return 0;
    component_close(ret);
    return no_time(&patience, true, err);
}

static void close_cell(struct session *session, struct cell *cell)
{
    cell_close(cell);
    session->left = session->left || cell->cgroups.count > 0;
}

static void drop_spare(struct session *session)
{
    if (session->spare)
        close_cell(session, session->spare);
    session->spare = NULL;
}

/* The cell for `plan`: the one that waits, or a new one. */
static int get_cell(struct session *session, const struct plan *plan, struct err *err)
{
    if (session->spare && launch_alike(session->spare_plan, plan)) {
        session->cell = session->spare;
        session->spare = NULL;
        return 0;
    }
    drop_spare(session);
    return cell_launch(session->cell, &session->shim, plan, err);
}

/* Launches the next cell while this one is busy. If that fails, it fails again when it matters. */
static void launch_spare(struct session *session, const struct plan *plan)
{
    struct cell *other = &session->cells[session->cell == &session->cells[0]];
    if (cell_launch(other, &session->shim, plan, NULL))
        return;
    session->spare = other;
    session->spare_plan = plan;
}

/* Whoever prints a result (a call, or what looks into a file) ended well only if it arrived. An
 * engine that gave up because nobody took what it wrote is no mistake of its own. */
static void judge_result(struct cell *cell, struct err *err)
{
    struct outcome *outcome = &cell->outcome;
    bool well = outcome->by_guest && outcome->exit_code == 0;
    bool gave_up = !outcome->by_guest && outcome->why.kind == ERR_FAULT;
    for (size_t i = 0; i < cell->grants.pump_count; i++) {
        const struct pump *pump = &cell->grants.pumps[i];
        if (!pump->output || pump->lost == 0 || !(well || gave_up))
            continue;
        outcome->by_guest = false;
        outcome->why.kind = ERR_NONE;
        err_set(err, ERR_FAULT, ERR_NOWHERE,
                "it ended, but its result is lost: standard output: %s: send it elsewhere",
                strerror(pump->lost));
    }
}

/* Did the component itself fail? That may be for what it was refused; that it was ended is not. */
static bool failed(const struct outcome *outcome)
{
    return outcome->by_guest ? outcome->exit_code != 0 : outcome->why.kind == ERR_TRAP;
}

static bool heed_while_waiting(void *data)
{
    struct session *session = data;
    heed_signals(session);
    return session->interrupted != 0;
}

/* One cell from its launch to its end. What goes wrong before it runs is an outcome as well. */
static void live(struct session *session, const struct component *component,
                 const struct plan *plan, struct demand *demand, bool another_follows)
{
    struct err err = {0};
    cell_start(session->cell);
    if (guardian_watch(&session->guardian, plan, session->shim.id, &err) == 0 &&
        get_cell(session, plan, &err) == 0) {
        session->cell->demand = demand;
        session->cell->log = session->log;
        session->cell->grants.patience =
            (struct keeper_patience){session->signals, heed_while_waiting, session};
        bool watched = !demand && session->watch;
        if (watched && session->watch(session->watching, session->cell->process.pid, &err))
            cell_kill(session->cell);
        else if (cell_order(session->cell, plan, component, &err) == 0) {
            session->cell->network.uses = demand ? NULL : session->uses;
            session->cell->network.denials.all = watched;
            tls_advance(&session->tls, &session->cell->network, &session->shim);
            if (another_follows)
                launch_spare(session, plan);
            shared_dismiss(); /* what was made for this cell it has, or will never need */
            attend(session);
            if (!demand && failed(&session->cell->outcome))
                denial_tell_kept(&session->cell->network.denials);
            if (session->uses && !demand)
                session->uses->denied = session->cell->network.denials.count;
        }
    }
    struct outcome *outcome = &session->cell->outcome;
    if (session->cell->order.head.role == ROLE_INSPECT || plan_find(plan, OPERATION_INVOKE))
        judge_result(session->cell, &err);
    if (err.kind != ERR_NONE)
        outcome_fail(outcome, err.kind, err.offset, "%s", err.text);
    close_cell(session, session->cell);
    if (outcome_known(outcome))
        drop_spare(session);
}

int session_read(struct session *session, const struct component *component,
                 const struct plan *plan, bool run_follows, struct demand *ret,
                 struct wall_report *ret_walls, struct err *err)
{
    live(session, component, plan, ret, run_follows);
    const struct outcome *outcome = &session->cell->outcome;
    *ret_walls = outcome->walls;
    if (outcome_known(outcome))
        return err_set(err, outcome->why.kind, outcome->why.offset, "%s", outcome->why.text);
    return 0;
}

void session_run(struct session *session, const struct component *component,
                 const struct plan *plan, struct outcome *ret)
{
    live(session, component, plan, NULL, false);
    outcome_copy(ret, &session->cell->outcome);
}

void session_close(struct session *session)
{
    drop_spare(session);
    lookups_close(&session->lookups);
    tls_close(&session->tls);
    guardian_dismiss(&session->guardian, session->left);
    shared_end();
    shim_close(&session->shim);
    if (session->signals >= 0)
        close(take_fd(&session->signals));
    sigprocmask(SIG_SETMASK, &session->mask, NULL);
}

int session_exit_code(const struct session *session, int code)
{
    return session->interrupted == SIGINT ? 128 + SIGINT : code;
}

void session_heed(const struct session *session)
{
    if (session->interrupted != SIGINT)
        return;
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
}
