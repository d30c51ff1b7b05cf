#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *encode(const uint8_t *data, size_t size, size_t *length) {
    char *out = malloc((size + 2) / 3 * 4 + 1);
    size_t i = 0, o = 0;
    for (; i + 2 < size; i += 3) {
        uint32_t v = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
        out[o++] = alphabet[v >> 18];
        out[o++] = alphabet[v >> 12 & 63];
        out[o++] = alphabet[v >> 6 & 63];
        out[o++] = alphabet[v & 63];
    }
    if (size - i == 1) {
        uint32_t v = data[i] << 4;
        out[o++] = alphabet[v >> 6];
        out[o++] = alphabet[v & 63];
        out[o++] = '=';
        out[o++] = '=';
    } else if (size - i == 2) {
        uint32_t v = data[i] << 10 | data[i + 1] << 2;
        out[o++] = alphabet[v >> 12];
        out[o++] = alphabet[v >> 6 & 63];
        out[o++] = alphabet[v & 63];
        out[o++] = '=';
    }
    out[o] = 0;
    *length = o;
    return out;
}

static uint8_t *decode(const char *text, size_t length, const uint8_t codes[256], size_t *size) {
    uint8_t *out = malloc(length / 4 * 3 + 3);
    size_t o = 0;
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < length && text[i] != '='; i++) {
        bits = bits << 6 | codes[(uint8_t)text[i]];
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[o++] = bits >> held;
            bits &= (1u << held) - 1;
        }
    }
    *size = o;
    return out;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 40000;
    uint8_t codes[256] = {0};
    for (int i = 0; i < 64; i++) codes[(uint8_t)alphabet[i]] = i;
    uint8_t data[1000];
    int64_t seed = 7;
    for (int i = 0; i < 1000; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        data[i] = seed % 256;
    }
    int64_t chars = 0, good = 0, h = 0;
    for (int64_t r = 0; r < n; r++) {
        data[r % 1000] = r % 256;
        size_t length, size;
        char *text = encode(data, sizeof data, &length);
        chars += length;
        uint8_t *back = decode(text, length, codes, &size);
        if (size == sizeof data && memcmp(back, data, size) == 0) good++;
        h = (h * 31 + codes[(uint8_t)text[r % 1333]] + back[r % 1000]) % 1000003;
        free(text);
        free(back);
    }
    size_t length;
    char *head = encode(data, 20, &length);
    printf("%s\n", head);
    free(head);
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", chars, good, h);
    return 0;
}
