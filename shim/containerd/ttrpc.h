/* ttrpc's frames: a head of 10 bytes, then a request or a response. Pure functions; see
 * github.com/containerd/ttrpc, PROTOCOL.md. */
#ifndef CARREL_SHIM_CONTAINERD_TTRPC_H
#define CARREL_SHIM_CONTAINERD_TTRPC_H

#include "shim/containerd/message.h"

#define TTRPC_HEAD 10
#define TTRPC_MOST (4u << 20) /* bytes of a frame without its head */

enum ttrpc_type { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3 };

/* google.rpc.Code, as far as the shim says them. */
enum ttrpc_code {
    CODE_OK = 0,
    CODE_UNKNOWN = 2,
    CODE_INVALID = 3,
    CODE_DEADLINE = 4,
    CODE_NOT_FOUND = 5,
    CODE_EXISTS = 6,
    CODE_EXHAUSTED = 8,
    CODE_PRECONDITION = 9,
    CODE_UNIMPLEMENTED = 12,
};

struct frame {
    uint32_t size; /* of what follows the head */
    uint32_t stream;
    uint8_t type;
    uint8_t flags;
};

struct frame frame_read(const uint8_t head[TTRPC_HEAD]);
void frame_write(const struct frame *frame, uint8_t ret[TTRPC_HEAD]);

/* What is at the start of a stream of bytes. */
enum frame_found {
    FRAME_PART,     /* not all of a frame is there */
    FRAME_WHOLE,    /* *ret and *ret_body are it */
    FRAME_TOO_LARGE /* its head says more than TTRPC_MOST */
};
enum frame_found frame_find(struct bytes from, struct frame *ret, struct bytes *ret_body);

/* Append a whole frame: a call, or an answer to one (`payload` counts only with CODE_OK). */
void ttrpc_call(struct writer *writer, uint32_t stream, const char *service, const char *method,
                struct bytes payload);
void ttrpc_answer(struct writer *writer, uint32_t stream, enum ttrpc_code code, const char *text,
                  struct bytes payload);

#endif
