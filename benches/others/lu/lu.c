#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static double **make_matrix(int64_t n) {
    double **rows = malloc(n * sizeof *rows);
    int64_t seed = 77;
    for (int64_t i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof *rows[i]);
        for (int64_t j = 0; j < n; j++) {
            seed = (seed * 3877 + 29573) % 139968;
            rows[i][j] = seed / 139968.0 - 0.5;
        }
    }
    return rows;
}

static double **copy_matrix(double **m, int64_t n) {
    double **rows = malloc(n * sizeof *rows);
    for (int64_t i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof *rows[i]);
        for (int64_t j = 0; j < n; j++) rows[i][j] = m[i][j];
    }
    return rows;
}

static int64_t decompose(double **a, int64_t *perm, int64_t n) {
    int64_t swaps = 0;
    for (int64_t i = 0; i < n; i++) perm[i] = i;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++) {
            if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
        }
        if (pivot != k) {
            double *row = a[k];
            a[k] = a[pivot];
            a[pivot] = row;
            int64_t p = perm[k];
            perm[k] = perm[pivot];
            perm[pivot] = p;
            swaps++;
        }
        for (int64_t i = k + 1; i < n; i++) {
            double factor = a[i][k] / a[k][k];
            a[i][k] = factor;
            for (int64_t j = k + 1; j < n; j++) a[i][j] = a[i][j] - factor * a[k][j];
        }
    }
    return swaps;
}

static void solve(double **lu, const int64_t *perm, const double *b, double *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double s = b[perm[i]];
        for (int64_t j = 0; j < i; j++) s -= lu[i][j] * x[j];
        x[i] = s;
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        double s = x[i];
        for (int64_t j = i + 1; j < n; j++) s -= lu[i][j] * x[j];
        x[i] = s / lu[i][i];
    }
}

static void release(double **m, int64_t n) {
    for (int64_t i = 0; i < n; i++) free(m[i]);
    free(m);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 800;
    double **m = make_matrix(n);
    double **lu = copy_matrix(m, n);
    double *b = malloc(n * sizeof *b), *x = malloc(n * sizeof *x);
    int64_t *perm = malloc(n * sizeof *perm);
    for (int64_t i = 0; i < n; i++) b[i] = 1.0 + i % 3;
    int64_t swaps = decompose(lu, perm, n);
    solve(lu, perm, b, x, n);
    double worst = 0.0, total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double s = 0.0;
        for (int64_t j = 0; j < n; j++) s += m[i][j] * x[j];
        double diff = fabs(s - b[i]);
        if (diff > worst) worst = diff;
        total += x[i];
    }
    printf("row swaps: %" PRId64 "\n", swaps);
    printf("solution sum: %" PRId64 "\n", (int64_t)(total * 1000.0));
    printf("residual ok: %s\n", worst < 0.000001 ? "true" : "false");
    release(m, n);
    release(lu, n);
    free(b);
    free(x);
    free(perm);
    return 0;
}
