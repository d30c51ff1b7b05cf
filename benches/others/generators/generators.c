#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A generator is a next function over its own state. */
typedef struct Gen {
    bool (*next)(struct Gen *g, int64_t *out);
    struct Gen *source;
    int64_t a, b;
} Gen;

static bool naturals(Gen *g, int64_t *out) {
    if (g->a >= g->b) return false;
    *out = g->a++;
    return true;
}

static bool only_odd(Gen *g, int64_t *out) {
    while (g->source->next(g->source, out)) {
        if (*out % 2 == 1) return true;
    }
    return false;
}

static bool squares(Gen *g, int64_t *out) {
    if (!g->source->next(g->source, out)) return false;
    *out = *out * *out % 10007;
    return true;
}

static bool running_total(Gen *g, int64_t *out) {
    if (!g->source->next(g->source, out)) return false;
    g->a += *out;
    *out = g->a;
    return true;
}

typedef struct {
    int64_t a, b, modulus;
} Fib;

static int64_t fib_next(Fib *f) {
    int64_t value = f->a;
    int64_t next = (f->a + f->b) % f->modulus;
    f->a = f->b;
    f->b = next;
    return value;
}

typedef struct {
    int64_t i, j, size;
} Pairs;

static bool pairs_next(Pairs *p, int64_t *a, int64_t *b) {
    while (p->j >= p->i) {
        p->i++;
        p->j = 0;
        if (p->i >= p->size) return false;
    }
    *a = p->i;
    *b = p->j++;
    return true;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 10000000;
    Gen source = {naturals, NULL, 0, n};
    Gen odd = {only_odd, &source, 0, 0};
    Gen square = {squares, &odd, 0, 0};
    Gen totals = {running_total, &square, 0, 0};
    int64_t check = 0, t;
    while (totals.next(&totals, &t)) check = (check + t) % 1000003;
    printf("totals: %" PRId64 "\n", check);

    Fib fib = {0, 1, 1000003};
    int64_t last = 0;
    for (int64_t seen = 0; seen < n; seen++) last = fib_next(&fib);
    printf("fibonacci: %" PRId64 "\n", last);

    int64_t want = n / 20, count = 0, sum = 0;
    int64_t *evens = malloc((want + 1) * sizeof *evens);
    Fib small = {0, 1, 10007};
    while (count < want) {
        int64_t x = fib_next(&small);
        if (x % 2 == 0) evens[count++] = x / 2;
    }
    for (int64_t i = 0; i < count; i++) sum += evens[i];
    printf("evens: %" PRId64 " %" PRId64 "\n", count, sum);
    free(evens);

    int64_t side = 1, coprime = 0, a, b;
    while (side * side < n / 4) side++;
    Pairs p = {0, 0, side};
    while (pairs_next(&p, &a, &b)) {
        if ((a * a + b) % 7 == 3) coprime++;
    }
    printf("pairs: %" PRId64 "\n", coprime);
    return 0;
}
