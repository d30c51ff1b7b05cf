#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t mt[624];
static int idx = 624;

static void init(uint32_t seed) {
    mt[0] = seed;
    for (uint32_t i = 1; i < 624; i++) {
        mt[i] = 1812433253u * (mt[i - 1] ^ (mt[i - 1] >> 30)) + i;
    }
    idx = 624;
}

static void twist(void) {
    for (int i = 0; i < 624; i++) {
        uint32_t y = (mt[i] & 0x80000000u) | (mt[(i + 1) % 624] & 0x7fffffffu);
        uint32_t next = mt[(i + 397) % 624] ^ (y >> 1);
        if (y & 1) next ^= 0x9908b0dfu;
        mt[i] = next;
    }
    idx = 0;
}

static uint32_t next_u32(void) {
    if (idx >= 624) twist();
    uint32_t y = mt[idx++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 30000000;
    init(5489);
    int64_t all = 0, odd = 0, sum_low = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t r = next_u32();
        all ^= r;
        odd += r & 1;
        sum_low += r % 1000;
        if (r > largest) largest = r;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", all, odd, sum_low, largest);
    return 0;
}
