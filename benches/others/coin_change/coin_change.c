#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t *fewest(const int64_t *coins, int64_t kinds, int64_t n) {
    int64_t *best = malloc((n + 1) * sizeof *best);
    best[0] = 0;
    for (int64_t a = 1; a <= n; a++) best[a] = 1000000000;
    for (int64_t i = 0; i < kinds; i++) {
        int64_t c = coins[i];
        for (int64_t a = c; a <= n; a++) best[a] = min(best[a], best[a - c] + 1);
    }
    return best;
}

static int64_t *ways(const int64_t *coins, int64_t kinds, int64_t n) {
    int64_t *count = calloc(n + 1, sizeof *count);
    count[0] = 1;
    for (int64_t i = 0; i < kinds; i++) {
        int64_t c = coins[i];
        for (int64_t a = c; a <= n; a++) count[a] = (count[a] + count[a - c]) % 1000000007;
    }
    return count;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 3000000;
    static const int64_t coins[] = {1, 2, 5, 11, 25, 60, 133, 250, 512};
    int64_t *best = fewest(coins, 9, n);
    int64_t *count = ways(coins, 9, n);
    int64_t most = 0, total = 0, h = 0;
    for (int64_t a = 0; a <= n; a++) {
        most = max(most, best[a]);
        total += best[a];
        h = (h * 31 + count[a]) % 1000003;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", best[n], most, total);
    printf("%" PRId64 "\n%" PRId64 "\n", count[n], h);
    free(best);
    free(count);
    return 0;
}
