#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t depth(int64_t **cut, int64_t i, int64_t j) {
    if (i == j) return 0;
    int64_t k = cut[i][j];
    int64_t left = depth(cut, i, k);
    int64_t right = depth(cut, k + 1, j);
    return (left > right ? left : right) + 1;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 750;
    int64_t *dims = malloc((n + 1) * sizeof *dims);
    int64_t seed = 42;
    for (int64_t i = 0; i <= n; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        dims[i] = seed % 90 + 10;
    }
    int64_t **cost = malloc(n * sizeof *cost);
    int64_t **cut = malloc(n * sizeof *cut);
    for (int64_t i = 0; i < n; i++) {
        cost[i] = calloc(n, sizeof **cost);
        cut[i] = calloc(n, sizeof **cut);
    }
    for (int64_t length = 2; length <= n; length++) {
        for (int64_t i = 0; i + length <= n; i++) {
            int64_t j = i + length - 1;
            int64_t best = -1, at = i;
            for (int64_t k = i; k < j; k++) {
                int64_t c = cost[i][k] + cost[k + 1][j] + dims[i] * dims[k + 1] * dims[j + 1];
                if (best < 0 || c < best) {
                    best = c;
                    at = k;
                }
            }
            cost[i][j] = best;
            cut[i][j] = at;
        }
    }
    int64_t h = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++) h = (h * 31 + cost[i][j] + cut[i][j]) % 1000003;
    }
    printf("%" PRId64 "\n", cost[0][n - 1]);
    printf("%" PRId64 "\n", depth(cut, 0, n - 1));
    printf("%" PRId64 "\n", h);
    for (int64_t i = 0; i < n; i++) {
        free(cost[i]);
        free(cut[i]);
    }
    free(cost);
    free(cut);
    free(dims);
    return 0;
}
