#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t n;
    int64_t *p;
    bool started;
} Permutations;

static Permutations permutations(int64_t n) {
    Permutations g = {n, malloc(n * sizeof(int64_t)), false};
    for (int64_t i = 0; i < n; i++) g.p[i] = i;
    return g;
}

static bool next(Permutations *g) {
    int64_t n = g->n, *p = g->p;
    if (!g->started) {
        g->started = true;
        return true;
    }
    int64_t i = n - 2;
    while (i >= 0 && p[i] > p[i + 1]) i--;
    if (i < 0) return false;
    int64_t j = n - 1;
    while (p[j] < p[i]) j--;
    int64_t t = p[i];
    p[i] = p[j];
    p[j] = t;
    for (int64_t lo = i + 1, hi = n - 1; lo < hi; lo++, hi--) {
        int64_t u = p[lo];
        p[lo] = p[hi];
        p[hi] = u;
    }
    return true;
}

static bool is_derangement(const int64_t *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (p[i] == i) return false;
    }
    return true;
}

static bool queens_safe(const int64_t *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++) {
            if (p[j] - p[i] == j - i || p[i] - p[j] == j - i) return false;
        }
    }
    return true;
}

static int64_t code(const int64_t *p, int64_t n) {
    int64_t acc = 0;
    for (int64_t i = 0; i < n; i++) acc = (acc * 31 + p[i]) % 1000003;
    return acc;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 10;
    int64_t seen = 0, derangements = 0;
    int64_t *last = calloc(n, sizeof *last);
    Permutations g = permutations(n);
    while (next(&g)) {
        seen++;
        if (is_derangement(g.p, n)) {
            derangements++;
            memcpy(last, g.p, n * sizeof *last);
        }
    }
    free(g.p);
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", seen, derangements, code(last, n));
    size_t len = 0, cap = 16;
    int64_t *codes = malloc(cap * sizeof *codes);
    g = permutations(n);
    while (next(&g)) {
        if (!queens_safe(g.p, n)) continue;
        if (len == cap) codes = realloc(codes, (cap *= 2) * sizeof *codes);
        codes[len++] = code(g.p, n);
    }
    free(g.p);
    int64_t h = 0;
    for (size_t i = 0; i < len; i++) h = (h * 7 + codes[i]) % 1000003;
    printf("%zu\n%" PRId64 "\n", len, h);
    free(codes);
    free(last);
    return 0;
}
