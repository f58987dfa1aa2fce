/* The operations of operation.def as an array: made by policies, carried out by the launcher,
 * printed by `--explain`. */
#ifndef CARREL_POLICIES_OPERATION_H
#define CARREL_POLICIES_OPERATION_H

#include "engine/base/attr.h"
#include "policies/net.h"
#include "policies/wall.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation_phase {
#define PHASE(name, word, meaning) PHASE_##name,
#include "policies/operation.def"
    PHASE_COUNT
};

enum operation_kind {
#define OPERATION(NAME, name, phase, wall, text) OPERATION_##NAME,
#include "policies/operation.def"
    OPERATION_COUNT
};

/* The same by the row's small name, for FIELD rows. */
enum {
#define OPERATION(NAME, name, phase, wall, text) operation_kind_##name = OPERATION_##NAME,
#include "policies/operation.def"
};

/* What a grant is, and what its holder may do: the rows of the protocol. */
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

/* How a field is printed. */
enum operation_show {
#define SHOW(name, type) SHOW_##name,
#include "policies/operation.def"
    SHOW_COUNT
};

/* C strings of somebody else. */
struct text_list {
    const char *const *at;
    size_t count;
};

/* A seccomp program of somebody else: `count` instructions of 8 bytes (struct sock_filter). */
struct operation_program {
    const void *code;
    size_t count;
};

/* The C type of each SHOW, and struct operation_NAME for each kind. */
#define SHOW(name, type) typedef type operation_##name##_field;
#include "policies/operation.def"

/* clang-format off */
#define OPERATION(NAME, name, phase, wall, text) struct operation_##name {
#define FIELD(owner, field, show) operation_##show##_field field;
#define END(owner) };
#include "policies/operation.def"
/* clang-format on */

/* Texts, lists, digests and programs belong to whoever makes the array, and outlive it. */
struct operation {
    enum operation_kind kind;
    bool may_fail; /* its wall is extra, or the operator accepts its absence */
    union {
#define OPERATION(NAME, name, phase, wall, text) struct operation_##name name;
#include "policies/operation.def"
    } of;
};

/* An operation's kind as data. */
struct operation_info {
    const char *word; /* the row's name in small letters */
    enum operation_phase phase;
    enum wall wall; /* or WALL_NONE */
    const char *text;
};

/* A field of a kind. */
struct operation_field {
    enum operation_kind kind;
    enum operation_show show;
    const char *word;
    size_t offset; /* in struct operation */
};

struct operation_word {
    enum operation_show show;
    uint64_t value;
    const char *word;
};

struct phase_info {
    const char *word;
    const char *meaning;
};

extern const struct operation_info operation_infos[OPERATION_COUNT];
extern const struct phase_info phase_infos[PHASE_COUNT];

/* The fields of all kinds, in the order of the rows. */
extern const struct operation_field operation_fields[];
extern const size_t operation_field_count;

/* The words of fields that are one number of several, or a set of bits. */
extern const struct operation_word operation_words[];
extern const size_t operation_word_count;

/* Where a field of `operation` lies; its type follows from field->show. */
static inline const void *operation_value(const struct operation *operation,
                                          const struct operation_field *field)
{
    return (const char *)operation + field->offset;
}

/* Writes the value of one field as text, at most `size` bytes with the closing NUL. Returns the
 * length that the whole text has. Bytes that are no printable ASCII are escaped as \xNN. */
size_t operation_field_text(const struct operation *operation, const struct operation_field *field,
                            char *ret, size_t size);

/* Writes the operation as one line for people, without a newline; otherwise the same. */
size_t operation_text(const struct operation *operation, char *ret, size_t size);

/* Whether two operations are of one kind, do the same and may fail alike. */
bool operation_same(const struct operation *a, const struct operation *b);

/* The array of one cell. Fixed in size, so that making it cannot fail half-way without notice. */
#define PLAN_MAX 640

struct plan {
    size_t count;
    bool overflown; /* an operation did not fit: the launcher refuses the plan */
    struct operation at[PLAN_MAX];
};

/* Appends a zeroed operation and gives it, to be filled in. Never NULL: when the plan is full, a
 * place that is not part of it, and plan->overflown. */
struct operation *plan_add(struct plan *plan, enum operation_kind kind, bool may_fail);

/* The first operation of a kind, or NULL. */
const struct operation *plan_find(const struct plan *plan, enum operation_kind kind);

#endif
