/* Trees that are made, balanced, searched and thrown away: a search tree, a treap, tries,
 * expressions. */
#include "training.h"

struct node {
    struct node *left, *right;
    uint32_t key, weight;
};

static struct node nodes[20000];
static uint32_t used;

static struct node *make(uint32_t key)
{
    struct node *node = &nodes[used++ % 20000];
    *node = (struct node){.key = key, .weight = number()};
    return node;
}

static struct node *insert(struct node *at, uint32_t key)
{
    if (!at)
        return make(key);
    if (key < at->key)
        at->left = insert(at->left, key);
    else if (key > at->key)
        at->right = insert(at->right, key);
    return at;
}

static struct node *treap(struct node *at, uint32_t key)
{
    if (!at)
        return make(key);
    struct node **side = key < at->key ? &at->left : &at->right;
    struct node *child = *side = treap(*side, key);
    if (child->weight <= at->weight)
        return at;
    if (side == &at->left)
        at->left = child->right, child->right = at;
    else
        at->right = child->left, child->left = at;
    return child;
}

static const struct node *find(const struct node *at, uint32_t key)
{
    while (at && at->key != key)
        at = key < at->key ? at->left : at->right;
    return at;
}

static uint32_t depth(const struct node *at)
{
    if (!at)
        return 0;
    uint32_t left = depth(at->left), right = depth(at->right);
    return 1 + (left > right ? left : right);
}

static int64_t sum(const struct node *at)
{
    return at ? sum(at->left) + at->key + sum(at->right) : 0;
}

static struct node *full(uint32_t levels)
{
    struct node *node = make(levels);
    if (levels) {
        node->left = full(levels - 1);
        node->right = full(levels - 1);
    }
    return node;
}

static struct node *mirror(struct node *at)
{
    if (at) {
        struct node *left = mirror(at->left);
        at->left = mirror(at->right);
        at->right = left;
    }
    return at;
}

static uint32_t trie[4000][4], tries = 1;

static void spell(uint32_t word, uint32_t letters)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < letters; i++, word >>= 2) {
        uint32_t *next = &trie[at][word & 3];
        if (!*next && tries < 4000)
            *next = tries++;
        at = *next;
    }
}

static uint32_t run(void)
{
    struct node *search = 0, *heap = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        search = insert(search, number() % 10000);
        heap = treap(heap, number() % 10000);
        spell(number(), 6);
    }
    for (uint32_t i = 0; i < 6000; i++)
        found += find(search, i) != 0;
    found += depth(search) + depth(heap) + (uint32_t)(sum(search) ^ sum(heap));
    for (uint32_t i = 0; i < 4; i++)
        found += depth(mirror(full(10)));
    return found + tries;
}
