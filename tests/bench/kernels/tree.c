/* Pointers: a balanced tree by random priorities, numbers put in and looked up. */
#define ROUNDS 1000000
#define RESULT 365686u
#include "kernel.h"

struct node {
    uint32_t key, priority, count;
    struct node *left, *right;
};

enum { NODES = 3000 };
static struct node nodes[NODES];
static uint32_t used;

static struct node *insert(struct node *node, uint32_t key)
{
    if (!node) {
        nodes[used] = (struct node){.key = key, .priority = random32()};
        return &nodes[used++];
    }
    if (key == node->key) {
        node->count++;
    } else if (key < node->key) {
        struct node *child = node->left = insert(node->left, key);
        if (child->priority > node->priority) {
            node->left = child->right;
            child->right = node;
            return child;
        }
    } else {
        struct node *child = node->right = insert(node->right, key);
        if (child->priority > node->priority) {
            node->right = child->left;
            child->left = node;
            return child;
        }
    }
    return node;
}

static uint32_t run(uint32_t rounds)
{
    struct node *root = 0;
    for (int i = 0; i < NODES; i++)
        root = insert(root, random32() % 8192);
    uint32_t found = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t key = random32() % 8192;
        const struct node *node = root;
        while (node && node->key != key)
            node = key < node->key ? node->left : node->right;
        if (node)
            found += 1 + node->count;
    }
    return found;
}
