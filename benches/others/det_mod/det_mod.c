#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define P INT64_C(1000000007)

static int64_t power(int64_t base, int64_t e) {
    int64_t b = base % P, r = 1;
    while (e > 0) {
        if (e % 2 == 1) r = r * b % P;
        b = b * b % P;
        e = e / 2;
    }
    return r;
}

static int64_t **make(int64_t n) {
    int64_t **rows = malloc(n * sizeof *rows);
    int64_t seed = 7;
    for (int64_t i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof **rows);
        for (int64_t j = 0; j < n; j++) {
            seed = (seed * 3877 + 29573) % 139968;
            rows[i][j] = seed % 1000;
        }
    }
    return rows;
}

/* Works in place. */
static int64_t determinant(int64_t **m, int64_t n) {
    int64_t det = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t p = k;
        while (p < n && m[p][k] == 0) p += 1;
        if (p == n) return 0;
        if (p != k) {
            int64_t *t = m[k];
            m[k] = m[p];
            m[p] = t;
            det = P - det;
        }
        const int64_t *pivot = m[k];
        det = det * pivot[k] % P;
        int64_t inverse = power(pivot[k], P - 2);
        for (int64_t i = k + 1; i < n; i++) {
            int64_t f = P - m[i][k] * inverse % P;
            for (int64_t j = k; j < n; j++) m[i][j] = (m[i][j] + f * pivot[j]) % P;
        }
    }
    return det;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 800;
    int64_t **m = make(n);
    printf("%" PRId64 "\n", determinant(m, n));
    for (int64_t i = 0; i < n; i++) free(m[i]);
    free(m);
    return 0;
}
