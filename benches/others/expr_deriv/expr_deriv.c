#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum { NUM, X, ADD, MUL } Kind;

typedef struct Expr Expr;
struct Expr {
    Kind kind;
    int64_t value;
    const Expr *left, *right;
};

/* Expressions share subtrees, so all of a round's nodes live in one arena. */
static Expr *arena;
static size_t used, room;
static Expr **chunks;
static size_t chunk_count, chunk_at;

enum { CHUNK = 4096 };

static Expr *node(Kind kind, int64_t value, const Expr *left, const Expr *right) {
    if (used == room) {
        if (chunk_at == chunk_count) {
            chunks = realloc(chunks, (chunk_count + 1) * sizeof *chunks);
            chunks[chunk_count++] = malloc(CHUNK * sizeof(Expr));
        }
        arena = chunks[chunk_at++];
        used = 0;
        room = CHUNK;
    }
    Expr *e = &arena[used++];
    *e = (Expr){kind, value, left, right};
    return e;
}

static void reset(void) { chunk_at = used = room = 0; }

static const Expr *num(int64_t v) { return node(NUM, v, NULL, NULL); }

static int64_t seed = 42;

static int64_t rnd(int64_t limit) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 65536 % limit;
}

static const Expr *build(int depth) {
    if (depth == 0) {
        if (rnd(3) == 0) return num(rnd(9));
        return node(X, 0, NULL, NULL);
    }
    const Expr *left = build(depth - 1);
    const Expr *right = build(depth - 1);
    return node(rnd(2) == 0 ? ADD : MUL, 0, left, right);
}

static const Expr *derive(const Expr *e) {
    switch (e->kind) {
    case NUM: return num(0);
    case X: return num(1);
    case ADD: return node(ADD, 0, derive(e->left), derive(e->right));
    default:
        return node(ADD, 0, node(MUL, 0, derive(e->left), e->right),
                    node(MUL, 0, e->left, derive(e->right)));
    }
}

static int is(const Expr *e, int64_t v) { return e->kind == NUM && e->value == v; }

static const Expr *add(const Expr *a, const Expr *b) {
    if (a->kind == NUM && b->kind == NUM) return num((a->value + b->value) % 10007);
    if (is(a, 0)) return b;
    if (is(b, 0)) return a;
    return node(ADD, 0, a, b);
}

static const Expr *mul(const Expr *a, const Expr *b) {
    if (a->kind == NUM && b->kind == NUM) return num(a->value * b->value % 10007);
    if (is(a, 0) || is(b, 0)) return num(0);
    if (is(a, 1)) return b;
    if (is(b, 1)) return a;
    return node(MUL, 0, a, b);
}

static const Expr *simplify(const Expr *e) {
    switch (e->kind) {
    case ADD: {
        const Expr *a = simplify(e->left);
        return add(a, simplify(e->right));
    }
    case MUL: {
        const Expr *a = simplify(e->left);
        return mul(a, simplify(e->right));
    }
    default: return e;
    }
}

static int64_t eval(const Expr *e, int64_t x) {
    switch (e->kind) {
    case NUM: return e->value;
    case X: return x;
    case ADD: return (eval(e->left, x) + eval(e->right, x)) % 10007;
    default: return eval(e->left, x) * eval(e->right, x) % 10007;
    }
}

static int64_t count(const Expr *e) {
    if (e->kind == ADD || e->kind == MUL) return 1 + count(e->left) + count(e->right);
    return 1;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 10000;
    int64_t nodes = 0, h = 0;
    for (int64_t round = 0; round < n; round++) {
        reset();
        const Expr *e = build(5);
        const Expr *d1 = simplify(derive(e));
        const Expr *d2 = simplify(derive(d1));
        nodes += count(e) + count(d1) + count(d2);
        for (int64_t x = 1; x < 5; x++) {
            h = (h * 31 + eval(e, x) + eval(d1, x) * 7 + eval(d2, x) * 13) % 1000003;
        }
    }
    printf("%" PRId64 "\n%" PRId64 "\n", nodes, h);
    for (size_t i = 0; i < chunk_count; i++) free(chunks[i]);
    free(chunks);
    return 0;
}
