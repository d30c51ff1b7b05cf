#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char key[32];
    int64_t rows, units;
    double revenue;
} Totals;

typedef struct {
    char *text;
    size_t len, cap;
} Buffer;

static void append(Buffer *b, const char *s, size_t k) {
    if (b->len + k + 1 > b->cap) {
        b->cap = (b->len + k + 1) * 2;
        b->text = realloc(b->text, b->cap);
    }
    memcpy(b->text + b->len, s, k);
    b->len += k;
    b->text[b->len] = '\0';
}

static Buffer make_csv(int64_t count) {
    static const char *const regions[5] = {"north", "south", "east", "west", "central"};
    static const char *const products[4] = {"widget", "gadget", "doohickey", "gizmo"};
    Buffer out = {0};
    const char *header = "date,region,product,units,price";
    append(&out, header, strlen(header));
    int64_t seed = 61;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t day = seed % 28 + 1;
        const char *region = regions[seed % 5];
        seed = (seed * 3877 + 29573) % 139968;
        const char *product = products[seed % 4];
        char row[96];
        int k = snprintf(row, sizeof row,
                         "\n2024-03-%" PRId64 ",%s,%s,%" PRId64 ",%" PRId64 ".%" PRId64, day, region, product,
                         seed % 90, seed % 20 + 1, seed % 4 * 25 + 10);
        append(&out, row, k);
    }
    return out;
}

#define SLOTS 64
static Totals *table[SLOTS];
static int64_t groups;

static Totals *find_group(const char *key) {
    uint64_t h = 1469598103934665603u;
    for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    size_t i = h & (SLOTS - 1);
    while (table[i] && strcmp(table[i]->key, key) != 0) i = (i + 1) & (SLOTS - 1);
    if (!table[i]) {
        table[i] = calloc(1, sizeof(Totals));
        strcpy(table[i]->key, key);
        groups++;
    }
    return table[i];
}

static int by_key(const void *a, const void *b) {
    return strcmp((*(Totals *const *)a)->key, (*(Totals *const *)b)->key);
}

static void report(char *text) {
    int64_t bad = 0;
    bool header = true;
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end) *end = '\0';
        char *next = end ? end + 1 : NULL;
        if (header) {
            header = false;
            line = next;
            continue;
        }
        char *fields[5];
        int count = 0;
        char *p = line;
        while (p) {
            char *comma = strchr(p, ',');
            if (comma) *comma = '\0';
            if (count < 5) fields[count] = p;
            count++;
            p = comma ? comma + 1 : NULL;
        }
        line = next;
        if (count != 5) {
            bad++;
            continue;
        }
        int64_t units = strtoll(fields[3], NULL, 10);
        double price = strtod(fields[4], NULL);
        char key[32];
        snprintf(key, sizeof key, "%s/%s", fields[1], fields[2]);
        Totals *t = find_group(key);
        t->rows++;
        t->units += units;
        t->revenue += units * price;
    }
    printf("groups: %" PRId64 ", bad lines: %" PRId64 "\n", groups, bad);
    Totals *sorted[SLOTS];
    int64_t k = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (table[i]) sorted[k++] = table[i];
    }
    qsort(sorted, k, sizeof *sorted, by_key);
    for (int64_t i = 0; i < k; i++) {
        Totals *t = sorted[i];
        char name[21];
        memset(name, '.', 20);
        name[20] = '\0';
        memcpy(name, t->key, strlen(t->key));
        printf("%s %" PRId64 " %" PRId64 " %" PRId64 "\n", name, t->rows, t->units, (int64_t)t->revenue);
        free(t);
    }
}

int main(int argc, char **argv) {
    int64_t count = argc > 1 ? atoll(argv[1]) : 400000;
    Buffer csv = make_csv(count);
    printf("bytes: %zu\n", csv.len);
    report(csv.text);
    free(csv.text);
    return 0;
}
