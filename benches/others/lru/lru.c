#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Node {
    int64_t key, value;
    struct Node *newer, *older; /* use order */
    struct Node *chain;         /* hash bucket */
} Node;

#define BUCKETS 1024

typedef struct {
    int64_t capacity, used, evictions;
    Node *buckets[BUCKETS];
    Node *newest, *oldest;
} Cache;

static size_t bucket(int64_t key) { return ((uint64_t)key * 0x9E3779B97F4A7C15u) >> 54; }

static Node *find(Cache *c, int64_t key) {
    Node *n = c->buckets[bucket(key)];
    while (n && n->key != key) n = n->chain;
    return n;
}

static void hash_insert(Cache *c, Node *n) {
    Node **head = &c->buckets[bucket(n->key)];
    n->chain = *head;
    *head = n;
}

static void hash_remove(Cache *c, Node *n) {
    Node **p = &c->buckets[bucket(n->key)];
    while (*p != n) p = &(*p)->chain;
    *p = n->chain;
}

static void unlink_node(Cache *c, Node *n) {
    if (n->newer) n->newer->older = n->older; else c->newest = n->older;
    if (n->older) n->older->newer = n->newer; else c->oldest = n->newer;
}

static void link_front(Cache *c, Node *n) {
    n->older = c->newest;
    n->newer = NULL;
    if (c->newest) c->newest->newer = n;
    c->newest = n;
    if (!c->oldest) c->oldest = n;
}

static int64_t lookup(Cache *c, int64_t key) {
    Node *n = find(c, key);
    if (!n) return -1;
    if (n != c->newest) {
        unlink_node(c, n);
        link_front(c, n);
    }
    return n->value;
}

static void store(Cache *c, int64_t key, int64_t value) {
    Node *n;
    if (c->used < c->capacity) {
        n = malloc(sizeof *n);
        c->used++;
    } else {
        n = c->oldest;
        unlink_node(c, n);
        hash_remove(c, n);
        c->evictions++;
    }
    n->key = key;
    n->value = value;
    hash_insert(c, n);
    link_front(c, n);
}

int main(int argc, char **argv) {
    int64_t requests = argc > 1 ? atoll(argv[1]) : 8000000;
    static Cache cache = {.capacity = 500};
    int64_t hits = 0, total = 0, seed = 2024;
    for (int64_t r = 0; r < requests; r++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t key = (seed % 1000) * (seed / 1000 % 140) / 140;
        int64_t value = lookup(&cache, key);
        if (value >= 0) {
            hits++;
            total = (total + value) % 1000003;
        } else {
            store(&cache, key, key * 7 + r % 5);
        }
    }
    printf("hits: %" PRId64 " of %" PRId64 "\n", hits, requests);
    printf("evictions: %" PRId64 "\n", cache.evictions);
    printf("cached: %" PRId64 ", check %" PRId64 "\n", cache.used, total);
    while (cache.newest) {
        Node *n = cache.newest;
        cache.newest = n->older;
        free(n);
    }
    return 0;
}
