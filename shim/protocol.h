/* The grant protocol as the shim sees it: the rows of protocol.def as numbers, structs and rules.
 */
#ifndef CARREL_SHIM_PROTOCOL_H
#define CARREL_SHIM_PROTOCOL_H

#include "policies/operation.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
#define NUMBER(NAME, value) PROTOCOL_##NAME = value,
#include "shim/protocol.def"
};

enum role {
#define ROLE(NAME, word, meaning) ROLE_##NAME,
#include "shim/protocol.def"
    ROLES
};

enum cell_state {
#define STATE(NAME, meaning) STATE_##NAME,
#include "shim/protocol.def"
    STATES
};

enum frame_kind {
#define FRAME(NAME, word) FRAME_##NAME,
#include "shim/protocol.def"
    FRAME_KINDS
};

enum message_kind {
#define MESSAGE(NAME, name, direction, states, most, meaning) MESSAGE_##NAME,
#include "shim/protocol.def"
    MESSAGES
};

/* clang-format off */
#define RECORD(name) struct record_##name {
#define MESSAGE(NAME, name, direction, states, most, meaning) struct message_##name { uint32_t kind;
#define FIELD(type, name) type name;
#define ARRAY(type, name, count) type name[count];
#define END(name) };
#include "shim/protocol.def"
/* clang-format on */

/* Any message. */
union message {
    uint32_t kind;
#define MESSAGE(NAME, name, direction, states, most, meaning) struct message_##name name;
#include "shim/protocol.def"
};

enum message_direction { TO_CELL, TO_SHIM };

struct message_info {
    const char *word;
    enum message_direction direction;
    uint32_t states; /* bit n: permitted in state n */
    uint32_t most;
    size_t size;
};

extern const struct message_info messages[MESSAGES];

/* A state's meaning, in words. */
const char *state_meaning(enum cell_state state);

enum isolation {
#define ISOLATION(NAME, word, meaning) ISOLATION_##NAME,
#include "shim/protocol.def"
    ISOLATIONS
};

/* One by its word; ISOLATIONS if there is none of it. */
enum isolation isolation_named(const char *word);

/* A role by its word; ROLES if there is none of it. */
enum role role_named(const char *word);

/* How often a cell has sent each message. */
struct message_counts {
    uint32_t of[MESSAGES];
};

/* Takes the next message from a cell's socket, without waiting and never with descriptors: its
 * size, 0 if none will come any more, or a negated errno: EAGAIN if none is there now, EBADMSG if
 * it was none, and then *ret_wrong says in words what it was; else *ret_wrong is NULL. */
ssize_t protocol_receive(int socket, union message *ret, const char **ret_wrong);

/* Judges what a cell sent: NULL if it is permitted in this state, of the right size and not too
 * often, and then it is counted; else what is wrong with it, in words. Looks at nothing but the
 * kind. */
const char *protocol_judge(struct message_counts *counts, enum cell_state state,
                           const union message *message, size_t size);

#endif
