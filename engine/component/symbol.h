/* Names, each kept once: two names are equal exactly when their symbols are the same. */
#ifndef CARREL_COMPONENT_SYMBOL_H
#define CARREL_COMPONENT_SYMBOL_H

#include "engine/component/trie.h"

struct symbol {
    struct str text;
    uint32_t serial; /* by which lists of names are sorted and searched */
    uint32_t stamp;  /* of the list of labels that had it last (symbols_stamp) */
    /* What strongly-unique names are compared by (Explainer.md "Name Uniqueness"); NULL until
     * symbol_folded was asked. */
    struct symbol *folded;
};

struct symbols {
    struct region *region;
    struct trie names;
    uint32_t count;
    uint32_t stamp;
};

/* The symbol of a name; the text stays where it is unless `copy`. NULL if the region is full. */
struct symbol *symbol_of(struct symbols *symbols, struct str text, bool copy);

/* The symbol that all names have which are not strongly unique beside this one. NULL as above. */
struct symbol *symbol_folded(struct symbols *symbols, const struct symbol *of);

/* --- Sorted lists of names ----------------------------------------------------------------------
 */

/* One name of a list, or a pair of names, and its place there. */
struct symbol_place {
    uint64_t key;
    uint32_t index;
};

static inline uint64_t symbol_key(const struct symbol *symbol)
{
    return symbol->serial;
}

static inline uint64_t symbol_key_pair(const struct symbol *first, const struct symbol *second)
{
    return (uint64_t)first->serial << 32 | second->serial;
}

/* Sorts in place, by key and then by index. */
void symbol_sort(struct symbol_place *places, uint32_t count);

#define SYMBOL_ABSENT UINT32_MAX

/* The index of the first place with that key, or SYMBOL_ABSENT. */
uint32_t symbol_search(const struct symbol_place *places, uint32_t count, uint64_t key);

#endif
