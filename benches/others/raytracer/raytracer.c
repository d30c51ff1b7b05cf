#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double x, y, z;
} Vec;

typedef struct {
    Vec center;
    double radius;
    Vec color;
    double mirror;
} Sphere;

typedef struct {
    double t;
    const Sphere *sphere;
} Hit;

static Vec vec(double x, double y, double z) { return (Vec){x, y, z}; }
static Vec add(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
static Vec sub(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
static Vec scale(Vec a, double k) { return vec(a.x * k, a.y * k, a.z * k); }
static double dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vec normalize(Vec a) { return scale(a, 1.0 / sqrt(dot(a, a))); }

#define SPHERES 5
static const Sphere spheres[SPHERES] = {
    {{0.0, -1000.0, 5.0}, 999.0, {0.5, 0.5, 0.4}, 0.1},
    {{0.0, 0.0, 4.0}, 1.0, {0.9, 0.2, 0.2}, 0.3},
    {{1.8, -0.3, 3.5}, 0.7, {0.2, 0.8, 0.3}, 0.2},
    {{-1.7, -0.2, 3.2}, 0.8, {0.2, 0.3, 0.9}, 0.5},
    {{0.3, 1.4, 5.0}, 0.6, {0.8, 0.8, 0.2}, 0.0},
};
static Vec light;

static double distance_to(const Sphere *s, Vec origin, Vec dir) {
    Vec oc = sub(origin, s->center);
    double b = dot(oc, dir);
    double c = dot(oc, oc) - s->radius * s->radius;
    double disc = b * b - c;
    if (disc < 0.0) return -1.0;
    double root = sqrt(disc);
    double near = 0.0 - b - root;
    if (near > 0.001) return near;
    double far = root - b;
    if (far > 0.001) return far;
    return -1.0;
}

static Hit nearest(Vec origin, Vec dir) {
    Hit best = {0.0, NULL};
    for (int i = 0; i < SPHERES; i++) {
        double t = distance_to(&spheres[i], origin, dir);
        if (t > 0.0 && (best.sphere == NULL || t < best.t)) best = (Hit){t, &spheres[i]};
    }
    return best;
}

static bool in_shadow(Vec point) {
    for (int i = 0; i < SPHERES; i++) {
        if (distance_to(&spheres[i], point, light) > 0.0) return true;
    }
    return false;
}

static Vec trace(Vec origin, Vec dir, int depth) {
    Hit hit = nearest(origin, dir);
    if (hit.sphere == NULL) return scale(vec(0.3, 0.5, 0.8), 0.5 + 0.5 * dir.y);
    const Sphere *sphere = hit.sphere;
    Vec point = add(origin, scale(dir, hit.t));
    Vec normal = normalize(sub(point, sphere->center));
    double shade = 0.1;
    double facing = dot(normal, light);
    if (facing > 0.0 && !in_shadow(point)) shade += 0.9 * facing;
    Vec color = scale(sphere->color, shade);
    if (sphere->mirror > 0.0 && depth > 0) {
        Vec reflected = sub(dir, scale(normal, 2.0 * dot(dir, normal)));
        color = add(scale(color, 1.0 - sphere->mirror), scale(trace(point, reflected, depth - 1), sphere->mirror));
    }
    return color;
}

static int64_t to_byte(double v) {
    if (v <= 0.0) return 0;
    if (v >= 1.0) return 255;
    return (int64_t)(v * 255.0);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000;
    light = normalize(vec(0.5, 0.8, -0.6));
    int64_t red = 0, green = 0, blue = 0;
    Vec eye = vec(0.0, 0.2, -2.0);
    for (int64_t y = 0; y < n; y++) {
        for (int64_t x = 0; x < n; x++) {
            Vec dir = normalize(vec((x - n / 2.0) / n, (n / 2.0 - y) / n, 1.0));
            Vec c = trace(eye, dir, 2);
            red += to_byte(c.x);
            green += to_byte(c.y);
            blue += to_byte(c.z);
        }
    }
    printf("red: %" PRId64 " green: %" PRId64 " blue: %" PRId64 "\n", red, green, blue);
    return 0;
}
