#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int index_of(char ch) {
    const char *at = memchr(alphabet, ch, 26);
    return at ? (int)(at - alphabet) : -1;
}

static void upper(char *out, const char *s) {
    while (*s) *out++ = toupper((unsigned char)*s++);
    *out = 0;
}

static char *shift_text(const char *text, const char *key, int direction) {
    size_t size = strlen(key), length = strlen(text), k = 0;
    char *out = malloc(length + 1);
    for (size_t i = 0; i < length; i++) {
        int pos = index_of(text[i]);
        if (pos < 0) {
            out[i] = text[i];
        } else {
            int step = index_of(key[k % size]) * direction;
            out[i] = alphabet[(pos + step + 26) % 26];
            k++;
        }
    }
    out[length] = 0;
    return out;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 80000;
    static const char *const words[7] = {"lemon", "Cipher", "STONE", "quartz",
                                         "Amber", "zigzag", "fjord"};
    static const char source[] =
        "It was the best of times, it was the worst of times; it was the age of wisdom, "
        "it was the age of foolishness, it was the epoch of belief, it was the epoch of "
        "incredulity.";
    char plain[sizeof source];
    upper(plain, source);
    int64_t counts[256] = {0};
    int64_t good = 0;
    char *last = NULL;
    for (int64_t r = 0; r < n; r++) {
        char pair[32], key[32];
        snprintf(pair, sizeof pair, "%s%s", words[r % 7], words[r / 7 % 7]);
        upper(key, pair);
        char *secret = shift_text(plain, key, 1);
        for (const char *p = secret; *p; p++) counts[(unsigned char)*p]++;
        char *back = shift_text(secret, key, -1);
        if (strcmp(back, plain) == 0) good++;
        free(back);
        free(last);
        last = secret;
    }
    printf("%s\n%" PRId64 "\n", last ? last : "", good);
    free(last);
    int64_t h = 0, distinct = 0;
    for (int i = 0; i < 26; i++) h = (h * 31 + counts[(unsigned char)alphabet[i]]) % 1000003;
    for (int i = 0; i < 256; i++) distinct += counts[i] > 0;
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", counts['A'], counts[' '], distinct);
    printf("%" PRId64 "\n", h);
    return 0;
}
