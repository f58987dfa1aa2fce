/* Outcomes; see outcome.h. What a cell told is copied with its bounds checked and otherwise left as
 * it is: whoever prints it makes it fit to be seen. */
#include "shim/outcome.h"
#include "shim/host.h"
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

bool outcome_known(const struct outcome *outcome)
{
    return outcome->by_guest || outcome->why.kind != ERR_NONE;
}

void outcome_exit(struct outcome *outcome, uint32_t code)
{
    if (outcome_known(outcome))
        return;
    outcome->by_guest = true;
    outcome->told = code;
    outcome->exit_code = code < EXIT_CODE_MAX ? (int)code : EXIT_CODE_MAX;
}

void outcome_fail(struct outcome *outcome, enum err_kind kind, uint64_t offset, const char *format,
                  ...)
{
    if (outcome_known(outcome))
        return;
    char text[sizeof outcome->why.text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    err_set(&outcome->why, kind, offset, "%s", text);
    outcome->exit_code = err_exit_code(kind);
}

/* The numbers that a cell tells, as engine/exec/vm.h has them: those of the rows, and 0 for none.
 */
enum trap_kind {
    TRAP_NONE,
#define TRAP(name, text, kind) TRAP_##name,
#include "engine/exec/trap.def"
#undef TRAP
};

static const struct {
    const char *text;
    enum err_kind kind;
} traps[] = {
#define TRAP(name, text, kind) [TRAP_##name] = {text, ERR_##kind},
#include "engine/exec/trap.def"
#undef TRAP
};

/* What the operator can do about a trap, or NULL: most are the component's own mistakes. */
static const char *advice(uint32_t trap)
{
    switch (trap) {
    case TRAP_FUEL: return "give it more with --fuel";
    case TRAP_STACK: return "it calls itself without end, or deeper than a guest's stack is";
    case TRAP_VALUES: return "pass them in pieces, or as a stream";
    case TRAP_HELD: return "let it hold less at a time";
    case TRAP_DEADLOCK: return "give the wait a timeout, or build it to run in one thread";
    case TRAP_TRANSLATION: return "no --memory changes that: divide the function";
    default: return NULL;
    }
}

void outcome_trap(struct outcome *outcome, const struct message_trap *trap)
{
    if (outcome_known(outcome))
        return;
    if (trap->trap >= countof(traps) || traps[trap->trap].kind == ERR_NONE) {
        outcome_fail(outcome, ERR_KILLED, ERR_NOWHERE,
                     "the cell told of a trap that does not exist; the component may have taken "
                     "over its engine: take it for hostile");
        return;
    }
    outcome->depth = trap->depth;
    outcome->frame_count = trap->depth < PROTOCOL_FRAMES ? trap->depth : PROTOCOL_FRAMES;
    for (uint32_t i = 0; i < outcome->frame_count; i++) {
        struct record_frame *frame = &outcome->frames[i];
        *frame = trap->frames[i];
        frame->module[sizeof frame->module - 1] = '\0';
        frame->name[sizeof frame->name - 1] = '\0';
    }
    int length = (int)strnlen(trap->text, sizeof trap->text);
    const char *what_to_do = advice(trap->trap);
    outcome_fail(outcome, traps[trap->trap].kind, ERR_NOWHERE, "%s%s%.*s%s%s",
                 traps[trap->trap].text, length > 0 ? ": " : "", length, trap->text,
                 what_to_do ? ": " : "", what_to_do ? what_to_do : "");
}

void outcome_death(struct outcome *outcome, int code, int status, bool bounded)
{
    if (code == CLD_EXITED) {
        outcome_fail(outcome, ERR_FAULT, ERR_NOWHERE,
                     "the engine ended (%d) without saying why; this is a mistake in carrel: "
                     "please report it",
                     status);
        return;
    }
    outcome->signal = status;
    if (outcome_known(outcome)) /* it was killed because it is */
        return;
    bool timed = host_limit(RLIMIT_CPU) < UINT64_MAX;
    switch (status) {
    case SIGSYS:
        outcome_fail(outcome, ERR_KILLED, ERR_NOWHERE,
                     "the kernel killed the cell for a system call that its filter does not allow; "
                     "the component may have taken over its engine: take it for hostile");
        break;
    case SIGKILL:
        outcome_fail(outcome, ERR_KILLED, ERR_NOWHERE,
                     bounded ? "the cell died of SIGKILL: it reached its memory limit (--memory "
                               "gives it more), or somebody killed it"
                     : timed
                         ? "the cell died of SIGKILL: it used all its processor time (ulimit -t), "
                           "or somebody killed it"
                         : "the cell died of SIGKILL: somebody killed it, or the machine ran "
                           "out of memory; --memory bounds what it takes");
        break;
    default:
        outcome_fail(outcome, ERR_KILLED, ERR_NOWHERE,
                     "the engine died of SIG%s; this is a mistake in carrel, or the component has "
                     "found one: please report it",
                     sigabbrev_np(status) ? sigabbrev_np(status) : "RT");
        break;
    }
}

void outcome_copy(struct outcome *to, const struct outcome *from)
{
    memcpy(to, from, offsetof(struct outcome, frames) + from->frame_count * sizeof from->frames[0]);
}
