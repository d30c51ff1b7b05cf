#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Open-addressing hash map from integers to counts; a count of 0 is a free slot. */
typedef struct {
    int64_t key, value;
} Slot;

typedef struct {
    Slot *slots;
    size_t cap, len;
} Map;

static uint64_t hash_key(int64_t key) {
    uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 32);
}

static Slot *find(Slot *slots, size_t cap, int64_t key) {
    size_t i = hash_key(key) & (cap - 1);
    while (slots[i].value && slots[i].key != key) i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(Map *m) {
    size_t cap = m->cap * 2;
    Slot *slots = calloc(cap, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].value) *find(slots, cap, m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1600;
    Map m = {calloc(16, sizeof(Slot)), 16, 0};
    int64_t found = 0, smallest = 0, h = 0;
    for (int64_t a = 1; a <= n; a++) {
        int64_t cube = a * a * a;
        for (int64_t b = a + 1; b <= n; b++) {
            int64_t s = cube + b * b * b;
            Slot *slot = find(m.slots, m.cap, s);
            if (slot->value) {
                slot->value += 1;
                if (slot->value == 2) {
                    found += 1;
                    if (smallest == 0 || s < smallest) smallest = s;
                }
                h = (h * 31 + s) % 1000003;
            } else {
                slot->key = s;
                slot->value = 1;
                m.len += 1;
                if (m.len * 4 > m.cap * 3) grow(&m);
            }
        }
    }
    printf("%zu\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", m.len, found, smallest, h);
    free(m.slots);
    return 0;
}
