/* Texts, and how they are written to a stream: what the components here share. */
#ifndef CARREL_TESTS_TEXT_H
#define CARREL_TESTS_TEXT_H

#include "rows.h"

struct text {
    const char *at;
    u32 len;
};
#define LITERAL(s) ((struct text){s, sizeof(s) - 1})
#define NUMBERS(s) (int)(unsigned long)(s).at, (int)(s).len

static inline int same(struct text a, struct text b)
{
    u32 i = 0;
    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i == a.len && i == b.len;
}

/* What the digits at its beginning mean. */
static inline u32 number_of(struct text text)
{
    u32 number = 0;
    for (u32 i = 0; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        number = number * 10 + (u32)(text.at[i] - '0');
    return number;
}

/* In pieces of what blocking-write-and-flush takes at most. A stream that is closed takes nothing
 * more. */
static inline void put(int stream, struct text text)
{
    enum { PIECE = 4096 };
    while (text.len) {
        u32 step = text.len < PIECE ? text.len : PIECE;
        w_output_stream_blocking_write_and_flush(stream, (int)(unsigned long)text.at, (int)step, R);
        if (TAG)
            return;
        text = (struct text){text.at + step, text.len - step};
    }
}

#endif
