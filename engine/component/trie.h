/* A map from byte strings to pointers whose cost nobody can raise: a lookup looks at each byte of
 * the key a bounded number of times, whatever else is in the map (a binary PATRICIA trie; hash
 * tables over hostile keys need a secret, and a cell has none). Append-only, in a region. */
#ifndef CARREL_COMPONENT_TRIE_H
#define CARREL_COMPONENT_TRIE_H

#include "engine/base/bytes.h"
#include "engine/base/region.h"

struct trie_entry {
    struct bytes key;
    void *value;
};

struct trie {
    struct trie_node *root;
};

/* The entry with that key; if there is none, one with value NULL is made. The key is copied into
 * the region if `copy`, else it must stay where it is. NULL if the region is full. */
struct trie_entry *trie_at(struct trie *trie, struct region *region, struct bytes key, bool copy);

#endif
