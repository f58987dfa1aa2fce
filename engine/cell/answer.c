/* A reader's answer; see answer.h. */
#include "engine/cell/answer.h"

void answer_start(struct answer *answer)
{
    *answer = (struct answer){.size = sizeof answer->head};
    answer->head.rows[0] = DEMAND_ROWS;
}

void answer_fact(struct answer *answer, enum answer_fact fact)
{
    answer->head.facts[0] |= (uint32_t)fact;
}

void answer_memory(struct answer *answer, uint64_t bytes)
{
    if (__builtin_add_overflow(answer->head.memory[0], bytes, &answer->head.memory[0]))
        answer->head.memory[0] = UINT64_MAX;
}

void answer_row(struct answer *answer, uint32_t row, bool reachable)
{
    uint8_t bit = (uint8_t)(1u << row % 8);
    answer->head.imported[row / 8] |= bit;
    if (reachable)
        answer->head.reachable[row / 8] |= bit;
}

/* Appends as much of `text` as the bound of one name allows; gives how much. */
static size_t put(uint8_t *to, size_t used, struct str text)
{
    size_t room = ANSWER_NAME_MAX - used;
    size_t len = text.len < room ? text.len : room;
    if (len)
        memcpy(to + used, text.at, len);
    return used + len;
}

void answer_name(struct answer *answer, enum answer_list list, struct str name, struct str member)
{
    uint8_t text[ANSWER_NAME_MAX];
    size_t len = put(text, 0, name);
    if (member.len) {
        if (name.len)
            len = put(text, len, str_of("#"));
        len = put(text, len, member);
    }
    if (len == 0)
        len = put(text, 0, str_of("\"\""));
    answer->head.totals[list]++;
    if (len + 2 > sizeof answer->bytes - answer->size)
        return;
    uint8_t *at = answer->bytes + answer->size;
    at[0] = (uint8_t)list;
    at[1] = (uint8_t)len;
    memcpy(at + 2, text, len);
    answer->size += 2 + len;
}
