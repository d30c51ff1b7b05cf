#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Open-addressing map from non-negative int keys to ints; key -1 marks a free slot. */
typedef struct {
    int64_t key, value;
} Slot;

typedef struct {
    Slot *slots;
    size_t cap, len;
} Map;

static Map new_map(void) {
    Map m = {malloc(16 * sizeof(Slot)), 16, 0};
    for (size_t i = 0; i < m.cap; i++) m.slots[i].key = -1;
    return m;
}

static Slot *find(const Map *m, int64_t key) {
    uint64_t h = (uint64_t)key * 0x9E3779B97F4A7C15u;
    size_t i = (h ^ (h >> 32)) & (m->cap - 1);
    while (m->slots[i].key >= 0 && m->slots[i].key != key) i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

static void put(Map *m, int64_t key, int64_t value) {
    if ((m->len + 1) * 4 > m->cap * 3) {
        Map bigger = {malloc(m->cap * 2 * sizeof(Slot)), m->cap * 2, m->len};
        for (size_t i = 0; i < bigger.cap; i++) bigger.slots[i].key = -1;
        for (size_t i = 0; i < m->cap; i++) {
            if (m->slots[i].key >= 0) *find(&bigger, m->slots[i].key) = m->slots[i];
        }
        free(m->slots);
        *m = bigger;
    }
    Slot *s = find(m, key);
    if (s->key < 0) {
        s->key = key;
        m->len++;
    }
    s->value = value;
}

static Map memo;
static const int64_t coins[8] = {1, 2, 5, 10, 20, 50, 100, 200};

static int64_t ways(int64_t amount, int64_t kind) {
    if (amount == 0) return 1;
    if (amount < 0 || kind < 0) return 0;
    int64_t key = amount * 8 + kind;
    Slot *s = find(&memo, key);
    if (s->key >= 0) return s->value;
    int64_t result = (ways(amount, kind - 1) + ways(amount - coins[kind], kind)) % 1000000007;
    put(&memo, key, result);
    return result;
}

static Map lengths;

static int64_t collatz(int64_t n) {
    if (n == 1) return 1;
    Slot *s = find(&lengths, n);
    if (s->key >= 0) return s->value;
    int64_t next = n % 2 == 0 ? n / 2 : 3 * n + 1;
    int64_t length = collatz(next) + 1;
    put(&lengths, n, length);
    return length;
}

int main(int argc, char **argv) {
    int64_t limit = argc > 1 ? atoll(argv[1]) : 150;
    int64_t check = 0, states = 0;
    for (int64_t r = 0; r < limit; r++) {
        memo = new_map();
        check = (check + ways(400 + r * 3, 7)) % 1000003;
        states += memo.len;
        free(memo.slots);
    }
    printf("ways check: %" PRId64 ", states: %" PRId64 "\n", check, states);
    lengths = new_map();
    int64_t best = 0, best_length = 0;
    for (int64_t i = 1; i < limit * 2000; i++) {
        int64_t length = collatz(i);
        if (length > best_length) {
            best_length = length;
            best = i;
        }
    }
    printf("longest collatz: %" PRId64 " with %" PRId64 " steps, %zu stored\n", best, best_length, lengths.len);
    free(lengths.slots);
    return 0;
}
