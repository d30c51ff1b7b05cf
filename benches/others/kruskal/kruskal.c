#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t a, b, weight;
} Edge;

typedef struct {
    int64_t *parent, *size;
    int64_t sets;
} DisjointSet;

static int64_t find(DisjointSet *s, int64_t x) {
    while (s->parent[x] != x) {
        s->parent[x] = s->parent[s->parent[x]];
        x = s->parent[x];
    }
    return x;
}

static bool join(DisjointSet *s, int64_t a, int64_t b) {
    int64_t ra = find(s, a), rb = find(s, b);
    if (ra == rb) return false;
    if (s->size[ra] < s->size[rb]) {
        int64_t t = ra;
        ra = rb;
        rb = t;
    }
    s->parent[rb] = ra;
    s->size[ra] += s->size[rb];
    s->sets--;
    return true;
}

static int ascending(const void *pa, const void *pb) {
    int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 800000;
    int64_t nodes = n / 3 + 2;
    Edge *edges = malloc(n * sizeof *edges);
    int64_t *order = malloc(n * sizeof *order);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t a = seed / 128 % nodes;
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t b = seed / 128 % nodes;
        seed = (seed * 1103515245 + 12345) % 2147483648;
        edges[i] = (Edge){a, b, seed / 1024 % 100000};
        order[i] = edges[i].weight * 10000000 + i;
    }
    qsort(order, n, sizeof *order, ascending);
    DisjointSet sets = {malloc(nodes * sizeof(int64_t)), malloc(nodes * sizeof(int64_t)), nodes};
    for (int64_t i = 0; i < nodes; i++) {
        sets.parent[i] = i;
        sets.size[i] = 1;
    }
    int64_t total = 0, used = 0, h = 0;
    for (int64_t i = 0; i < n; i++) {
        const Edge *e = &edges[order[i] % 10000000];
        if (join(&sets, e->a, e->b)) {
            total += e->weight;
            used++;
            h = (h * 31 + e->a + e->b) % 1000003;
        }
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", used, sets.sets, total);
    printf("%" PRId64 "\n%" PRId64 "\n", sets.size[find(&sets, 0)], h);
    free(edges);
    free(order);
    free(sets.parent);
    free(sets.size);
    return 0;
}
