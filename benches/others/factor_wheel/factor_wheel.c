#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t wheel[8] = {4, 2, 4, 2, 4, 6, 2, 6};
static const int64_t small[3] = {2, 3, 5};

static int64_t largest_factor(int64_t n) {
    int64_t m = n, best = 1;
    for (int i = 0; i < 3; i++) {
        int64_t p = small[i];
        while (m % p == 0) {
            best = p;
            m = m / p;
        }
    }
    int64_t d = 7, k = 0;
    while (d * d <= m) {
        if (m % d == 0) {
            best = d;
            m = m / d;
        } else {
            d += wheel[k];
            k = (k + 1) % 8;
        }
    }
    if (m > 1) best = m;
    return best;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2000000;
    int64_t total = 0, primes = 0;
    for (int64_t i = 2; i <= n; i++) {
        int64_t f = largest_factor(i);
        total += f;
        if (f == i) primes += 1;
    }
    printf("%" PRId64 "\n%" PRId64 "\n", primes, total);
    return 0;
}
