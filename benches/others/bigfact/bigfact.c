#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t *d;
    int64_t len, cap;
} Digits;

static void push(Digits *a, int64_t d) {
    if (a->len == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 8;
        a->d = realloc(a->d, a->cap * sizeof *a->d);
    }
    a->d[a->len++] = d;
}

static Digits single(int64_t d) {
    Digits a = {0};
    push(&a, d);
    return a;
}

static Digits multiply(Digits a, int64_t factor) {
    Digits out = {0};
    int64_t carry = 0;
    for (int64_t i = 0; i < a.len; i++) {
        int64_t v = a.d[i] * factor + carry;
        push(&out, v % 10);
        carry = v / 10;
    }
    while (carry > 0) {
        push(&out, carry % 10);
        carry = carry / 10;
    }
    return out;
}

static Digits add(Digits a, Digits b) {
    Digits out = {0};
    int64_t carry = 0;
    for (int64_t i = 0; i < a.len || i < b.len || carry > 0; i++) {
        int64_t s = carry;
        if (i < a.len) s += a.d[i];
        if (i < b.len) s += b.d[i];
        push(&out, s % 10);
        carry = s / 10;
    }
    return out;
}

static Digits factorial(int64_t n) {
    Digits digits = single(1);
    for (int64_t i = 2; i <= n; i++) {
        Digits next = multiply(digits, i);
        free(digits.d);
        digits = next;
    }
    return digits;
}

static Digits fibonacci(int64_t n) {
    Digits a = single(0), b = single(1);
    for (int64_t i = 0; i < n; i++) {
        Digits next = add(a, b);
        free(a.d);
        a = b;
        b = next;
    }
    free(b.d);
    return a;
}

static char *text(Digits a) {
    char *s = malloc(a.len + 1);
    for (int64_t i = 0; i < a.len; i++) s[i] = '0' + a.d[a.len - 1 - i];
    s[a.len] = '\0';
    return s;
}

int main(int argc, char **argv) {
    int64_t size = argc > 1 ? atoll(argv[1]) : 4500;
    Digits f = factorial(size);
    int64_t zeros = 0, sum = 0;
    while (f.d[zeros] == 0) zeros++;
    for (int64_t i = 0; i < f.len; i++) sum += f.d[i];
    printf("%" PRId64 "! has %" PRId64 " digits, sum %" PRId64 ", %" PRId64 " trailing zeros\n", size, f.len,
           sum, zeros);
    char *s = text(f);
    printf("%.40s\n", s);
    free(s);
    Digits g = fibonacci(size * 3);
    s = text(g);
    printf("fib has %" PRId64 " digits: %.40s\n", g.len, s);
    free(s);
    free(f.d);
    free(g.d);
    return 0;
}
