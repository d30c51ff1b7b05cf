#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { CIRCLE, RECT, TRIANGLE, EMPTY } Kind;

typedef struct {
    Kind kind;
    union {
        struct { int64_t radius; } circle;
        struct { int64_t width, height; } rect;
        struct { int64_t a, b, c; } triangle;
    } as;
} Shape;

typedef struct {
    const char *error; /* NULL when fine */
    int64_t value;
} IntResult;

typedef struct {
    const char *error;
    double value;
} FloatResult;

typedef struct {
    bool some;
    int64_t value;
} Option;

static IntResult ok_int(int64_t v) { return (IntResult){NULL, v}; }
static IntResult err_int(const char *e) { return (IntResult){e, 0}; }
static FloatResult ok_float(double v) { return (FloatResult){NULL, v}; }
static FloatResult err_float(const char *e) { return (FloatResult){e, 0.0}; }

static Shape make_shape(int64_t i) {
    int64_t k = i % 5;
    if (k == 0) return (Shape){CIRCLE, {.circle = {i % 9 + 1}}};
    if (k == 1) return (Shape){RECT, {.rect = {i % 7 + 1, i % 11 + 2}}};
    if (k == 4) return (Shape){.kind = EMPTY};
    return (Shape){TRIANGLE, {.triangle = {i % 5 + 3, i % 6 + 3, i % 8 + 1}}};
}

static IntResult check_triangle(int64_t a, int64_t b, int64_t c) {
    if (a + b <= c || a + c <= b || b + c <= a) return err_int("no triangle");
    return ok_int(a + b + c);
}

static FloatResult area(Shape shape) {
    switch (shape.kind) {
    case CIRCLE: {
        int64_t r = shape.as.circle.radius;
        return ok_float(3.14159 * r * r);
    }
    case RECT: return ok_float((double)(shape.as.rect.width * shape.as.rect.height));
    case TRIANGLE: {
        int64_t a = shape.as.triangle.a, b = shape.as.triangle.b, c = shape.as.triangle.c;
        IntResult p = check_triangle(a, b, c);
        if (p.error) return err_float(p.error);
        double s = p.value / 2.0;
        return ok_float(sqrt(s * (s - a) * (s - b) * (s - c)));
    }
    case EMPTY: return err_float("empty shape");
    }
    return err_float("unknown");
}

static IntResult safe_divide(int64_t a, int64_t b) {
    if (b == 0) return err_int("division by zero");
    return ok_int(a / b);
}

static Option largest_below(const int64_t *values, int64_t count, int64_t limit) {
    Option best = {false, 0};
    for (int64_t i = 0; i < count; i++) {
        if (values[i] < limit && (!best.some || values[i] > best.value)) best = (Option){true, values[i]};
    }
    return best;
}

static IntResult ratio(int64_t i) {
    IntResult x = safe_divide(i * 10, i % 6);
    if (x.error) return x;
    IntResult y = safe_divide(x.value, i % 4);
    if (y.error) return y;
    return ok_int(x.value + y.value);
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 8000000;
    static const int64_t values[8] = {40, 12, 77, 5, 31, 64, 18, 93};
    double total_area = 0.0;
    int64_t invalid = 0, empty = 0, sum_ratio = 0, failures = 0, below = 0, none = 0;
    for (int64_t i = 0; i < rounds; i++) {
        FloatResult a = area(make_shape(i));
        if (!a.error) {
            total_area += a.value;
        } else if (strcmp(a.error, "empty shape") == 0) {
            empty++;
        } else {
            invalid++;
        }
        IntResult r = ratio(i);
        if (r.error) {
            failures++;
        } else {
            sum_ratio = (sum_ratio + r.value) % 1000003;
        }
        Option v = largest_below(values, 8, i % 100);
        if (v.some) below += v.value; else none++;
    }
    printf("area: %" PRId64 "\n", (int64_t)total_area);
    printf("invalid: %" PRId64 " empty: %" PRId64 "\n", invalid, empty);
    printf("ratios: %" PRId64 " failures: %" PRId64 "\n", sum_ratio, failures);
    printf("below: %" PRId64 " none: %" PRId64 "\n", below, none);
    return 0;
}
