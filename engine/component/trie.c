/* PATRICIA tries; see trie.h.
 *
 * A key is read as a row of bits: a 1 before the eight bits of each byte, zeros after its end. So a
 * key that begins another one differs from it, too. Bit `place` of byte `i`, of 0 to 8, has the
 * number i * ROW + place; those in between are none. */
#include "engine/component/trie.h"

#define LEAF UINT64_MAX
#define ROW  16u

struct trie_node {
    uint64_t bit; /* of the key, where the two sides differ; LEAF in a leaf */
};

struct leaf {
    struct trie_node node;
    struct trie_entry entry;
};

struct inner {
    struct trie_node node;
    struct trie_node *side[2];
    struct leaf *any; /* some leaf below: they all agree in the bits before this node's */
};

static unsigned bit_of(struct bytes key, uint64_t bit)
{
    uint64_t byte = bit / ROW;
    unsigned place = (unsigned)(bit % ROW);
    return byte < key.len ? (0x100u | key.at[byte]) >> (8 - place) & 1 : 0;
}

/* The first bit in which two keys differ; LEAF if they are the same. */
static uint64_t difference(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    while (i < shorter && a.at[i] == b.at[i])
        i++;
    if (i < shorter)
        return i * ROW + 1 + (uint64_t)(__builtin_clz((unsigned)(a.at[i] ^ b.at[i])) - 24);
    return a.len == b.len ? LEAF : shorter * ROW;
}

/* A leaf that shares the longest beginning with the key. Bits behind the key's end need no look:
 * the key differs from all that is below, and there no later than at its end. */
static struct leaf *nearest(const struct trie *trie, struct bytes key)
{
    struct trie_node *node = trie->root;
    while (node->bit != LEAF) {
        struct inner *inner = (struct inner *)node;
        if (node->bit > key.len * ROW)
            return inner->any;
        node = inner->side[bit_of(key, node->bit)];
    }
    return (struct leaf *)node;
}

static struct leaf *leaf_new(struct region *region, struct bytes key, bool copy)
{
    struct leaf *leaf = region_new(region, struct leaf);
    if (!leaf)
        return NULL;
    if (copy && key.len) {
        key.at = region_copy(region, key.at, key.len, 1);
        if (!key.at)
            return NULL;
    }
    leaf->node.bit = LEAF;
    leaf->entry.key = key;
    return leaf;
}

struct trie_entry *trie_at(struct trie *trie, struct region *region, struct bytes key, bool copy)
{
    if (!trie->root) {
        struct leaf *leaf = leaf_new(region, key, copy);
        if (!leaf)
            return NULL;
        trie->root = &leaf->node;
        return &leaf->entry;
    }
    struct leaf *near = nearest(trie, key);
    uint64_t bit = difference(near->entry.key, key);
    if (bit == LEAF)
        return &near->entry;
    struct inner *inner = region_new(region, struct inner);
    struct leaf *leaf = leaf_new(region, key, copy);
    if (!inner || !leaf)
        return NULL;
    struct trie_node **at = &trie->root;
    while ((*at)->bit < bit) /* a leaf's bit is larger than any */
        at = &((struct inner *)*at)->side[bit_of(key, (*at)->bit)];
    unsigned side = bit_of(key, bit);
    inner->node.bit = bit;
    inner->side[side] = &leaf->node;
    inner->side[!side] = *at;
    inner->any = leaf;
    *at = &inner->node;
    return &leaf->entry;
}
