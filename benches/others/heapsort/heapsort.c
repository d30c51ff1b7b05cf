#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t *random_numbers(int64_t count) {
    int64_t *out = malloc(count * sizeof *out);
    int64_t seed = 2463;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        out[i] = seed;
    }
    return out;
}

static void heap_sort(int64_t *a, int64_t count) {
    int64_t start = count / 2;
    int64_t last = count;
    while (last > 1) {
        if (start > 0) {
            start--;
        } else {
            last--;
            int64_t tmp = a[last];
            a[last] = a[0];
            a[0] = tmp;
        }
        int64_t root = start;
        int64_t child = root * 2 + 1;
        while (child < last) {
            if (child + 1 < last && a[child] < a[child + 1]) child++;
            if (a[root] >= a[child]) break;
            int64_t tmp = a[root];
            a[root] = a[child];
            a[child] = tmp;
            root = child;
            child = root * 2 + 1;
        }
    }
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000000;
    int64_t *a = random_numbers(n);
    heap_sort(a, n);
    int64_t wrong = 0, check = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && a[i - 1] > a[i]) wrong++;
        check = (check * 31 + a[i]) % 1000000007;
    }
    printf("out of order: %" PRId64 "\n", wrong);
    printf("checksum: %" PRId64 "\n", check);
    free(a);
    return 0;
}
