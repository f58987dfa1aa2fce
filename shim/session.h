/* The supervisor in the foreground: `carrel run` and `carrel audit` in one process. A session
 * starts readers and cells one after the other; while one lives, the session waits for it, pumps
 * terminals, keeps time and heeds signals, all in one loop that never blocks on a cell. */
#ifndef CARREL_SHIM_SESSION_H
#define CARREL_SHIM_SESSION_H

#include "shim/cell.h"
#include "shim/guardian.h"
#include "shim/lookup.h"
#include "shim/serving.h"
#include "shim/tls.h"
#include "shim/witness.h"
#include <signal.h>

struct session {
    struct shim shim;
    struct guardian guardian;
    int signals;        /* signalfd: the caller's wish to end or to stop */
    sigset_t mask;      /* as it was before */
    struct cell *cell;  /* the one that is attended to */
    struct cell *spare; /* one that waits for its order; or NULL */
    const struct plan *spare_plan;
    int interrupted; /* the caller's signal that ended what was going on, or 0 */
    int (*watch)(void *data, pid_t pid, struct err *err); /* of a cell that will run; or NULL */
    void *watching;
    void (*hear)(void *data, const struct seccomp_data *call); /* of a plan with WITNESS; or NULL */
    struct network_uses *uses;                                 /* of its network; or NULL */
    const struct audit_log *log; /* where denials are told; or NULL: as sentences */
    bool left; /* control groups that could not be removed: the guardian goes on trying */
    struct serving *serving; /* what the cell serves with; NULL: it does not */
    struct cell cells[2];    /* the second only if it was launched */
    struct lookups lookups;
    struct tls tls;
};

/* Begins a session, and sweeps what sessions left behind that were killed with their guardians.
 * Blocks the signals that it heeds, but for those that the caller has ignored (nohup). Errors:
 * FAULT. */
int session_open(struct session *session, struct err *err);

/* component_copy, which the caller's signals end, and the time limit (nanoseconds; UINT64_MAX:
 * none): the file may be a pipe. Errors: those of component_copy, TIME, KILLED. */
int session_copy(struct session *session, const char *path, uint64_t time, struct component *ret,
                 struct err *err);

/* Runs a reader under `plan` and takes its demand. What became of its walls is in *walls. Errors:
 * what the reader says about the component (MALFORMED, INVALID, ...), WALL, TIME, KILLED, FAULT. */
int session_read(struct session *session, const struct component *component,
                 const struct plan *plan, bool run_follows, struct demand *ret,
                 struct wall_report *ret_walls, struct err *err);

/* The cell that runs next serves with this, which must live as long: a signal then tells it to take
 * no more requests, and it has its grace to end; a second one ends it. */
void session_serve(struct session *session, struct serving *serving);

/* Runs the component under `plan` until it ends. Whatever goes wrong is in the outcome. */
void session_run(struct session *session, const struct component *component,
                 const struct plan *plan, struct outcome *ret);

/* Ends the session; nothing is left of it. The signals are as they were before. */
void session_close(struct session *session);

/* The exit code of the process: `code`, or what a shell makes of SIGINT if that ended the session.
 */
int session_exit_code(const struct session *session, int code);

/* After the session is closed: if SIGINT ended it, ends the process by it too. A shell that runs a
 * loop or a script gives up only if its child died of Ctrl-C; every other program dies of it. Other
 * signals are told by exit code 137, as a cell's are. */
void session_heed(const struct session *session);

#endif
