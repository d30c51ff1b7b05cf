#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t target, weight;
} Edge;

typedef struct {
    int64_t dist, node;
} Entry;

typedef struct {
    Entry *items;
    int64_t len, cap;
} MinHeap;

static void heap_add(MinHeap *h, Entry entry) {
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->items = realloc(h->items, h->cap * sizeof *h->items);
    }
    int64_t i = h->len++;
    h->items[i] = entry;
    while (i > 0) {
        int64_t parent = (i - 1) / 2;
        if (h->items[parent].dist <= h->items[i].dist) break;
        Entry t = h->items[i];
        h->items[i] = h->items[parent];
        h->items[parent] = t;
        i = parent;
    }
}

static Entry heap_take(MinHeap *h) {
    Entry top = h->items[0];
    Entry last = h->items[--h->len];
    int64_t count = h->len;
    if (count > 0) {
        h->items[0] = last;
        int64_t i = 0;
        while (true) {
            int64_t small = i;
            int64_t l = 2 * i + 1, r = l + 1;
            if (l < count && h->items[l].dist < h->items[small].dist) small = l;
            if (r < count && h->items[r].dist < h->items[small].dist) small = r;
            if (small == i) break;
            Entry t = h->items[i];
            h->items[i] = h->items[small];
            h->items[small] = t;
            i = small;
        }
    }
    return top;
}

static Edge **make_graph(int64_t count, int64_t degree) {
    Edge **graph = malloc(count * sizeof *graph);
    int64_t seed = 17;
    for (int64_t i = 0; i < count; i++) {
        graph[i] = malloc(degree * sizeof *graph[i]);
        for (int64_t k = 0; k < degree; k++) {
            seed = (seed * 3877 + 29573) % 139968;
            int64_t t = seed % count;
            seed = (seed * 3877 + 29573) % 139968;
            graph[i][k] = (Edge){t, seed % 97 + 1};
        }
    }
    return graph;
}

static int64_t *shortest(Edge **graph, int64_t count, int64_t degree, int64_t source) {
    int64_t *dist = malloc(count * sizeof *dist);
    for (int64_t i = 0; i < count; i++) dist[i] = 1000000000;
    dist[source] = 0;
    MinHeap heap = {0};
    heap_add(&heap, (Entry){0, source});
    while (heap.len > 0) {
        Entry entry = heap_take(&heap);
        if (entry.dist > dist[entry.node]) continue;
        for (int64_t k = 0; k < degree; k++) {
            Edge edge = graph[entry.node][k];
            int64_t d = entry.dist + edge.weight;
            if (d < dist[edge.target]) {
                dist[edge.target] = d;
                heap_add(&heap, (Entry){d, edge.target});
            }
        }
    }
    free(heap.items);
    return dist;
}

int main(int argc, char **argv) {
    int64_t sources = argc > 1 ? atoll(argv[1]) : 800;
    int64_t count = 3000, degree = 5;
    Edge **graph = make_graph(count, degree);
    int64_t total = 0, farthest = 0;
    for (int64_t s = 0; s < sources; s++) {
        int64_t *dist = shortest(graph, count, degree, s % count);
        for (int64_t i = 0; i < count; i++) {
            if (dist[i] < 1000000000) {
                total += dist[i];
                if (dist[i] > farthest) farthest = dist[i];
            }
        }
        free(dist);
    }
    printf("total: %" PRId64 "\n", total);
    printf("farthest: %" PRId64 "\n", farthest);
    for (int64_t i = 0; i < count; i++) free(graph[i]);
    free(graph);
    return 0;
}
