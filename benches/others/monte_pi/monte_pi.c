#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 25000000;
    int64_t seed = 12345, inside = 0;
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        double x = seed / 2147483648.0;
        seed = (seed * 1103515245 + 12345) % 2147483648;
        double y = seed / 2147483648.0;
        if (x * x + y * y <= 1.0) inside++;
    }
    double estimate = 4.0 * inside / n;
    printf("inside: %" PRId64 " of %" PRId64 "\n", inside, n);
    printf("pi is about %" PRId64 " / 10000\n", (int64_t)(estimate * 10000));
    return 0;
}
