/* Names, each kept once; see symbol.h. */
#include "engine/component/symbol.h"

#include "engine/base/ascii.h"

struct symbol *symbol_of(struct symbols *symbols, struct str text, bool copy)
{
    struct bytes key = {(const uint8_t *)text.at, text.len};
    struct trie_entry *entry = trie_at(&symbols->names, symbols->region, key, copy);
    if (!entry)
        return NULL;
    if (entry->value)
        return entry->value;
    struct symbol *symbol = region_new(symbols->region, struct symbol);
    if (!symbol)
        return NULL;
    symbol->text = (struct str){(const char *)entry->key.at, entry->key.len};
    symbol->serial = symbols->count++;
    entry->value = symbol;
    return symbol;
}

static bool begins(struct str text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.at, with, len) == 0;
}

/* In lower case and without [method] or [static]; l.l becomes l. Versions keep their case: the
 * letters of a pre-release are no acronyms. */
static struct str fold(struct str text, char *to)
{
    bool annotated = begins(text, "[method]") || begins(text, "[static]");
    size_t from = annotated ? strlen("[method]") : 0;
    size_t len = text.len - from;
    size_t dot = len;
    bool version = false;
    for (size_t i = 0; i < len; i++) {
        char c = text.at[from + i];
        version |= c == '@';
        to[i] = (char)(version ? c : ascii_small(c));
        if (annotated && c == '.' && dot == len)
            dot = i;
    }
    if (dot < len && len == 2 * dot + 1 && memcmp(to, to + dot + 1, dot) == 0)
        len = dot;
    return (struct str){to, len};
}

struct symbol *symbol_folded(struct symbols *symbols, const struct symbol *of)
{
    struct symbol *symbol = (struct symbol *)(uintptr_t)of; /* which is noted in it */
    if (symbol->folded)
        return symbol->folded;
    uint8_t *mark = region_mark(symbols->region);
    char *room = region_array(symbols->region, char, symbol->text.len + 1);
    if (!room)
        return NULL;
    struct str text = fold(symbol->text, room);
    if (str_eq(text, symbol->text)) {
        region_release(symbols->region, mark);
        symbol->folded = symbol;
        return symbol;
    }
    symbol->folded = symbol_of(symbols, text, false);
    return symbol->folded;
}

/* --- Sorting ------------------------------------------------------------------------------------
 */

static bool before(struct symbol_place a, struct symbol_place b)
{
    return a.key != b.key ? a.key < b.key : a.index < b.index;
}

static void sift(struct symbol_place *places, uint32_t at, uint32_t count)
{
    struct symbol_place moving = places[at];
    for (;;) {
        uint64_t child = (uint64_t)at * 2 + 1;
        if (child >= count)
            break;
        if (child + 1 < count && before(places[child], places[child + 1]))
            child++;
        if (!before(moving, places[child]))
            break;
        places[at] = places[child];
        at = (uint32_t)child;
    }
    places[at] = moving;
}

/* Heapsort: in place, without recursion, n log n for every input. */
void symbol_sort(struct symbol_place *places, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift(places, i, count);
    for (uint32_t end = count; end-- > 1;) {
        struct symbol_place last = places[end];
        places[end] = places[0];
        places[0] = last;
        sift(places, 0, end);
    }
}

uint32_t symbol_search(const struct symbol_place *places, uint32_t count, uint64_t key)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (places[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && places[low].key == key ? places[low].index : SYMBOL_ABSENT;
}
