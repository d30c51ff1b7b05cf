#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const vocabulary[35] = {
    "the", "of", "and", "river", "stone", "house", "to", "in", "garden", "window", "light", "a",
    "is", "that", "morning", "silver", "it", "was", "bread", "winter", "for", "on", "mountain",
    "letter", "with", "as", "candle", "his", "they", "be", "at", "one", "have", "this", "story",
};

#define SLOTS 256

typedef struct {
    char *key;
    int64_t count;
} Slot;

static Slot table[SLOTS];
static int64_t distinct;
static int64_t seed = 271;

static int64_t next_random(int64_t limit) {
    seed = (seed * 3877 + 29573) % 139968;
    return seed * limit / 139968;
}

static Slot *find(const char *word) {
    uint64_t h = 1469598103934665603u;
    for (const char *p = word; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    size_t i = h & (SLOTS - 1);
    while (table[i].key && strcmp(table[i].key, word) != 0) i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

static void count_word(const char *word) {
    Slot *s = find(word);
    if (!s->key) {
        s->key = strdup(word);
        distinct++;
    }
    s->count++;
}

static void make_line(char *line, int64_t size) {
    char *p = line;
    for (int64_t i = 0; i < size; i++) {
        int64_t a = next_random(35), b = next_random(35);
        const char *word = vocabulary[a * b / 35];
        size_t k = strlen(word);
        if (i > 0) *p++ = ' ';
        memcpy(p, word, k);
        if (i == 0) *p = toupper((unsigned char)*p);
        p += k;
        if (next_random(9) == 0) *p++ = ',';
    }
    *p++ = '.';
    *p = '\0';
}

static void clean(const char *raw, size_t length, char *out) {
    for (size_t i = 0; i < length; i++) {
        if (raw[i] != ',' && raw[i] != '.') *out++ = tolower((unsigned char)raw[i]);
    }
    *out = '\0';
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(Slot *const *)a)->key, (*(Slot *const *)b)->key);
}

int main(int argc, char **argv) {
    int64_t line_count = argc > 1 ? atoll(argv[1]) : 200000;
    int64_t chars = 0;
    for (int64_t i = 0; i < line_count; i++) {
        char line[512], word[64];
        make_line(line, 8 + i % 8);
        chars += strlen(line);
        const char *start = line;
        while (true) {
            const char *end = strchr(start, ' ');
            size_t length = end ? (size_t)(end - start) : strlen(start);
            clean(start, length, word);
            count_word(word);
            if (!end) break;
            start = end + 1;
        }
    }
    printf("characters: %" PRId64 "\n", chars);
    printf("distinct: %" PRId64 "\n", distinct);
    Slot *names[SLOTS];
    int64_t count = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (table[i].key) names[count++] = &table[i];
    }
    qsort(names, count, sizeof *names, by_name);
    for (int rank = 0; rank < 10 && count > 0; rank++) {
        int64_t best = 0;
        for (int64_t i = 0; i < count; i++) {
            if (names[i]->count > names[best]->count) best = i;
        }
        printf("%-10s %8" PRId64 "\n", names[best]->key, names[best]->count);
        memmove(names + best, names + best + 1, (count - best - 1) * sizeof *names);
        count--;
    }
    for (int i = 0; i < SLOTS; i++) free(table[i].key);
    return 0;
}
