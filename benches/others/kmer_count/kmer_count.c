#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Open-addressing hash map from owned strings to counts, looked up by slice. */
typedef struct {
    char *key;
    size_t len;
    uint64_t hash;
    int64_t value;
} Slot;

typedef struct {
    Slot *slots;
    size_t cap, len;
} Map;

static uint64_t hash_key(const char *s, size_t n) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h;
}

static Slot *find(Slot *slots, size_t cap, const char *key, size_t len, uint64_t hash) {
    size_t i = hash & (cap - 1);
    while (slots[i].key &&
           (slots[i].hash != hash || slots[i].len != len || memcmp(slots[i].key, key, len) != 0)) {
        i = (i + 1) & (cap - 1);
    }
    return &slots[i];
}

static void grow(Map *m) {
    size_t cap = m->cap * 2;
    Slot *slots = calloc(cap, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        Slot *s = &m->slots[i];
        if (s->key) *find(slots, cap, s->key, s->len, s->hash) = *s;
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

static void count_one(Map *m, const char *key, size_t len) {
    uint64_t hash = hash_key(key, len);
    Slot *s = find(m->slots, m->cap, key, len, hash);
    if (s->key) {
        s->value += 1;
        return;
    }
    s->key = malloc(len + 1);
    memcpy(s->key, key, len);
    s->key[len] = '\0';
    s->len = len;
    s->hash = hash;
    s->value = 1;
    m->len += 1;
    if (m->len * 4 > m->cap * 3) grow(m);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const Slot *)a)->key, ((const Slot *)b)->key);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 9000000;
    const int64_t k = 6;
    char *dna = malloc(n + 1);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        dna[i] = "acgt"[seed / 64 % 4];
    }
    dna[n] = '\0';
    Map m = {calloc(16, sizeof(Slot)), 16, 0};
    for (int64_t i = 0; i < n - k + 1; i++) count_one(&m, dna + i, k);
    Slot *sorted = malloc(m.len * sizeof *sorted);
    size_t used = 0;
    for (size_t i = 0; i < m.cap; i++) {
        if (m.slots[i].key) sorted[used++] = m.slots[i];
    }
    qsort(sorted, used, sizeof *sorted, by_key);
    int64_t top = 0, h = 0;
    const char *best = "";
    for (size_t i = 0; i < used; i++) {
        if (sorted[i].value > top) {
            top = sorted[i].value;
            best = sorted[i].key;
        }
        h = (h * 31 + sorted[i].value) % 1000003;
    }
    printf("%zu\n%s %" PRId64 "\n%" PRId64 "\n", m.len, best, top, h);
    for (size_t i = 0; i < used; i++) free(sorted[i].key);
    free(sorted);
    free(m.slots);
    free(dna);
    return 0;
}
