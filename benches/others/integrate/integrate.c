#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Closures as a function pointer plus a heap-allocated environment. */
typedef struct {
    double (*call)(void *env, double x);
    void *env;
} Fn;

typedef struct {
    double a, b;
} Line;

typedef struct {
    int64_t len;
    double coeffs[8];
} Poly;

typedef struct {
    Fn f, g;
} Pair;

static double call_line(void *env, double x) {
    Line *l = env;
    return l->a * x + l->b;
}

static double call_poly(void *env, double x) {
    Poly *p = env;
    double y = 0.0;
    for (int64_t i = 0; i < p->len; i++) y = y * x + p->coeffs[i];
    return y;
}

static double call_add(void *env, double x) {
    Pair *p = env;
    return p->f.call(p->f.env, x) + p->g.call(p->g.env, x);
}

static double call_product(void *env, double x) {
    Pair *p = env;
    return p->f.call(p->f.env, x) * p->g.call(p->g.env, x);
}

static double call_after(void *env, double x) {
    Pair *p = env;
    return p->f.call(p->f.env, p->g.call(p->g.env, x));
}

static double call_root(void *env, double x) {
    (void)env;
    return sqrt(x);
}

static Fn line(double a, double b) {
    Line *l = malloc(sizeof *l);
    *l = (Line){a, b};
    return (Fn){call_line, l};
}

static Fn poly(int64_t len, const double *coeffs) {
    Poly *p = malloc(sizeof *p);
    p->len = len;
    for (int64_t i = 0; i < len; i++) p->coeffs[i] = coeffs[i];
    return (Fn){call_poly, p};
}

static Fn pair(double (*call)(void *, double), Fn f, Fn g) {
    Pair *p = malloc(sizeof *p);
    *p = (Pair){f, g};
    return (Fn){call, p};
}

static double simpson(Fn f, double a, double b, int64_t steps) {
    double h = (b - a) / (double)steps;
    double s = f.call(f.env, a) + f.call(f.env, b);
    for (int64_t i = 1; i < steps; i++) {
        double x = a + h * (double)i;
        if (i % 2 == 1) {
            s = s + 4.0 * f.call(f.env, x);
        } else {
            s = s + 2.0 * f.call(f.env, x);
        }
    }
    return s * h / 3.0;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 10000000;
    Fn root = {call_root, NULL};
    Fn cubic = poly(4, (const double[]){1.0, -2.0, 0.5, 3.0});
    Fn functions[4] = {
        cubic,
        pair(call_product, line(2.0, 1.0), line(-0.5, 3.0)),
        pair(call_after, root, line(3.0, 1.0)),
        pair(call_add, pair(call_after, cubic, line(0.5, 0.25)), pair(call_product, root, cubic)),
    };
    for (int i = 0; i < 4; i++) {
        printf("%" PRId64 "\n", (int64_t)(simpson(functions[i], 0.0, 2.0, n) * 1000000.0));
    }
    return 0;
}
