#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Open-addressing hash map from a signature to the list of its words. */
typedef struct {
    char *key;
    char **words;
    size_t len, cap;
} Group;

typedef struct {
    Group *slots;
    size_t cap, len;
} Map;

static Group *find(Group *slots, size_t cap, const char *key) {
    uint64_t h = 1469598103934665603u;
    for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    size_t i = h & (cap - 1);
    while (slots[i].key && strcmp(slots[i].key, key) != 0) i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(Map *m) {
    Group *slots = calloc(m->cap * 2, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].key) *find(slots, m->cap * 2, m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap *= 2;
}

static void add(Map *m, const char *key, const char *word) {
    Group *g = find(m->slots, m->cap, key);
    if (g->len == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 4;
        g->words = realloc(g->words, g->cap * sizeof *g->words);
    }
    g->words[g->len++] = strdup(word);
    if (!g->key) {
        g->key = strdup(key);
        if (++m->len * 4 > m->cap * 3) grow(m);
    }
}

static void signature(char *out, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i < n; i++) {
        size_t j = i;
        for (; j > 0 && out[j - 1] > word[i]; j--) out[j] = out[j - 1];
        out[j] = word[i];
    }
    out[n] = 0;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const Group *)a)->key, ((const Group *)b)->key);
}

static size_t unique(char **words, size_t n) {
    Map seen = {calloc(16, sizeof(Group)), 16, 0};
    for (size_t i = 0; i < n; i++) {
        Group *g = find(seen.slots, seen.cap, words[i]);
        if (g->key) continue;
        g->key = words[i];
        if (++seen.len * 4 > seen.cap * 3) grow(&seen);
    }
    free(seen.slots);
    return seen.len;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 600000;
    static const char *const starts[8] = {"st", "tr", "r", "s", "p", "sp", "l", "n"};
    static const char *const middles[8] = {"a", "e", "i", "ea", "ai", "o", "ei", "io"};
    static const char *const ends[8] = {"st", "l", "n", "r", "ts", "ns", "sel", "ter"};
    Map m = {calloc(16, sizeof(Group)), 16, 0};
    int64_t seed = 42;
    char word[32], key[32];
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t r = seed / 1024;
        char *p = stpcpy(word, starts[r % 8]);
        p = stpcpy(p, middles[r / 8 % 8]);
        p = stpcpy(p, ends[r / 64 % 8]);
        p = stpcpy(p, middles[r / 512 % 8]);
        stpcpy(p, ends[r / 4096 % 8]);
        signature(key, word);
        add(&m, key, word);
    }
    Group *groups = malloc(m.len * sizeof *groups);
    size_t used = 0;
    for (size_t i = 0; i < m.cap; i++) {
        if (m.slots[i].key) groups[used++] = m.slots[i];
    }
    qsort(groups, used, sizeof *groups, by_key);
    Group *largest = &groups[0];
    int64_t letters = 0, h = 0;
    for (size_t i = 0; i < used; i++) {
        if (groups[i].len > largest->len) largest = &groups[i];
        for (size_t k = 0; k < groups[i].len; k++) letters += strlen(groups[i].words[k]);
        h = (h * 31 + (int64_t)groups[i].len) % 1000003;
    }
    signature(key, largest->words[0]);
    printf("%zu\n%zu %s %s\n%zu\n", used, largest->len, largest->words[0], key,
           unique(largest->words, largest->len));
    printf("%" PRId64 "\n%" PRId64 "\n", letters, h);
    for (size_t i = 0; i < used; i++) {
        for (size_t k = 0; k < groups[i].len; k++) free(groups[i].words[k]);
        free(groups[i].words);
        free(groups[i].key);
    }
    free(groups);
    free(m.slots);
    return 0;
}
