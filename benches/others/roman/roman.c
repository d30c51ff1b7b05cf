#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;
    size_t len, cap;
} String;

static void append(String *s, const char *piece) {
    size_t k = strlen(piece);
    if (s->len + k + 1 > s->cap) {
        s->cap = (s->len + k + 1) * 2;
        s->text = realloc(s->text, s->cap);
    }
    memcpy(s->text + s->len, piece, k + 1);
    s->len += k;
}

static const int64_t values[13] = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};
static const char *const symbols[13] = {"M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"};

static String to_roman(int64_t number) {
    String s = {NULL, 0, 0};
    int64_t rest = number, k = 0;
    while (rest > 0) {
        while (rest >= values[k]) {
            append(&s, symbols[k]);
            rest -= values[k];
        }
        k += 1;
    }
    return s;
}

static int64_t digit(char c) {
    switch (c) {
    case 'I': return 1;
    case 'V': return 5;
    case 'X': return 10;
    case 'L': return 50;
    case 'C': return 100;
    case 'D': return 500;
    default: return 1000;
    }
}

static int64_t from_roman(const String *s) {
    int64_t total = 0, last = 0;
    for (size_t i = 0; i < s->len; i++) {
        int64_t v = digit(s->text[i]);
        total += v;
        if (v > last) total -= 2 * last;
        last = v;
    }
    return total;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2500000;
    int64_t seed = 5, chars = 0, wrong = 0, h = 0;
    for (int64_t r = 0; r < n; r++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t number = seed % 3999 + 1;
        String s = to_roman(number);
        chars += (int64_t)s.len;
        int64_t back = from_roman(&s);
        if (back != number) wrong += 1;
        if (s.text[0] == s.text[s.len - 1]) h = (h * 31 + back) % 1000003;
        free(s.text);
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", chars, wrong, h);
    return 0;
}
