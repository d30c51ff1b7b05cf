#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2500000;
    int64_t *data = malloc(n * sizeof *data);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        data[i] = seed % 1000000007 + i * 100;
    }
    int64_t *tails = malloc(n * sizeof *tails);
    int64_t *previous = malloc(n * sizeof *previous);
    int64_t size = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t v = data[i], lo = 0, hi = size;
        while (lo < hi) {
            int64_t mid = (lo + hi) / 2;
            if (data[tails[mid]] < v) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        if (lo == size) size += 1;
        tails[lo] = i;
        previous[i] = lo > 0 ? tails[lo - 1] : -1;
    }
    int64_t h = 0, bad = 0, steps = 0, k = tails[size - 1];
    while (k >= 0) {
        h = (h * 31 + data[k] % 1000) % 1000003;
        int64_t p = previous[k];
        if (p >= 0 && data[p] >= data[k]) bad += 1;
        k = p;
        steps += 1;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", size, steps - size + bad, h);
    free(data);
    free(tails);
    free(previous);
    return 0;
}
