#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends tokens separated by blanks. */
static char *generate(int64_t size, int64_t start) {
    char *text = malloc(size * 8 + 64);
    int64_t len = 0, count = 0, depth = 0, seed = start;
    while (count < size || depth > 1) {
        if (count > 0) text[len++] = ' ';
        seed = (seed * 3877 + 29573) % 139968;
        if (count < size && (depth < 2 || seed % 2 == 0)) {
            len += sprintf(text + len, "%" PRId64, seed % 1000);
            depth += 1;
        } else {
            text[len++] = "+-*"[seed % 3];
            depth -= 1;
        }
        count += 1;
    }
    text[len] = '\0';
    return text;
}

static int64_t evaluate(const char *text) {
    int64_t cap = 16, depth = 0;
    int64_t *stack = malloc(cap * sizeof *stack);
    const char *p = text;
    while (*p) {
        char c = *p;
        if (c == '+' || c == '-' || c == '*') {
            int64_t b = stack[--depth];
            int64_t a = stack[--depth];
            if (c == '+') {
                stack[depth++] = (a + b) % 10007;
            } else if (c == '-') {
                stack[depth++] = (a - b) % 10007;
            } else {
                stack[depth++] = a * b % 10007;
            }
            p += 1;
        } else {
            char *end;
            if (depth == cap) {
                cap *= 2;
                stack = realloc(stack, cap * sizeof *stack);
            }
            stack[depth++] = strtoll(p, &end, 10);
            p = end;
        }
        if (*p == ' ') p += 1;
    }
    int64_t result = stack[0];
    free(stack);
    return result;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 400000;
    char *texts[16];
    for (int64_t i = 0; i < 16; i++) texts[i] = generate(100, i * 31 + 1);
    int64_t chars = 0, total = 0;
    for (int64_t i = 0; i < n; i++) {
        const char *text = texts[i % 16];
        chars += (int64_t)strlen(text);
        total = (total * 31 + evaluate(text)) % 1000003;
    }
    printf("%" PRId64 "\n%" PRId64 "\n", chars, total);
    for (int64_t i = 0; i < 16; i++) free(texts[i]);
    return 0;
}
