#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char message[64];
    int64_t actual, limit;
} Error;

typedef struct {
    char message[64];
    int64_t count;
} Tally;

static bool fail(Error *e, const char *message) {
    snprintf(e->message, sizeof e->message, "%s", message);
    return false;
}

static bool parse_age(const char *text, int64_t *out, Error *e) {
    char *end;
    int64_t age = strtoll(text, &end, 10);
    if (end == text || *end) {
        snprintf(e->message, sizeof e->message, "Cannot convert '%s' to int", text);
        return false;
    }
    if (age < 0) return fail(e, "negative age");
    if (age > 150) {
        e->actual = age;
        e->limit = 150;
        return fail(e, "age out of range");
    }
    *out = age;
    return true;
}

static bool parse_record(const char *record, int64_t *out, Error *e) {
    const char *colon = strchr(record, ':');
    if (!colon || strchr(colon + 1, ':')) {
        snprintf(e->message, sizeof e->message, "bad record: %s", record);
        return false;
    }
    const char *start = colon + 1;
    while (isspace((unsigned char)*start)) start++;
    size_t k = strlen(start);
    while (k > 0 && isspace((unsigned char)start[k - 1])) k--;
    char text[32];
    memcpy(text, start, k);
    text[k] = '\0';
    return parse_age(text, out, e);
}

static bool with_default(const char *record, int64_t *out, Error *e) {
    if (parse_record(record, out, e)) return true;
    if (strcmp(e->message, "negative age") == 0) {
        *out = 0;
        return true;
    }
    return false;
}

static bool average(int64_t total, int64_t count, int64_t *out, Error *e) {
    if (count == 0) return fail(e, "Division by zero");
    *out = total / count;
    return true;
}

static int by_message(const void *a, const void *b) {
    return strcmp(((const Tally *)a)->message, ((const Tally *)b)->message);
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 2000000;
    static const char *const records[10] = {"ann: 34", "bob: 7",  "carl: x12", "dora: 199", "ed 17",
                                            "flo: -3", "gus: 61", "hal: 88",   "ida: 150",  "joe: 42"};
    Tally counts[16];
    int64_t kinds = 0, total = 0, good = 0, over = 0;
    for (int64_t i = 0; i < rounds; i++) {
        Error e;
        int64_t age, mean;
        bool ok = with_default(records[i * 7 % 10], &age, &e);
        if (ok) {
            total += age;
            good++;
            if (i % 10 == 9) {
                ok = average(total, i % 4 - 1, &mean, &e);
                if (ok) total += mean % 3;
            }
        }
        if (!ok) {
            int64_t k = 0;
            while (k < kinds && strcmp(counts[k].message, e.message) != 0) k++;
            if (k == kinds) {
                strcpy(counts[k].message, e.message);
                counts[k].count = 0;
                kinds++;
            }
            counts[k].count++;
            if (strcmp(e.message, "age out of range") == 0) over += e.actual - e.limit;
        }
    }
    printf("good: %" PRId64 " total: %" PRId64 " over: %" PRId64 "\n", good, total, over);
    qsort(counts, kinds, sizeof *counts, by_message);
    for (int64_t k = 0; k < kinds; k++) printf("%s %" PRId64 "\n", counts[k].message, counts[k].count);
    return 0;
}
