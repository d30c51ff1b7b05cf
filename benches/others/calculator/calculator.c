#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum { NUMBER, SYMBOL, END } Kind;

typedef struct {
    Kind kind;
    char symbol;
    int64_t value;
} Token;

static Token *tokens;
static int64_t count, room, pos;

static void push_token(Token t) {
    if (count == room) {
        room = room ? room * 2 : 16;
        tokens = realloc(tokens, room * sizeof *tokens);
    }
    tokens[count++] = t;
}

static void tokenize(const char *p) {
    count = 0;
    while (*p) {
        if (*p == ' ') {
            p++;
        } else if (isdigit((unsigned char)*p)) {
            char *end;
            int64_t value = strtoll(p, &end, 10);
            push_token((Token){NUMBER, 0, value});
            p = end;
        } else {
            push_token((Token){SYMBOL, *p, 0});
            p++;
        }
    }
    push_token((Token){END, 0, 0});
}

static char peek(void) { return tokens[pos].symbol; }

static int64_t parse_sum(void);

static int64_t parse_primary(void) {
    Token token = tokens[pos++];
    if (token.kind == NUMBER) return token.value;
    if (token.symbol == '(') {
        int64_t value = parse_sum();
        pos++;
        return value;
    }
    if (token.symbol == '-') return -parse_primary();
    fprintf(stderr, "unexpected %c\n", token.symbol);
    exit(1);
}

static int64_t parse_product(void) {
    int64_t value = parse_primary();
    while (peek() == '*' || peek() == '/' || peek() == '%') {
        char op = peek();
        pos++;
        int64_t right = parse_primary();
        switch (op) {
        case '*': value = value * right; break;
        case '/': value = value / right; break;
        default: value = value % right; break;
        }
    }
    return value;
}

static int64_t parse_sum(void) {
    int64_t value = parse_product();
    while (peek() == '+' || peek() == '-') {
        char op = peek();
        pos++;
        int64_t right = parse_product();
        if (op == '+') value += right; else value -= right;
    }
    return value;
}

static int64_t evaluate(const char *source) {
    tokenize(source);
    pos = 0;
    return parse_sum();
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 250000;
    printf("check: %" PRId64 "\n", evaluate("2 + 3 * (4 - -5) / 2 % 7"));
    int64_t total = 0, symbols = 0;
    for (int64_t r = 0; r < rounds; r++) {
        char expr[160];
        snprintf(expr, sizeof expr,
                 "(%" PRId64 " + 17) * 3 - %" PRId64 " / (%" PRId64 " + 1) + ((12 - %" PRId64 ") * -(4 + %" PRId64
                 ")) %% 1000",
                 r % 100, r, r % 7, r % 13, r % 3);
        total = (total + evaluate(expr)) % 1000003;
        symbols += count;
    }
    printf("total: %" PRId64 "\n", total);
    printf("tokens: %" PRId64 "\n", symbols);
    free(tokens);
    return 0;
}
