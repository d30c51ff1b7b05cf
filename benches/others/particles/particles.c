#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double x, y, vx, vy, mass;
    int64_t bounces;
} Particle;

static void move(Particle *p, double dt) {
    p->x += p->vx * dt;
    p->y += p->vy * dt;
    if (p->x < 0.0) {
        p->x = 0.0 - p->x;
        p->vx = 0.0 - p->vx;
        p->bounces++;
    } else if (p->x > 100.0) {
        p->x = 200.0 - p->x;
        p->vx = 0.0 - p->vx;
        p->bounces++;
    }
    if (p->y < 0.0) {
        p->y = 0.0 - p->y;
        p->vy = 0.0 - p->vy;
        p->bounces++;
    } else if (p->y > 100.0) {
        p->y = 200.0 - p->y;
        p->vy = 0.0 - p->vy;
        p->bounces++;
    }
}

static void pull(Particle *p, double cx, double cy, double dt) {
    double dx = cx - p->x;
    double dy = cy - p->y;
    double d = sqrt(dx * dx + dy * dy) + 1.0;
    p->vx += dx / d * dt;
    p->vy += dy / d * dt;
}

static double energy(const Particle *p) { return 0.5 * p->mass * (p->vx * p->vx + p->vy * p->vy); }

static Particle *make_particles(int64_t count) {
    Particle *list = malloc(count * sizeof *list);
    int64_t seed = 321;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t x = seed % 100;
        seed = (seed * 3877 + 29573) % 139968;
        int64_t y = seed % 100;
        seed = (seed * 3877 + 29573) % 139968;
        double vx = (seed % 200 - 100) / 10.0;
        seed = (seed * 3877 + 29573) % 139968;
        double vy = (seed % 200 - 100) / 10.0;
        list[i] = (Particle){(double)x, (double)y, vx, vy, 1.0 + i % 3, 0};
    }
    return list;
}

int main(int argc, char **argv) {
    int64_t steps = argc > 1 ? atoll(argv[1]) : 20000;
    int64_t count = 1000;
    Particle *particles = make_particles(count);
    for (int64_t s = 0; s < steps; s++) {
        for (int64_t i = 0; i < count; i++) {
            pull(&particles[i], 50.0, 50.0, 0.01);
            move(&particles[i], 0.01);
        }
    }
    double total = 0.0;
    int64_t bounces = 0, left = 0;
    for (int64_t i = 0; i < count; i++) {
        total += energy(&particles[i]);
        bounces += particles[i].bounces;
        if (particles[i].x < 50.0) left++;
    }
    printf("energy: %" PRId64 "\n", (int64_t)total);
    printf("bounces: %" PRId64 "\n", bounces);
    printf("left half: %" PRId64 "\n", left);
    free(particles);
    return 0;
}
