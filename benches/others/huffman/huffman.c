#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t weight, left, right;
} Node;

static Node *nodes;
static int64_t node_count = 0;
static int64_t *heap;
static int64_t heap_size = 0;

static void heap_push(int64_t id) {
    int64_t i = heap_size++;
    while (i > 0) {
        int64_t up = (i - 1) / 2;
        if (nodes[heap[up]].weight <= nodes[id].weight) break;
        heap[i] = heap[up];
        i = up;
    }
    heap[i] = id;
}

static int64_t heap_pop(void) {
    int64_t top = heap[0];
    int64_t last = heap[--heap_size];
    int64_t size = heap_size;
    if (size == 0) return top;
    int64_t weight = nodes[last].weight;
    int64_t i = 0, child = 1;
    while (child < size) {
        if (child + 1 < size && nodes[heap[child + 1]].weight < nodes[heap[child]].weight) child += 1;
        if (nodes[heap[child]].weight >= weight) break;
        heap[i] = heap[child];
        i = child;
        child = 2 * i + 1;
    }
    heap[i] = last;
    return top;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 400000;
    nodes = malloc(2 * n * sizeof *nodes);
    heap = malloc(n * sizeof *heap);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        nodes[node_count++] = (Node){seed % 100000 + 1, -1, -1};
        heap_push(i);
    }
    while (heap_size > 1) {
        int64_t a = heap_pop();
        int64_t b = heap_pop();
        nodes[node_count++] = (Node){nodes[a].weight + nodes[b].weight, a, b};
        heap_push(node_count - 1);
    }
    /* A parent always has a higher number than its children. */
    int64_t *depth = malloc(node_count * sizeof *depth);
    depth[node_count - 1] = 0;
    int64_t bits = 0, longest = 0;
    for (int64_t id = node_count - 1; id >= 0; id--) {
        const Node *node = &nodes[id];
        int64_t d = depth[id];
        if (node->left >= 0) {
            depth[node->left] = d + 1;
            depth[node->right] = d + 1;
        } else {
            bits += node->weight * d;
            if (d > longest) longest = d;
        }
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", node_count, bits, longest);
    free(nodes);
    free(heap);
    free(depth);
    return 0;
}
