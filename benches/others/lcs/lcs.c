#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *random_word(int64_t length, int64_t start) {
    const char *alphabet = "abcdefgh";
    int64_t seed = start;
    char *s = malloc(length + 1);
    for (int64_t i = 0; i < length; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        s[i] = alphabet[seed / 17496];
    }
    s[length] = '\0';
    return s;
}

static char *lcs(const char *a, const char *b) {
    int64_t rows = strlen(a), cols = strlen(b);
    int64_t **table = malloc((rows + 1) * sizeof *table);
    table[0] = calloc(cols + 1, sizeof *table[0]);
    for (int64_t i = 1; i <= rows; i++) {
        const int64_t *above = table[i - 1];
        int64_t *row = malloc((cols + 1) * sizeof *row);
        row[0] = 0;
        for (int64_t j = 1; j <= cols; j++) {
            if (a[i - 1] == b[j - 1]) {
                row[j] = above[j - 1] + 1;
            } else if (above[j] >= row[j - 1]) {
                row[j] = above[j];
            } else {
                row[j] = row[j - 1];
            }
        }
        table[i] = row;
    }
    int64_t length = table[rows][cols];
    char *out = malloc(length + 1);
    out[length] = '\0';
    int64_t i = rows, j = cols;
    while (i > 0 && j > 0) {
        if (a[i - 1] == b[j - 1]) {
            out[--length] = a[i - 1];
            i--;
            j--;
        } else if (table[i - 1][j] >= table[i][j - 1]) {
            i--;
        } else {
            j--;
        }
    }
    for (int64_t r = 0; r <= rows; r++) free(table[r]);
    free(table);
    return out;
}

int main(int argc, char **argv) {
    int64_t pairs = argc > 1 ? atoll(argv[1]) : 300;
    int64_t total = 0;
    char *last = NULL;
    for (int64_t p = 0; p < pairs; p++) {
        char *a = random_word(500, p + 1), *b = random_word(500, p * 7 + 1000);
        free(last);
        last = lcs(a, b);
        total += strlen(last);
        free(a);
        free(b);
    }
    printf("%" PRId64 "\n%s\n", total, last ? last : "");
    free(last);
    return 0;
}
