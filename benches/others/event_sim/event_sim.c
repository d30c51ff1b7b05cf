#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum { BREAK, FIXED, START } Kind;

typedef struct {
    int64_t time, machine;
    Kind kind;
} Event;

typedef struct {
    Event *items;
    size_t len, cap;
} Events;

static bool less(Event a, Event b) {
    return a.time == b.time ? a.machine < b.machine : a.time < b.time;
}

static void push(Events *v, Event e) {
    if (v->len == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 16;
        v->items = realloc(v->items, v->cap * sizeof *v->items);
    }
    v->items[v->len++] = e;
}

static void add(Events *heap, Event e) {
    push(heap, e);
    size_t i = heap->len - 1;
    while (i > 0) {
        size_t up = (i - 1) / 2;
        if (less(heap->items[up], e)) break;
        heap->items[i] = heap->items[up];
        i = up;
    }
    heap->items[i] = e;
}

static Event take(Events *heap) {
    Event top = heap->items[0];
    Event last = heap->items[--heap->len];
    size_t i = 0, size = heap->len;
    if (size == 0) return top;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= size) break;
        if (child + 1 < size && less(heap->items[child + 1], heap->items[child])) child++;
        if (less(last, heap->items[child])) break;
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return top;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1500000;
    const int64_t machines = 500;
    int64_t seed = 42;
    Events heap = {0}, waiting = {0};
    for (int64_t m = 0; m < machines; m++) add(&heap, (Event){m * 3, m, START});
    int64_t mechanics = 40, waited = 0, now = 0, h = 0;
    size_t next_waiting = 0;
    int64_t counts[3] = {0};
    for (int64_t i = 0; i < n; i++) {
        Event e = take(&heap);
        now = e.time;
        counts[e.kind]++;
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t delay = seed / 4096 % 900 + 10;
        if (e.kind == START) {
            add(&heap, (Event){now + delay * 10, e.machine, BREAK});
        } else if (e.kind == BREAK) {
            push(&waiting, e);
        } else {
            mechanics++;
            add(&heap, (Event){now + 5, e.machine, START});
        }
        while (mechanics > 0 && next_waiting < waiting.len) {
            Event w = waiting.items[next_waiting++];
            mechanics--;
            waited += now - w.time;
            add(&heap, (Event){now + delay, w.machine, FIXED});
        }
        h = (h * 31 + e.machine + now) % 1000003;
    }
    printf("%" PRId64 "\n", now);
    printf("{\"break\": %" PRId64 ", \"fixed\": %" PRId64 ", \"start\": %" PRId64 "}\n",
           counts[BREAK], counts[FIXED], counts[START]);
    printf("%" PRId64 "\n%" PRId64 "\n", waited, h);
    free(heap.items);
    free(waiting.items);
    return 0;
}
