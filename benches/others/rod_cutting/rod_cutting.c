#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t *make_prices(int64_t n) {
    int64_t *prices = malloc((n + 1) * sizeof *prices);
    prices[0] = 0;
    int64_t seed = 42;
    for (int64_t i = 1; i <= n; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        prices[i] = i * 10 + seed % (3 * i);
    }
    return prices;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 28000;
    int64_t *prices = make_prices(n);
    int64_t *best = calloc(n + 1, sizeof *best);
    int64_t *choice = calloc(n + 1, sizeof *choice);
    for (int64_t size = 1; size <= n; size++) {
        int64_t top = 0, first = 0;
        for (int64_t cut = 1; cut <= size; cut++) {
            int64_t value = prices[cut] + best[size - cut];
            if (value > top) {
                top = value;
                first = cut;
            }
        }
        best[size] = top;
        choice[size] = first;
    }
    int64_t pieces = 0, h = 0;
    for (int64_t rest = n; rest > 0; rest -= choice[rest]) {
        pieces += 1;
        h = (h * 31 + choice[rest]) % 1000003;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", best[n], pieces, h);
    free(prices);
    free(best);
    free(choice);
    return 0;
}
