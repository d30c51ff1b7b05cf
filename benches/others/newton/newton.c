#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Closures as a function pointer plus a heap-allocated environment. */
typedef struct {
    double (*call)(void *env, double x);
    void *env;
} Fn;

static double newton(Fn f, Fn df, double start) {
    double x = start;
    for (int64_t i = 0; i < 100; i++) {
        double step = f.call(f.env, x) / df.call(df.env, x);
        x -= step;
        if (step < 0.000000001 && step > -0.000000001) return x;
    }
    return x;
}

static double cubic(void *env, double x) { return x * x * x - *(double *)env; }

static double slope(void *env, double x) {
    (void)env;
    return 3.0 * x * x;
}

static double cube_root(double a) {
    double *env = malloc(sizeof *env);
    *env = a;
    double root = newton((Fn){cubic, env}, (Fn){slope, NULL}, a);
    free(env);
    return root;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2500000;
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) total += cube_root((double)(i % 1000 + 1));
    printf("%" PRId64 "\n", (int64_t)(total * 1000.0));
    return 0;
}
