#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t key, count, left, right;
} Node;

static Node *nodes;
static int64_t used, room;
static int64_t hash;

static void push_node(int64_t key) {
    if (used == room) {
        room = room ? room * 2 : 16;
        nodes = realloc(nodes, room * sizeof *nodes);
    }
    nodes[used++] = (Node){key, 1, -1, -1};
}

static bool insert_key(int64_t key) {
    if (used == 0) {
        push_node(key);
        return true;
    }
    int64_t at = 0;
    while (true) {
        int64_t k = nodes[at].key;
        if (key == k) {
            nodes[at].count++;
            return false;
        }
        int64_t next = key < k ? nodes[at].left : nodes[at].right;
        if (next < 0) {
            if (key < k) {
                nodes[at].left = used;
            } else {
                nodes[at].right = used;
            }
            push_node(key);
            return true;
        }
        at = next;
    }
}

static bool contains_key(int64_t key) {
    int64_t at = 0;
    while (at >= 0) {
        const Node *node = &nodes[at];
        if (key == node->key) return true;
        at = key < node->key ? node->left : node->right;
    }
    return false;
}

static int64_t height(int64_t at) {
    if (at < 0) return 0;
    int64_t l = height(nodes[at].left);
    int64_t r = height(nodes[at].right);
    return l > r ? l + 1 : r + 1;
}

static void in_order(int64_t at) {
    if (at < 0) return;
    in_order(nodes[at].left);
    hash = (hash * 31 + nodes[at].key * nodes[at].count) % 1000003;
    in_order(nodes[at].right);
}

int main(int argc, char **argv) {
    int64_t total = argc > 1 ? atoll(argv[1]) : 150000;
    int64_t seed = 1234;
    for (int64_t i = 0; i < total; i++) {
        seed = (seed * 16807) % 2147483647;
        insert_key(seed % (total * 4));
    }
    int64_t found = 0;
    for (int64_t i = 0; i < total; i++) {
        seed = (seed * 16807) % 2147483647;
        if (contains_key(seed % (total * 4))) found++;
    }
    in_order(0);
    printf("nodes: %" PRId64 "\n", used);
    printf("height: %" PRId64 "\n", height(0));
    printf("found: %" PRId64 "\n", found);
    printf("hash: %" PRId64 "\n", hash);
    free(nodes);
    return 0;
}
