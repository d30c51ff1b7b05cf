#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t id, customer, quantity, price;
    bool paid;
} Order;

typedef struct {
    const Order **items;
    int64_t len;
} Orders;

typedef struct {
    int64_t *items;
    int64_t len;
} Ints;

typedef bool (*Test)(const void *env, const Order *o);

typedef struct {
    int64_t (*call)(int64_t env, int64_t x);
    int64_t env;
} Step;

static Order *make_orders(int64_t count) {
    Order *orders = malloc(count * sizeof *orders);
    int64_t seed = 100;
    for (int64_t i = 0; i < count; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        orders[i] = (Order){i, seed % 20, seed % 9 + 1, seed / 9 % 500, seed % 4 != 0};
    }
    return orders;
}

static Orders filter(const Order *orders, int64_t count, Test test, const void *env) {
    Orders out = {malloc(count * sizeof *out.items), 0};
    for (int64_t i = 0; i < count; i++) {
        if (test(env, &orders[i])) out.items[out.len++] = &orders[i];
    }
    return out;
}

static Ints map(Orders a, int64_t (*f)(const Order *)) {
    Ints out = {malloc((a.len + 1) * sizeof *out.items), a.len};
    for (int64_t i = 0; i < a.len; i++) out.items[i] = f(a.items[i]);
    return out;
}

static int64_t reduce(Ints a, int64_t acc, int64_t (*f)(int64_t, int64_t)) {
    for (int64_t i = 0; i < a.len; i++) acc = f(acc, a.items[i]);
    return acc;
}

static const Order *find(const Order *orders, int64_t count, Test test, const void *env) {
    for (int64_t i = 0; i < count; i++) {
        if (test(env, &orders[i])) return &orders[i];
    }
    return NULL;
}

static bool paid_above(const void *env, const Order *o) { return o->paid && o->price > *(const int64_t *)env; }
static bool open_large(const void *env, const Order *o) {
    return o->customer == *(const int64_t *)env && !o->paid && o->quantity > 7;
}
static bool expensive(const void *env, const Order *o) {
    return o->customer == *(const int64_t *)env && o->price > 400;
}
static int64_t amount(const Order *o) { return o->quantity * o->price; }
static int64_t plus(int64_t acc, int64_t x) { return acc + x; }
static int64_t larger(int64_t a, int64_t x) { return x > a ? x : a; }
static int64_t add_percent(int64_t rate, int64_t x) { return x + x * rate / 100; }
static int64_t round_down(int64_t env, int64_t x) {
    (void)env;
    return x - x % 5;
}
static int64_t discount(int64_t env, int64_t x) {
    (void)env;
    return x > 10000 ? x - 100 : x;
}

static int64_t pipe_all(const Step *steps, int64_t count, int64_t x) {
    for (int64_t i = 0; i < count; i++) x = steps[i].call(steps[i].env, x);
    return x;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 200000;
    int64_t count = 200;
    Order *orders = make_orders(count);
    const Step with_fees[] = {{add_percent, 19}, {round_down, 0}, {discount, 0}};
    int64_t grand = 0, biggest = 0, unpaid_rounds = 0;
    for (int64_t r = 0; r < rounds; r++) {
        int64_t limit = r % 100, customer = r % 20;
        Orders kept = filter(orders, count, paid_above, &limit);
        Ints amounts = map(kept, amount);
        int64_t total = reduce(amounts, 0, plus);
        int64_t best = reduce(amounts, 0, larger);
        grand = (grand + pipe_all(with_fees, 3, total)) % 1000003;
        if (best > biggest) biggest = best;
        if (find(orders, count, open_large, &customer)) unpaid_rounds++;
        const Order *first = find(orders, count, expensive, &customer);
        if (first) grand += first->id;
        free(kept.items);
        free(amounts.items);
    }
    printf("grand: %" PRId64 "\n", grand);
    printf("biggest: %" PRId64 "\n", biggest);
    printf("rounds with open orders: %" PRId64 "\n", unpaid_rounds);
    free(orders);
    return 0;
}
