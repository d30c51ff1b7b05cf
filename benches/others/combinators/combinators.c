#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value is a number (or character), or an array of values. */
typedef struct Value {
    int64_t number;
    struct Value *items;
    size_t len;
} Value;

typedef struct Parser Parser;
typedef Value (*Apply)(const Parser *self, Value v);

/* A parser is a function with the things it captured. */
struct Parser {
    bool (*run)(const Parser *self, const char *s, size_t *at, Value *out);
    const Parser *p, *q;
    const char *chars;
    Apply apply;
};

static void release(Value v) {
    for (size_t i = 0; i < v.len; i++) release(v.items[i]);
    free(v.items);
}

static bool call(const Parser *p, const char *s, size_t *at, Value *out) { return p->run(p, s, at, out); }

static Parser *make(Parser p) {
    Parser *out = malloc(sizeof *out);
    *out = p;
    return out;
}

static bool run_one_of(const Parser *self, const char *s, size_t *at, Value *out) {
    if (!s[*at] || !strchr(self->chars, s[*at])) return false;
    *out = (Value){s[(*at)++], NULL, 0};
    return true;
}

static bool run_apply(const Parser *self, const char *s, size_t *at, Value *out) {
    if (!call(self->p, s, at, out)) return false;
    Value v = self->apply(self, *out);
    *out = v;
    return true;
}

static bool run_both(const Parser *self, const char *s, size_t *at, Value *out) {
    Value a, b;
    if (!call(self->p, s, at, &a)) return false;
    if (!call(self->q, s, at, &b)) {
        release(a);
        return false;
    }
    *out = (Value){0, malloc(2 * sizeof(Value)), 2};
    out->items[0] = a;
    out->items[1] = b;
    return true;
}

static bool run_either(const Parser *self, const char *s, size_t *at, Value *out) {
    size_t start = *at;
    if (call(self->p, s, at, out)) return true;
    *at = start;
    return call(self->q, s, at, out);
}

static bool run_many(const Parser *self, const char *s, size_t *at, Value *out) {
    size_t cap = 0, start = *at;
    Value v;
    *out = (Value){0, NULL, 0};
    while (call(self->p, s, at, &v)) {
        if (out->len == cap) out->items = realloc(out->items, (cap = cap ? cap * 2 : 4) * sizeof v);
        out->items[out->len++] = v;
        start = *at;
    }
    *at = start;
    return true;
}

static Parser *one_of(const char *chars) { return make((Parser){.run = run_one_of, .chars = chars}); }
static Parser *apply(const Parser *p, Apply f) { return make((Parser){.run = run_apply, .p = p, .apply = f}); }
static Parser *both(const Parser *p, const Parser *q) { return make((Parser){.run = run_both, .p = p, .q = q}); }
static Parser *either(const Parser *p, const Parser *q) { return make((Parser){.run = run_either, .p = p, .q = q}); }
static Parser *many(const Parser *p) { return make((Parser){.run = run_many, .p = p}); }

static Value number_value(Value v, int64_t number) {
    release(v);
    return (Value){number, NULL, 0};
}

static Value to_digit(const Parser *self, Value v) {
    (void)self;
    return number_value(v, v.number - '0');
}

static Value to_number(const Parser *self, Value v) {
    (void)self;
    int64_t acc = v.items[0].number;
    for (size_t i = 0; i < v.items[1].len; i++) acc = acc * 10 + v.items[1].items[i].number;
    return number_value(v, acc);
}

static Value unwrap(const Parser *self, Value v) {
    (void)self;
    return number_value(v, v.items[1].items[0].number);
}

static Value product(const Parser *self, Value v) {
    (void)self;
    int64_t acc = v.items[0].number;
    for (size_t i = 0; i < v.items[1].len; i++) acc = acc * v.items[1].items[i].items[1].number % 1000003;
    return number_value(v, acc);
}

static Value total(const Parser *self, Value v) {
    (void)self;
    int64_t acc = v.items[0].number;
    for (size_t i = 0; i < v.items[1].len; i++) {
        const Value *r = v.items[1].items[i].items;
        acc += r[0].number == '+' ? r[1].number : -r[1].number;
    }
    return number_value(v, acc);
}

static Parser *chain(const Parser *operand, const char *ops, Apply fold) {
    return apply(both(operand, many(both(one_of(ops), operand))), fold);
}

static bool run_inner(const Parser *self, const char *s, size_t *at, Value *out) { return call(self->p, s, at, out); }

static const Parser *grammar(void) {
    Parser *inner = make((Parser){.run = run_inner});
    Parser *digit = apply(one_of("0123456789"), to_digit);
    Parser *number = apply(both(digit, many(digit)), to_number);
    Parser *group = apply(both(one_of("("), both(inner, one_of(")"))), unwrap);
    inner->p = chain(chain(either(number, group), "*", product), "+-", total);
    return inner->p;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 150000;
    static const char *const texts[8] = {
        "1+2*3", "(4+5)*(6-7)*89", "12*(3+4*(5-6))-78", "2*(3*(4*(5*(6+7))))",
        "1000-1-2-3-4-5", "((((42))))*7+", "31*31*31*31*31", "(8-3"};
    const Parser *parse = grammar();
    int64_t failed = 0, partial = 0, h = 0;
    for (int64_t i = 0; i < n; i++) {
        const char *text = texts[i % 8];
        size_t at = 0;
        Value v;
        if (!call(parse, text, &at, &v)) {
            failed++;
        } else {
            if (at < strlen(text)) partial++;
            h = (h * 31 + v.number + 1000003) % 1000003;
        }
    }
    printf("%" PRId64 " %" PRId64 "\n%" PRId64 "\n", failed, partial, h);
    return 0;
}
