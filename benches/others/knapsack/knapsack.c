#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t weight, value;
} Item;

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

static Item *make_items(int64_t count) {
    Item *items = malloc(count * sizeof *items);
    int64_t seed = 9;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t w = seed % 90 + 10;
        seed = (seed * 3877 + 29573) % 139968;
        items[i] = (Item){w, seed % 500 + w};
    }
    return items;
}

static int64_t best_value(const Item *items, int64_t count, int64_t capacity) {
    int64_t *best = calloc(capacity + 1, sizeof *best);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t c = capacity; c >= items[i].weight; c--) {
            best[c] = max(best[c], best[c - items[i].weight] + items[i].value);
        }
    }
    int64_t result = best[capacity];
    free(best);
    return result;
}

int main(int argc, char **argv) {
    int64_t count = argc > 1 ? atoll(argv[1]) : 5000;
    Item *items = make_items(count);
    printf("%" PRId64 " items\n", count);
    printf("best: %" PRId64 "\n", best_value(items, count, 40000));
    printf("best small: %" PRId64 "\n", best_value(items, count, 400));
    free(items);
    return 0;
}
