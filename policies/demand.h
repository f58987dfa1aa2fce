/* The demand of a component: the functions that it can reach, as a reader in a cell answered. The
 * reader may be owned by the component: whatever it says is bounded, and can only ask. */
#ifndef CARREL_POLICIES_DEMAND_H
#define CARREL_POLICIES_DEMAND_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "policies/row.h"

#define DEMAND_ROWS ROW_COUNT

enum demand_list {
#define LIST(name, meaning) DEMAND_##name,
#include "policies/demand.def"
    DEMAND_LISTS
};

enum demand_fact {
#define FACT(name, bit, meaning) DEMAND_IS_##name = 1 << (bit),
#include "policies/demand.def"
};

enum demand_limit {
#define LIMIT(name, value) DEMAND_##name##_MAX = value,
#include "policies/demand.def"
};

struct demand_head {
#define FIELD(type, name, count) type name[count];
#include "policies/demand.def"
};

/* A name of one list. Its bytes are of unknown origin: see printable.h. */
struct demand_name {
    enum demand_list list;
    struct str text;
};

#define DEMAND_NAMES_MAX ((DEMAND_ANSWER_MAX - sizeof(struct demand_head)) / 3)

struct demand {
    struct demand_head head;
    size_t name_count;
    char bytes[DEMAND_ANSWER_MAX];              /* what they point to */
    struct demand_name names[DEMAND_NAMES_MAX]; /* in the order of the answer */
};

/* Reads an answer. Copies it: `answer` need not live on. Errors: FAULT if it does not have the form
 * of demand.def, which an honest reader's always has. */
int demand_parse(struct bytes answer, struct demand *ret, struct err *err);

static inline bool demand_imports(const struct demand *demand, enum row row)
{
    return demand->head.imported[row / 8] >> row % 8 & 1;
}

static inline bool demand_reaches(const struct demand *demand, enum row row)
{
    return demand->head.reachable[row / 8] >> row % 8 & 1;
}

static inline bool demand_is(const struct demand *demand, enum demand_fact fact)
{
    return demand->head.facts[0] & (uint32_t)fact;
}

#endif
