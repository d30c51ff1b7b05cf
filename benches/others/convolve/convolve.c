#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static double *make_signal(int64_t n) {
    double *out = malloc(n * sizeof *out);
    for (int64_t i = 0; i < n; i++) out[i] = (double)(i * 37 % 101) * 0.25 - 12.0;
    return out;
}

static double *make_kernel(int64_t taps) {
    double *out = malloc(taps * sizeof *out);
    int64_t half = taps / 2;
    for (int64_t i = 0; i < taps; i++) {
        int64_t distance = i - half;
        if (distance < 0) distance = -distance;
        out[i] = (double)(half + 1 - distance) / 289.0;
    }
    return out;
}

static double *convolve(const double *signal, int64_t n, const double *kernel, int64_t taps) {
    double *out = malloc((n - taps + 1) * sizeof *out);
    for (int64_t i = 0; i < n - taps + 1; i++) {
        double acc = 0.0;
        for (int64_t j = 0; j < taps; j++) acc += signal[i + j] * kernel[taps - 1 - j];
        out[i] = acc;
    }
    return out;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 6000000;
    const int64_t taps = 33;
    double *signal = make_signal(n);
    double *kernel = make_kernel(taps);
    double *smooth = convolve(signal, n, kernel, taps);
    int64_t size = n - taps + 1;
    double energy = 0.0, peak = smooth[0];
    for (int64_t i = 0; i < size; i++) {
        double v = smooth[i];
        energy += v * v;
        if (v > peak) peak = v;
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", size, (int64_t)(energy * 1000.0), (int64_t)(peak * 1000000.0));
    free(signal);
    free(kernel);
    free(smooth);
    return 0;
}
