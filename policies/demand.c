/* Reads a reader's answer; see demand.h. Pure. Every byte is hostile: lengths are checked, names
 * are not looked into, and what cannot be is a failure and never repaired. */
#include "policies/demand.h"

static int wrong(struct err *err, const char *what)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "the reader's answer %s: the component may have taken over its cell, or carrel "
                   "and its engine are of different versions: install both again",
                   what);
}

static int check_head(const struct demand_head *head, struct err *err)
{
    if (head->rows[0] != DEMAND_ROWS)
        return wrong(err, "is about other tables");
    uint32_t facts = 0;
#define FACT(name, bit, meaning) facts |= DEMAND_IS_##name;
#include "policies/demand.def"
    if (head->facts[0] & ~facts)
        return wrong(err, "states unknown facts");
    for (size_t i = 0; i < sizeof head->imported; i++) {
        if (head->reachable[i] & ~head->imported[i])
            return wrong(err, "reaches what is not imported");
        unsigned beyond = DEMAND_ROWS > i * 8 ? DEMAND_ROWS - (unsigned)i * 8 : 0;
        if (beyond < 8 && head->imported[i] >> beyond)
            return wrong(err, "imports rows that do not exist");
    }
    return 0;
}

static int take_names(struct demand *demand, size_t len, struct err *err)
{
    uint32_t seen[DEMAND_LISTS] = {0};
    size_t at = 0;
    while (at < len) {
        if (len - at < 3)
            return wrong(err, "ends within a name");
        uint8_t list = (uint8_t)demand->bytes[at], size = (uint8_t)demand->bytes[at + 1];
        if (list >= DEMAND_LISTS || size == 0 || size > DEMAND_NAME_MAX || size > len - at - 2)
            return wrong(err, "has a name that is none");
        demand->names[demand->name_count++] =
            (struct demand_name){(enum demand_list)list, {&demand->bytes[at + 2], size}};
        seen[list]++;
        at += 2u + size;
    }
    for (int i = 0; i < DEMAND_LISTS; i++)
        if (seen[i] > demand->head.totals[i])
            return wrong(err, "has more names than it says");
    return 0;
}

int demand_parse(struct bytes answer, struct demand *ret, struct err *err)
{
    if (answer.len < sizeof ret->head)
        return wrong(err, "is too short");
    if (answer.len > DEMAND_ANSWER_MAX)
        return wrong(err, "is too long");
    size_t names = answer.len - sizeof ret->head;
    memcpy(&ret->head, answer.at, sizeof ret->head);
    memcpy(ret->bytes, answer.at + sizeof ret->head, names);
    ret->name_count = 0;
    if (check_head(&ret->head, err))
        return -1;
    return take_names(ret, names, err);
}
