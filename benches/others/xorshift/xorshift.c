#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t state;
} Rng;

static int64_t next(Rng *rng) {
    int64_t x = rng->state;
    x = (x ^ (x << 13)) & 4294967295;
    x = x ^ (x >> 17);
    x = (x ^ (x << 5)) & 4294967295;
    rng->state = x;
    return x;
}

static int64_t popcount(int64_t x) {
    int64_t count = 0;
    while (x != 0) {
        x = x & (x - 1);
        count += 1;
    }
    return count;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 8000000;
    Rng rng = {2463534242};
    int64_t ones = 0, distance = 0, parity = 0, last = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t x = next(&rng);
        int64_t k = popcount(x);
        ones += k;
        parity ^= k & 1;
        distance += popcount(x ^ last);
        last = x;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", ones, distance, parity, last);
    return 0;
}
