#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void shell_sort(int64_t *items, int64_t size) {
    int64_t gap = 1;
    while (gap < size / 3) gap = gap * 3 + 1;
    while (gap > 0) {
        for (int64_t i = gap; i < size; i++) {
            int64_t item = items[i];
            int64_t j = i;
            while (j >= gap && items[j - gap] > item) {
                items[j] = items[j - gap];
                j -= gap;
            }
            items[j] = item;
        }
        gap = gap / 3;
    }
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000000;
    int64_t *data = malloc(n * sizeof *data);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        data[i] = seed;
    }
    shell_sort(data, n);
    int64_t bad = 0, h = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && data[i - 1] > data[i]) bad += 1;
        h = (h * 31 + data[i] % 1000) % 1000003;
    }
    printf("%" PRId64 "\n%" PRId64 "\n", bad, h);
    free(data);
    return 0;
}
