#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t table[256];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 3988292384u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
}

static uint32_t crc32(const unsigned char *data, int64_t size, uint32_t start) {
    uint32_t crc = start ^ 0xffffffffu;
    for (int64_t i = 0; i < size; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
    return crc ^ 0xffffffffu;
}

static uint32_t adler32(const unsigned char *data, int64_t size) {
    uint32_t a = 1, b = 0;
    for (int64_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b * 65536 + a;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 5000;
    static unsigned char data[16384];
    int64_t seed = 99;
    for (int64_t i = 0; i < 16384; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        data[i] = seed % 256;
    }
    make_table();
    uint32_t crc = 0;
    for (int64_t r = 0; r < rounds; r++) {
        data[r % 16384] = r % 256;
        crc = crc32(data, 16384, crc);
    }
    printf("crc: %" PRIu32 "\n", crc);
    printf("adler: %" PRIu32 "\n", adler32(data, 16384));
    return 0;
}
