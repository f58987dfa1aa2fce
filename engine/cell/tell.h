/* What a cell tells its shim. Each is one packet, written with write(2). If the shim is gone there
 * is nobody to tell: the cell ends. */
#ifndef CARREL_CELL_TELL_H
#define CARREL_CELL_TELL_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/cell/protocol.h"

/* The walls stand; `missing` are those that could not be built and need not be (bits of enum wall).
 */
void tell_ready(uint32_t missing);

/* A wall could not be built: the system call `call` failed with `error`. Ends the cell. */
_Noreturn void tell_refused(uint32_t wall, const char *call, int error);

/* The answer of a reader, as policies/demand.def has it; at most PROTOCOL_ANSWER bytes. */
void tell_demand(struct bytes answer);

/* The guest ended by itself. */
void tell_exit(uint32_t code);

/* The component was refused, or the engine failed. */
void tell_failure(const struct err *err);

/* What a resolver found. The caller fills in all but `kind`. */
void tell_resolved(struct message_resolved *resolved);

/* A request's guest trapped, while others go on. */
void tell_request_trap(uint32_t trap, const char *text);

/* An instruction will be carried out. The caller fills in all but `kind`. */
void tell_trace(struct message_trace *trace);

/* The guest trapped. The caller fills in all but `kind`. */
void tell_trap(struct message_trap *trap);

#endif
