#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t encode(int64_t i) { return i ^ (i >> 1); }

static int64_t decode(int64_t code) {
    int64_t value = code;
    for (int64_t mask = code >> 1; mask != 0; mask >>= 1) value ^= mask;
    return value;
}

static int64_t popcount(int64_t bits) {
    int64_t count = 0;
    while (bits != 0) {
        bits &= bits - 1;
        count += 1;
    }
    return count;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 12000000;
    int64_t ones = 0, wrong = 0, h = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t code = encode(i);
        ones += popcount(code);
        if (decode(code) != i) wrong += 1;
        h = (h * 31 + code) & 16777215;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", ones, wrong, h);
    return 0;
}
