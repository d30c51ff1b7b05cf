#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns a new sorted array; the input is left alone. */
static int64_t *merge_sort(const int64_t *items, int64_t n) {
    int64_t *out = malloc(n * sizeof *out);
    if (n < 2) {
        memcpy(out, items, n * sizeof *out);
        return out;
    }
    int64_t mid = n / 2;
    int64_t *a = merge_sort(items, mid);
    int64_t *b = merge_sort(items + mid, n - mid);
    int64_t na = mid, nb = n - mid, i = 0, j = 0, k = 0;
    while (i < na && j < nb) {
        if (a[i] <= b[j]) {
            out[k++] = a[i++];
        } else {
            out[k++] = b[j++];
        }
    }
    while (i < na) out[k++] = a[i++];
    while (j < nb) out[k++] = b[j++];
    free(a);
    free(b);
    return out;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1800000;
    int64_t *data = malloc(n * sizeof *data);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        data[i] = seed;
    }
    int64_t *sorted = merge_sort(data, n);
    int64_t bad = 0, h = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && sorted[i - 1] > sorted[i]) bad += 1;
        h = (h * 31 + sorted[i] % 1000) % 1000003;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", n, bad, h);
    free(data);
    free(sorted);
    return 0;
}
