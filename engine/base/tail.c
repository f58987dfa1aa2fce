/* Text that keeps its end; see tail.h. */
#include "engine/base/tail.h"

#include <string.h>

#define MARK "..."
enum { MARK_SIZE = sizeof MARK - 1 };

struct tail tail_of(char *at, size_t size)
{
    size_t len = size ? strnlen(at, size - 1) : 0;
    bool cut = len >= MARK_SIZE && memcmp(at, MARK, MARK_SIZE) == 0;
    return (struct tail){at, size, len, cut};
}

/* What may come in front, so that the mark still may come in front of that. */
static size_t room(const struct tail *tail)
{
    size_t taken = tail->len + MARK_SIZE + 1;
    return tail->size > taken && !tail->cut ? tail->size - taken : 0;
}

/* There is room for it. */
static void put(struct tail *tail, const char *at, size_t len)
{
    memmove(tail->at + len, tail->at, tail->len);
    memcpy(tail->at, at, len);
    tail->len += len;
    tail->at[tail->len] = '\0';
}

static void cut(struct tail *tail)
{
    if (!tail->cut && tail->size > tail->len + MARK_SIZE)
        put(tail, MARK, MARK_SIZE);
    tail->cut = true;
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

void tail_put(struct tail *tail, struct str part)
{
    size_t fits = room(tail);
    if (part.len <= fits) {
        if (part.len)
            put(tail, part.at, part.len);
        return;
    }
    while (fits && continues(part.at[part.len - fits]))
        fits--;
    if (fits)
        put(tail, part.at + part.len - fits, fits);
    cut(tail);
}

/* Those of identifiers in the text format (core specification §6.3.5) but the backslash, which
 * escapes, and brackets, which names of methods have. What begins as a text that is cut is none. */
static bool is_plain(struct str name)
{
    static const char others[] = "!#$%&'*+-./:<=>?@[]^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr(others, c)))
            return false;
    }
    return name.len < MARK_SIZE || memcmp(name.at, MARK, MARK_SIZE) != 0;
}

void tail_put_name(struct tail *tail, struct str name)
{
    if (is_plain(name)) {
        tail_put(tail, name);
        return;
    }
    if (room(tail) < sizeof "\"\"") { /* both, and one byte of the name */
        cut(tail);
        return;
    }
    put(tail, "\"", 1);
    size_t left = name.len;
    while (left) {
        size_t from = left - 1;
        while (from && continues(name.at[from]))
            from--;
        struct str piece = {name.at + from, left - from};
        if (*piece.at == '"')
            piece = str_of("\"\"");
        if (piece.len + 1 > room(tail))
            break;
        put(tail, piece.at, piece.len);
        left = from;
    }
    put(tail, "\"", 1);
    if (left)
        cut(tail);
}
