#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double x, y;
} Point;

static double distance2(const Point *a, const Point *b) {
    double dx = a->x - b->x;
    double dy = a->y - b->y;
    return dx * dx + dy * dy;
}

static Point *generate(int64_t n) {
    Point *points = malloc(n * sizeof *points);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        points[i].x = (double)(seed % 1000000) / 1000.0;
        seed = seed * 16807 % 2147483647;
        points[i].y = (double)(seed % 1000000) / 1000.0;
    }
    return points;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 20000;
    Point *points = generate(n);
    double best = distance2(&points[0], &points[1]);
    int64_t first = 0, second = 1;
    for (int64_t i = 0; i < n; i++) {
        Point p = points[i];
        for (int64_t j = i + 1; j < n; j++) {
            double d = distance2(&p, &points[j]);
            if (d < best) {
                best = d;
                first = i;
                second = j;
            }
        }
    }
    printf("%" PRId64 " %" PRId64 "\n%" PRId64 "\n", first, second, (int64_t)(sqrt(best) * 1000000.0));
    free(points);
    return 0;
}
