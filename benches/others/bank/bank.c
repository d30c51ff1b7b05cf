#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char id[16];
    char owner[16];
    int64_t balance, moves;
} Account;

typedef enum { FINE, INSUFFICIENT, UNKNOWN } Status;

#define SLOTS 1024
static Account *table[SLOTS];

static uint64_t hash_key(const char *s) {
    uint64_t h = 1469598103934665603u;
    while (*s) h = (h ^ (unsigned char)*s++) * 1099511628211u;
    return h;
}

static Account **slot(const char *id) {
    size_t i = hash_key(id) & (SLOTS - 1);
    while (table[i] && strcmp(table[i]->id, id) != 0) i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

static void open_account(const char *id, const char *owner, int64_t balance) {
    Account *a = malloc(sizeof *a);
    strcpy(a->id, id);
    strcpy(a->owner, owner);
    a->balance = balance;
    a->moves = 0;
    *slot(id) = a;
}

static void deposit(Account *a, int64_t amount) {
    a->balance += amount;
    a->moves++;
}

static bool withdraw(Account *a, int64_t amount) {
    if (amount > a->balance) return false;
    a->balance -= amount;
    a->moves++;
    return true;
}

static Status transfer(const char *source, const char *target, int64_t amount) {
    Account *to = *slot(target);
    if (to == NULL) return UNKNOWN;
    if (!withdraw(*slot(source), amount)) return INSUFFICIENT;
    deposit(to, amount);
    return FINE;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 2500000;
    static char ids[501][16];
    for (int i = 0; i < 500; i++) {
        char owner[16];
        snprintf(ids[i], sizeof ids[i], "ACC-%d", 1000 + i);
        snprintf(owner, sizeof owner, "owner %d", i % 40);
        open_account(ids[i], owner, 1000);
    }
    strcpy(ids[500], "ACC-9999");
    int64_t poor = 0, unknown = 0, seed = 4711;
    for (int64_t i = 0; i < rounds; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        const char *source = ids[seed % 500];
        seed = (seed * 3877 + 29573) % 139968;
        const char *target = ids[seed % 501];
        seed = (seed * 3877 + 29573) % 139968;
        switch (transfer(source, target, seed % 300)) {
        case INSUFFICIENT: poor++; break;
        case UNKNOWN: unknown++; break;
        case FINE: break;
        }
    }
    int64_t total = 0, moves = 0;
    const Account *richest = *slot(ids[0]);
    for (int i = 0; i < 500; i++) {
        const Account *a = *slot(ids[i]);
        total += a->balance;
        moves += a->moves;
        if (a->balance > richest->balance) richest = a;
    }
    printf("total: %" PRId64 ", moves: %" PRId64 "\n", total, moves);
    printf("insufficient: %" PRId64 ", unknown: %" PRId64 "\n", poor, unknown);
    printf("richest: %s (%s) with %" PRId64 "\n", richest->id, richest->owner, richest->balance);
    for (int i = 0; i < SLOTS; i++) free(table[i]);
    return 0;
}
