/* Messages to the shim. Uses write and exit_group only, so it works behind every filter. */
#include "engine/cell/tell.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void tell(const void *message, size_t size)
{
    ssize_t written;
    do
        written = write(PROTOCOL_SOCKET, message, size);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)size)
        _exit(1);
}

void tell_ready(uint32_t missing)
{
    const struct message_ready ready = {.kind = MESSAGE_READY, .missing = missing};
    tell(&ready, sizeof ready);
}

_Noreturn void tell_refused(uint32_t wall, const char *call, int error)
{
    struct message_refused refused = {
        .kind = MESSAGE_REFUSED, .wall = wall, .error = (uint32_t)error};
    strncpy(refused.call, call, sizeof refused.call - 1);
    tell(&refused, sizeof refused);
    _exit(1);
}

void tell_demand(struct bytes answer)
{
    static struct message_demand demand = {.kind = MESSAGE_DEMAND};
    demand.size = (uint32_t)answer.len;
    memcpy(demand.answer, answer.at, answer.len);
    tell(&demand, sizeof demand);
}

void tell_exit(uint32_t code)
{
    const struct message_exit ended = {.kind = MESSAGE_EXIT, .code = code};
    tell(&ended, sizeof ended);
}

void tell_failure(const struct err *err)
{
    struct message_failure failure = {
        .kind = MESSAGE_FAILURE, .error = (uint32_t)err->kind, .offset = err->offset};
    _Static_assert(sizeof failure.text == sizeof err->text, "the text of an err travels whole");
    memcpy(failure.text, err->text, sizeof failure.text);
    tell(&failure, sizeof failure);
}

void tell_resolved(struct message_resolved *resolved)
{
    resolved->kind = MESSAGE_RESOLVED;
    tell(resolved, sizeof *resolved);
}

void tell_request_trap(uint32_t trap, const char *text)
{
    struct message_request_trap message = {.kind = MESSAGE_REQUEST_TRAP, .trap = trap};
    strncpy(message.text, text, sizeof message.text - 1);
    tell(&message, sizeof message);
}

void tell_trap(struct message_trap *trap)
{
    trap->kind = MESSAGE_TRAP;
    tell(trap, sizeof *trap);
}

void tell_trace(struct message_trace *trace)
{
    trace->kind = MESSAGE_TRACE;
    tell(trace, sizeof *trace);
}
