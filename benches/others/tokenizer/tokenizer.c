#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { COMMENT, KEYWORD, NAME, NUMBER, SYMBOL, KINDS } Kind;

static const char *const kind_names[KINDS] = {"comment", "keyword", "name", "number", "symbol"};

typedef struct {
    Kind kind;
    const char *text;
    size_t len;
} Token;

typedef struct {
    char *key;
    int64_t value;
} Slot;

typedef struct {
    Slot *slots;
    size_t cap, len;
} Map;

static Slot *find(Slot *slots, size_t cap, const char *s, size_t n) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    size_t i = h & (cap - 1);
    while (slots[i].key && (strncmp(slots[i].key, s, n) != 0 || slots[i].key[n])) {
        i = (i + 1) & (cap - 1);
    }
    return &slots[i];
}

static void count(Map *m, const char *s, size_t n) {
    Slot *slot = find(m->slots, m->cap, s, n);
    if (slot->key) {
        slot->value++;
        return;
    }
    slot->key = strndup(s, n);
    slot->value = 1;
    if (++m->len * 4 <= m->cap * 3) return;
    Slot *bigger = calloc(m->cap * 2, sizeof *bigger);
    for (size_t i = 0; i < m->cap; i++) {
        const char *k = m->slots[i].key;
        if (k) *find(bigger, m->cap * 2, k, strlen(k)) = m->slots[i];
    }
    free(m->slots);
    m->slots = bigger;
    m->cap *= 2;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static bool is_keyword(const char *s, size_t n) {
    static const char *const keywords[4] = {"let", "if", "return", "while"};
    for (int i = 0; i < 4; i++) {
        if (strlen(keywords[i]) == n && memcmp(keywords[i], s, n) == 0) return true;
    }
    return false;
}

static size_t tokenize(const char *line, size_t size, Token **tokens) {
    size_t count = 0, cap = 16, i = 0;
    Token *out = malloc(cap * sizeof *out);
    while (i < size) {
        char c = line[i];
        size_t start = i;
        Kind kind;
        if (c == ' ') {
            i++;
            continue;
        } else if (is_letter(c)) {
            while (i < size && (is_letter(line[i]) || is_digit(line[i]))) i++;
            kind = is_keyword(line + start, i - start) ? KEYWORD : NAME;
        } else if (is_digit(c)) {
            while (i < size && is_digit(line[i])) i++;
            kind = NUMBER;
        } else if (c == '#') {
            i = size;
            kind = COMMENT;
        } else {
            i++;
            kind = SYMBOL;
        }
        if (count == cap) out = realloc(out, (cap *= 2) * sizeof *out);
        out[count++] = (Token){kind, line + start, i - start};
    }
    *tokens = out;
    return count;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const Slot *)a)->key, ((const Slot *)b)->key);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 300000;
    static const char *const names[8] = {"alpha", "b", "total", "row_count", "x", "index", "tmp", "Node"};
    int64_t kinds[KINDS] = {0};
    Map idents = {calloc(16, sizeof(Slot)), 16, 0};
    int64_t numbers = 0, seed = 42;
    for (int64_t r = 0; r < n; r++) {
        seed = (seed * 3877 + 29573) % 139968;
        char a[32], line[256];
        snprintf(a, sizeof a, "%s%d", names[seed % 8], (int)(seed / 8 % 50));
        const char *b = names[seed / 400 % 8];
        int s = (int)seed, len;
        switch (r % 4) {
        case 0: len = snprintf(line, sizeof line, "let %s = %s + %d * (%s - 17);", a, b, s, a); break;
        case 1: len = snprintf(line, sizeof line, "if %s <= %d { return %s(%s, %d); }", a, s % 100, b, a, (int)(r % 10)); break;
        case 2: len = snprintf(line, sizeof line, "while (%s != %s) %s += %d;  # step %" PRId64, b, a, b, s % 7, r); break;
        default: len = snprintf(line, sizeof line, "    %s[%s] = call_%s(%s, %s, %d);", a, b, b, a, b, s); break;
        }
        Token *tokens;
        size_t found = tokenize(line, (size_t)len, &tokens);
        for (size_t i = 0; i < found; i++) {
            kinds[tokens[i].kind]++;
            if (tokens[i].kind == NAME) count(&idents, tokens[i].text, tokens[i].len);
            else if (tokens[i].kind == NUMBER) numbers += atoll(tokens[i].text);
        }
        free(tokens);
    }
    const char *sep = "{";
    for (int k = 0; k < KINDS; k++) {
        if (!kinds[k]) continue;
        printf("%s\"%s\": %" PRId64, sep, kind_names[k], kinds[k]);
        sep = ", ";
    }
    printf("}\n%" PRId64 "\n", numbers);
    Slot *sorted = malloc(idents.len * sizeof *sorted);
    size_t used = 0;
    for (size_t i = 0; i < idents.cap; i++) {
        if (idents.slots[i].key) sorted[used++] = idents.slots[i];
    }
    qsort(sorted, used, sizeof *sorted, by_key);
    int64_t h = 0;
    for (size_t i = 0; i < used; i++) {
        h = (h * 31 + sorted[i].value + (int64_t)strlen(sorted[i].key)) % 1000003;
        free(sorted[i].key);
    }
    printf("%zu\n%" PRId64 "\n", used, h);
    free(sorted);
    free(idents.slots);
    return 0;
}
