#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum { IDLE, WORKER, HANDLER, DEVICE } Role;

static const char *const role_names[] = {"idle", "worker", "handler", "device"};

typedef struct {
    int64_t hops, value;
} Packet;

typedef struct {
    Role role;
    int64_t priority;
    Packet *inbox;
    size_t len, cap;
    int64_t runs, state;
} Task;

typedef struct {
    Task tasks[16];
    int count;
    int64_t clock, delivered;
} Scheduler;

static void give(Task *t, Packet p) {
    if (t->len == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 4;
        t->inbox = realloc(t->inbox, t->cap * sizeof *t->inbox);
    }
    t->inbox[t->len++] = p;
}

static Packet take(Task *t) {
    t->runs++;
    return t->inbox[--t->len];
}

static void add(Scheduler *s, Role role, int64_t priority) {
    s->tasks[s->count++] = (Task){.role = role, .priority = priority, .state = 1};
}

static void send(Scheduler *s, int64_t to, int64_t hops, int64_t value) {
    give(&s->tasks[to], (Packet){hops, value});
    s->delivered++;
}

static int choose(const Scheduler *s) {
    int best = -1;
    for (int i = 0; i < s->count; i++) {
        if (s->tasks[i].len == 0) continue;
        if (best < 0 || s->tasks[i].priority > s->tasks[best].priority) best = i;
    }
    return best;
}

static bool step(Scheduler *s) {
    int id = choose(s);
    if (id < 0) return false;
    Task *t = &s->tasks[id];
    Packet p = take(t);
    int64_t state = t->state;
    s->clock++;
    switch (t->role) {
    case IDLE:
        t->state = (state * 5 + 1) % 4096;
        send(s, 1 + state % 2, 0, state);
        send(s, 0, p.hops + 1, p.value);
        break;
    case WORKER:
        t->state = (state + p.value) % 1009;
        send(s, 3 + p.value % 3, p.hops + 1, (p.value * 31 + s->clock) % 1000);
        break;
    case HANDLER:
        t->state = (state * 3 + p.hops) % 1009;
        if (p.hops < 6) send(s, 1 + p.value % 2, p.hops + 1, (p.value + 7) % 1000);
        else send(s, 6, p.hops, p.value);
        break;
    case DEVICE:
        t->state = (state * 31 + p.value) % 1000003;
        break;
    }
    return true;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 10000000;
    static Scheduler os;
    add(&os, IDLE, 0);
    add(&os, WORKER, 30);
    add(&os, WORKER, 25);
    add(&os, HANDLER, 40);
    add(&os, HANDLER, 35);
    add(&os, HANDLER, 20);
    add(&os, DEVICE, 50);
    send(&os, 0, 0, 1);
    int64_t steps = 0;
    while (steps < n && step(&os)) steps++;
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", steps, os.clock, os.delivered);
    for (int i = 0; i < os.count; i++) {
        const Task *t = &os.tasks[i];
        printf("%s %" PRId64 " %zu %" PRId64 "\n", role_names[t->role], t->runs, t->len, t->state);
        free(t->inbox);
    }
    return 0;
}
