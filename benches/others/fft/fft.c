#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.141592653589793;

static void fft(double *re, double *im, int64_t size, double direction) {
    int64_t j = 0;
    for (int64_t i = 1; i < size; i++) {
        int64_t bit = size / 2;
        while (bit > 0 && j >= bit) {
            j -= bit;
            bit = bit / 2;
        }
        j += bit;
        if (i < j) {
            double tr = re[i];
            re[i] = re[j];
            re[j] = tr;
            double ti = im[i];
            im[i] = im[j];
            im[j] = ti;
        }
    }
    for (int64_t width = 2; width <= size; width *= 2) {
        int64_t half = width / 2;
        double angle = direction * 2.0 * PI / width;
        double step_re = cos(angle);
        double step_im = sin(angle);
        for (int64_t start = 0; start < size; start += width) {
            double wr = 1.0, wi = 0.0;
            for (int64_t k = start; k < start + half; k++) {
                int64_t m = k + half;
                double tr = wr * re[m] - wi * im[m];
                double ti = wr * im[m] + wi * re[m];
                re[m] = re[k] - tr;
                im[m] = im[k] - ti;
                re[k] = re[k] + tr;
                im[k] = im[k] + ti;
                double next_wr = wr * step_re - wi * step_im;
                wi = wr * step_im + wi * step_re;
                wr = next_wr;
            }
        }
    }
}

int main(int argc, char **argv) {
    int64_t bits = argc > 1 ? atoll(argv[1]) : 20;
    int64_t count = 1;
    for (int64_t i = 0; i < bits; i++) count *= 2;
    double *re = malloc(count * sizeof *re);
    double *im = malloc(count * sizeof *im);
    double *original = malloc(count * sizeof *original);
    int64_t seed = 5;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        re[i] = seed / 139968.0 + sin(i * 0.01);
        im[i] = 0.0;
    }
    memcpy(original, re, count * sizeof *re);
    fft(re, im, count, 1.0);
    double power = 0.0;
    for (int64_t i = 0; i < count; i++) power += re[i] * re[i] + im[i] * im[i];
    fft(re, im, count, -1.0);
    int64_t bad = 0;
    for (int64_t i = 0; i < count; i++) {
        if (fabs(re[i] / count - original[i]) > 0.000001) bad++;
    }
    printf("size: %" PRId64 "\n", count);
    printf("power: %" PRId64 "\n", (int64_t)(power / count));
    printf("bad: %" PRId64 "\n", bad);
    free(re);
    free(im);
    free(original);
    return 0;
}
