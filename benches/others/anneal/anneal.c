#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CITIES = 120 };

static int64_t seed = 42;
static double xs[CITIES], ys[CITIES];
static int64_t tour[CITIES];

static int64_t rand_int(int64_t limit) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 256 % limit;
}

static double rand_float(void) { return (double)rand_int(1000000) / 1000000.0; }

static double dist(int64_t a, int64_t b) {
    double dx = xs[a] - xs[b], dy = ys[a] - ys[b];
    return sqrt(dx * dx + dy * dy);
}

static double tour_length(void) {
    double total = 0.0;
    for (int64_t i = 0; i < CITIES; i++) total += dist(tour[i], tour[(i + 1) % CITIES]);
    return total;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 5000000;
    for (int64_t i = 0; i < CITIES; i++) {
        xs[i] = rand_float() * 1000.0;
        ys[i] = rand_float() * 1000.0;
        tour[i] = i;
    }
    printf("%" PRId64 "\n", (int64_t)tour_length());
    double temperature = 500.0;
    double cooling = exp(log(0.001) / (double)n);
    int64_t accepted = 0;
    for (int64_t step = 0; step < n; step++) {
        int64_t i = rand_int(CITIES - 1);
        int64_t j = rand_int(CITIES - 1);
        temperature *= cooling;
        if (i == j) continue;
        if (i > j) {
            int64_t t = i;
            i = j;
            j = t;
        }
        int64_t a = tour[i], b = tour[i + 1], c = tour[j], d = tour[j + 1];
        double delta = dist(a, c) + dist(b, d) - dist(a, b) - dist(c, d);
        if (delta < 0.0 || rand_float() < exp(-delta / temperature)) {
            for (int64_t lo = i + 1, hi = j; lo < hi; lo++, hi--) {
                int64_t t = tour[lo];
                tour[lo] = tour[hi];
                tour[hi] = t;
            }
            accepted++;
        }
    }
    int64_t h = 0;
    for (int64_t i = 0; i < CITIES; i++) h = (h * 31 + tour[i]) % 1000003;
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", (int64_t)tour_length(), accepted, h);
    return 0;
}
