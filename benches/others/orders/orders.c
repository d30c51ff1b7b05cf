#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Errors are returned as codes, with the message in a buffer of the caller. */
typedef enum { OK, ITEM, MONEY, STOCK, ZERO } Code;

typedef struct {
    const char *name;
    int64_t left, price;
} Item;

/* A tiny hash table of the items, with open addressing. */
static Item table[16];
static int64_t balances[50];

static Item *slot(const char *name) {
    uint32_t h = 2166136261u;
    for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
    uint32_t i = h & 15;
    while (table[i].name && strcmp(table[i].name, name) != 0) i = (i + 1) & 15;
    return &table[i];
}

static Code check_item(const char *name, char *message, size_t size) {
    if (slot(name)->name) return OK;
    snprintf(message, size, "unknown item %s", name);
    return ITEM;
}

static Code reserve(const char *name, int64_t quantity, char *message, size_t size) {
    Code code = check_item(name, message, size);
    if (code != OK) return code;
    Item *item = slot(name);
    if (item->left < quantity) {
        snprintf(message, size, "only %" PRId64 " of %s left", item->left, name);
        return STOCK;
    }
    item->left -= quantity;
    return OK;
}

static Code charge(int64_t customer, int64_t amount, int64_t *score, char *message, size_t size) {
    if (amount > balances[customer]) {
        snprintf(message, size, "customer %" PRId64 " lacks %" PRId64, customer,
                 amount - balances[customer]);
        return MONEY;
    }
    balances[customer] -= amount;
    if (amount == 0) {
        snprintf(message, size, "Division by zero");
        return ZERO;
    }
    *score = 100000 / amount;
    return OK;
}

static Code place(int64_t customer, const char *name, int64_t quantity, int64_t *score,
                  char *message, size_t size) {
    Code code = reserve(name, quantity, message, size);
    if (code != OK) return code;
    code = charge(customer, slot(name)->price * quantity, score, message, size);
    if (code != OK) slot(name)->left += quantity;
    return code;
}

static Code place_with_retry(int64_t customer, const char *name, int64_t quantity,
                             int64_t *score, char *message, size_t size) {
    Code code = place(customer, name, quantity, score, message, size);
    if (code == ZERO) {
        *score = 1;
        return OK;
    }
    if (code == STOCK) {
        slot(name)->left += 1000;
        return place(customer, name, quantity, score, message, size);
    }
    if (code == MONEY) balances[customer] += 400;
    return code;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2500000;
    static const Item initial[5] = {
        {"axle", 40, 80}, {"bolt", 500, 2}, {"gear", 60, 35}, {"gift", 900, 0}, {"nut", 800, 1}};
    static const char *const items[8] = {"bolt", "nut", "gear", "axle",
                                         "bolt", "nut", "gift", "sprocket"};
    for (int i = 0; i < 5; i++) *slot(initial[i].name) = initial[i];
    for (int64_t c = 0; c < 50; c++) balances[c] = 1000 + c * 10;
    int64_t seed = 42, done = 0, total = 0, message_chars = 0;
    int64_t failed[5] = {0};
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t r = seed / 1024, score = 0;
        char message[80];
        Code code = place_with_retry(r % 50, items[r / 50 % 8], r / 400 % 20 + 1, &score, message,
                                     sizeof message);
        if (code == OK) {
            total += score;
            done++;
        } else {
            failed[code]++;
            message_chars += (int64_t)strlen(message);
        }
    }
    printf("%" PRId64 " %" PRId64 "\n", done, total);
    printf("{\"item\": %" PRId64 ", \"money\": %" PRId64 ", \"stock\": %" PRId64 "} %" PRId64 "\n",
           failed[ITEM], failed[MONEY], failed[STOCK], message_chars);
    for (int i = 0; i < 5; i++) {
        printf("%s\"%s\": %" PRId64, i ? ", " : "{", initial[i].name, slot(initial[i].name)->left);
    }
    int64_t sum = 0;
    for (int64_t c = 0; c < 50; c++) sum += balances[c];
    printf("}\n%" PRId64 "\n", sum);
    return 0;
}
