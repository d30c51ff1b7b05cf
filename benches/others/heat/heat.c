#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static double **plate(int64_t n) {
    double **rows = malloc(n * sizeof *rows);
    for (int64_t i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof **rows);
        for (int64_t j = 0; j < n; j++) rows[i][j] = i == 0 ? 100.0 : 0.0;
    }
    return rows;
}

static void release(double **rows, int64_t n) {
    for (int64_t i = 0; i < n; i++) free(rows[i]);
    free(rows);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000;
    double **grid = plate(n), **next = plate(n);
    double change = 0.0;
    for (int64_t step = 0; step < 200; step++) {
        change = 0.0;
        for (int64_t i = 1; i < n - 1; i++) {
            for (int64_t j = 1; j < n - 1; j++) {
                double v = 0.25 * (grid[i - 1][j] + grid[i + 1][j] + grid[i][j - 1] + grid[i][j + 1]);
                change = change + (v - grid[i][j]);
                next[i][j] = v;
            }
        }
        double **t = grid;
        grid = next;
        next = t;
    }
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) total = total + grid[i][j];
    }
    printf("%" PRId64 "\n", (int64_t)(total * 1000.0));
    printf("%" PRId64 "\n", (int64_t)(change * 1000000.0));
    printf("%" PRId64 "\n", (int64_t)(grid[n / 50 + 1][n / 2] * 1000000000.0));
    release(grid, n);
    release(next, n);
    return 0;
}
