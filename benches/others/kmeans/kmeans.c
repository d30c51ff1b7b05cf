#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double x, y;
    int64_t group;
} Point;

typedef struct {
    double x, y, sx, sy;
    int64_t count;
} Center;

static int64_t nearest(const Point *p, const Center *centers, int64_t count) {
    int64_t best = 0;
    double best_d = 1000000000.0;
    for (int64_t c = 0; c < count; c++) {
        double dx = p->x - centers[c].x;
        double dy = p->y - centers[c].y;
        double d = dx * dx + dy * dy;
        if (d < best_d) {
            best_d = d;
            best = c;
        }
    }
    return best;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 800000;
    Point *points = malloc(n * sizeof *points);
    int64_t seed = 42;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 16807 % 2147483647;
        points[i].x = (double)(seed % 10000) * 0.01;
        seed = seed * 16807 % 2147483647;
        points[i].y = (double)(seed % 10000) * 0.01;
        points[i].group = -1;
    }
    Center centers[16];
    for (int64_t c = 0; c < 16; c++) {
        const Point *p = &points[c * n / 16];
        centers[c] = (Center){p->x, p->y, 0.0, 0.0, 0};
    }
    int64_t moves = 0;
    for (int64_t round = 0; round < 20; round++) {
        for (int64_t i = 0; i < n; i++) {
            int64_t c = nearest(&points[i], centers, 16);
            if (c != points[i].group) {
                points[i].group = c;
                moves += 1;
            }
            centers[c].sx += points[i].x;
            centers[c].sy += points[i].y;
            centers[c].count += 1;
        }
        for (int64_t c = 0; c < 16; c++) {
            if (centers[c].count > 0) {
                double k = (double)centers[c].count;
                centers[c].x = centers[c].sx / k;
                centers[c].y = centers[c].sy / k;
            }
            centers[c].sx = 0.0;
            centers[c].sy = 0.0;
            centers[c].count = 0;
        }
    }
    printf("%" PRId64 "\n", moves);
    for (int64_t c = 0; c < 16; c++) {
        printf("%" PRId64 " %" PRId64 "\n", (int64_t)(centers[c].x * 1000000.0), (int64_t)(centers[c].y * 1000000.0));
    }
    free(points);
    return 0;
}
