#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 30000000;
    double basel = 0.0, harmonic = 0.0, log_two = 0.0, leibniz = 0.0, sign = 1.0;
    for (int64_t i = 1; i <= n; i++) {
        double k = (double)i;
        basel += 1.0 / (k * k);
        harmonic += 1.0 / k;
        log_two += sign / k;
        leibniz += sign / (2.0 * k - 1.0);
        sign = -sign;
    }
    printf("%" PRId64 "\n", (int64_t)(sqrt(basel * 6.0) * 1000000000.0));
    printf("%" PRId64 "\n", (int64_t)(harmonic * 1000000000.0));
    printf("%" PRId64 "\n", (int64_t)(log_two * 1000000000.0));
    printf("%" PRId64 "\n", (int64_t)(leibniz * 4.0 * 1000000000.0));
    return 0;
}
