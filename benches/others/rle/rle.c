#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *text;
    size_t len, cap;
} String;

static void reserve(String *s, size_t extra) {
    if (s->len + extra + 1 > s->cap) {
        s->cap = (s->len + extra + 1) * 2;
        s->text = realloc(s->text, s->cap);
    }
}

static void append_char(String *s, char c) {
    reserve(s, 1);
    s->text[s->len++] = c;
    s->text[s->len] = '\0';
}

static void append_repeat(String *s, char c, size_t count) {
    reserve(s, count);
    memset(s->text + s->len, c, count);
    s->len += count;
    s->text[s->len] = '\0';
}

static String make_text(int64_t runs, int64_t start) {
    const char *letters = "abcdefghij";
    int64_t seed = start;
    String s = {0};
    for (int64_t i = 0; i < runs; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        char ch = letters[seed % 10];
        int64_t count = seed / 10 % 14 + 1;
        for (int64_t k = 0; k < count; k++) append_char(&s, ch);
    }
    return s;
}

static String encode(String text) {
    String out = {0};
    size_t i = 0;
    while (i < text.len) {
        char ch = text.text[i];
        size_t count = 1;
        while (i + count < text.len && text.text[i + count] == ch) count++;
        if (count > 1) {
            reserve(&out, 24);
            out.len += sprintf(out.text + out.len, "%zu", count);
        }
        append_char(&out, ch);
        i += count;
    }
    return out;
}

static String decode(String code) {
    String out = {0};
    size_t count = 0;
    for (size_t i = 0; i < code.len; i++) {
        char ch = code.text[i];
        if (isdigit((unsigned char)ch)) {
            count = count * 10 + (ch - '0');
        } else {
            if (count == 0) count = 1;
            append_repeat(&out, ch, count);
            count = 0;
        }
    }
    return out;
}

static String mirror(String a) {
    String out = {malloc(a.len * 2 + 1), a.len * 2, a.len * 2 + 1};
    memcpy(out.text, a.text, a.len);
    for (size_t i = 0; i < a.len; i++) out.text[a.len + i] = a.text[a.len - 1 - i];
    out.text[out.len] = '\0';
    return out;
}

static bool is_palindrome(String s) {
    size_t i = 0, j = s.len - 1;
    while (i < j) {
        if (s.text[i] != s.text[j]) return false;
        i++;
        j--;
    }
    return true;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 12000;
    int64_t plain = 0, packed = 0, same = 0, mirrors = 0;
    for (int64_t r = 0; r < rounds; r++) {
        String text = make_text(200, r), code = encode(text), back = decode(code), both = mirror(text);
        if (back.len == text.len && memcmp(back.text, text.text, text.len) == 0) same++;
        if (is_palindrome(both)) mirrors++;
        plain += text.len;
        packed += code.len;
        free(text.text);
        free(code.text);
        free(back.text);
        free(both.text);
    }
    printf("plain: %" PRId64 "\n", plain);
    printf("packed: %" PRId64 "\n", packed);
    printf("same: %" PRId64 "\n", same);
    printf("palindromes: %" PRId64 "\n", mirrors);
    return 0;
}
