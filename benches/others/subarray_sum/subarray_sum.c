#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Open-addressing hash map from integers to counts. */
typedef struct {
    int64_t key, value;
    bool used;
} Slot;

typedef struct {
    Slot *slots;
    size_t cap, len;
} Map;

static Slot *find(Slot *slots, size_t cap, int64_t key) {
    uint64_t h = (uint64_t)key * 0x9E3779B97F4A7C15u;
    size_t i = (h >> 32) & (cap - 1);
    while (slots[i].used && slots[i].key != key) i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(Map *m) {
    size_t cap = m->cap * 2;
    Slot *slots = calloc(cap, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].used) *find(slots, cap, m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

static int64_t get(const Map *m, int64_t key) {
    const Slot *s = find(m->slots, m->cap, key);
    return s->used ? s->value : 0;
}

static void set(Map *m, int64_t key, int64_t value) {
    Slot *s = find(m->slots, m->cap, key);
    if (s->used) {
        s->value = value;
        return;
    }
    *s = (Slot){key, value, true};
    m->len += 1;
    if (m->len * 4 > m->cap * 3) grow(m);
}

static void count_sums(const int64_t *data, int64_t n, int64_t target) {
    Map seen = {calloc(16, sizeof(Slot)), 16, 0};
    set(&seen, 0, 1);
    int64_t prefix = 0, found = 0;
    for (int64_t i = 0; i < n; i++) {
        prefix += data[i];
        found += get(&seen, prefix - target);
        set(&seen, prefix, get(&seen, prefix) + 1);
    }
    printf("%" PRId64 "\n%" PRId64 "\n", (int64_t)seen.len, found);
    free(seen.slots);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 6000000;
    int64_t *data = malloc(n * sizeof *data);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        data[i] = seed % 101 - 50;
    }
    count_sums(data, n, 0);
    count_sums(data, n, 77);
    free(data);
    return 0;
}
