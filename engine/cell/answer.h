/* A reader's answer in the making; its form is policies/demand.def. */
#ifndef CARREL_CELL_ANSWER_H
#define CARREL_CELL_ANSWER_H

#include "engine/base/bytes.h"

enum answer_list {
#define LIST(name, meaning) ANSWER_##name,
#include "policies/demand.def"
    DEMAND_LISTS
};

enum answer_fact {
#define FACT(name, bit, meaning) ANSWER_IS_##name = 1 << (bit),
#include "policies/demand.def"
};

enum answer_limit {
#define LIMIT(name, value) ANSWER_##name##_MAX = value,
#include "policies/demand.def"
};

/* Numbers of the tables' rows. */
enum answer_row {
#define ROW(name) ROW_##name,
#include "policies/row.def"
    DEMAND_ROWS
};

struct answer_head {
#define FIELD(type, name, count) type name[count];
#include "policies/demand.def"
};

struct answer {
    union {
        struct answer_head head;
        uint8_t bytes[ANSWER_ANSWER_MAX];
    };
    size_t size;
    bool told[128]; /* interfaces that answer_interface has answered */
};

void answer_start(struct answer *answer);
void answer_fact(struct answer *answer, enum answer_fact fact);
void answer_memory(struct answer *answer, uint64_t bytes);

/* A row that is imported, and whether code that runs can reach it. */
void answer_row(struct answer *answer, uint32_t row, bool reachable);

/* A name for a list: "INTERFACE" or, if `member` is not empty, "INTERFACE#MEMBER". Counted always,
 * added while there is room, cut to its bound; `""` if both are empty. */
void answer_name(struct answer *answer, enum answer_list list, struct str name, struct str member);

static inline struct bytes answer_bytes(const struct answer *answer)
{
    return (struct bytes){answer->bytes, answer->size};
}

/* --- Rows by name ------------------------------------------------------------------------------
 */

#define ROW_NONE UINT32_MAX

/* The row of a function (or the drop of a resource type) of an interface, whose version only has to
 * be on the same track. */
uint32_t row_of_function(struct str path, struct str version, struct str name);
uint32_t row_of_drop(struct str path, struct str version, struct str resource);

/* The row of the function that a component exports with this interface for WASI to call. */
uint32_t row_of_export(struct str path, struct str version);

/* All that the table has of an interface, and of those whose types it uses, as imports that can be
 * reached; a path that ends in '/' is all interfaces of a package. `uses`: of an interface that is
 * exported, only what it uses. False if the table has no such interface. */
bool answer_interface(struct answer *answer, struct str path, struct str version, bool uses);

/* The other way: the interface, with its version, and the name of a row that is exported. */
struct row_export {
    char interface[64];
    struct str name;
};
struct row_export export_of_row(uint32_t row);

/* The row of a function of preview 1, which `wasi_unstable` has, too, or has not. */
uint32_t row_of_p1(struct str module, struct str name);

#endif
