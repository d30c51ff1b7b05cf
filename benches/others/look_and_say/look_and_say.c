#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;
    size_t len, cap;
} String;

static void append(String *s, const char *piece, size_t k) {
    if (s->len + k + 1 > s->cap) {
        s->cap = (s->len + k + 1) * 2;
        s->text = realloc(s->text, s->cap);
    }
    memcpy(s->text + s->len, piece, k);
    s->len += k;
    s->text[s->len] = '\0';
}

static void append_int(String *s, int64_t value) {
    char digits[24];
    size_t k = sizeof digits;
    do {
        digits[--k] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    append(s, digits + k, sizeof digits - k);
}

static String next_term(const String *s) {
    String out = {NULL, 0, 0};
    int64_t size = (int64_t)s->len;
    int64_t i = 0;
    while (i < size) {
        char ch = s->text[i];
        int64_t count = 1;
        while (i + count < size && s->text[i + count] == ch) count += 1;
        append_int(&out, count);
        append(&out, &ch, 1);
        i += count;
    }
    return out;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 59;
    String term = {NULL, 0, 0};
    append(&term, "1", 1);
    int64_t total = 1;
    for (int64_t step = 1; step < n; step++) {
        String next = next_term(&term);
        free(term.text);
        term = next;
        total += (int64_t)term.len;
    }
    int64_t ones = 0, threes = 0;
    for (size_t i = 0; i < term.len; i++) {
        if (term.text[i] == '1') ones += 1;
        if (term.text[i] == '3') threes += 1;
    }
    printf("%zu\n%" PRId64 "\n%" PRId64 " %" PRId64 "\n", term.len, total, ones, threes);
    free(term.text);
    return 0;
}
