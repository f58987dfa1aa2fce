/* The grant protocol as the cell sees it: the rows of shim/protocol.def as numbers and structs. */
#ifndef CARREL_CELL_PROTOCOL_H
#define CARREL_CELL_PROTOCOL_H

#include <stdint.h>

enum {
#define NUMBER(NAME, value) PROTOCOL_##NAME = value,
#include "shim/protocol.def"
};

enum role {
#define ROLE(NAME, word, meaning) ROLE_##NAME,
#include "shim/protocol.def"
    ROLES
};

enum grant_kind {
#define GRANT(NAME, word) GRANT_##NAME,
#include "shim/protocol.def"
    GRANT_KINDS
};

enum grant_right {
#define RIGHT(NAME, bit, word) RIGHT_##NAME = bit,
#include "shim/protocol.def"
};

enum terminal_stream {
#define TERMINAL(NAME, bit, word) TERMINAL_##NAME = bit,
#include "shim/protocol.def"
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

/* The walls, for those that the cell builds itself. */
enum wall {
#define WALL(name, word, need, kernel, keeps, found) WALL_##name,
#include "policies/wall.def"
#undef WALL
    WALL_COUNT
};

/* clang-format off */
#define RECORD(name) struct record_##name {
#define MESSAGE(NAME, name, direction, states, most, meaning) struct message_##name { uint32_t kind;
#define FIELD(type, name) type name;
#define ARRAY(type, name, count) type name[count];
#define END(name) };
#include "shim/protocol.def"
/* clang-format on */

#endif
