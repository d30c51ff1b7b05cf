#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static bool **make_grid(int64_t size) {
    bool **grid = malloc(size * sizeof *grid);
    for (int64_t r = 0; r < size; r++) grid[r] = calloc(size, sizeof **grid);
    return grid;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 30000000;
    const int64_t size = 256;
    bool **grid = make_grid(size);
    static const int64_t dx[4] = {0, 1, 0, -1};
    static const int64_t dy[4] = {-1, 0, 1, 0};
    int64_t x = size / 2, y = size / 2, dir = 0;
    for (int64_t step = 0; step < n; step++) {
        if (grid[y][x]) {
            dir = (dir + 3) % 4;
            grid[y][x] = false;
        } else {
            dir = (dir + 1) % 4;
            grid[y][x] = true;
        }
        x = (x + dx[dir] + size) % size;
        y = (y + dy[dir] + size) % size;
    }
    int64_t black = 0, h = 0;
    for (int64_t r = 0; r < size; r++) {
        for (int64_t c = 0; c < size; c++) {
            if (grid[r][c]) {
                black += 1;
                h = (h * 31 + 1) % 1000003;
            } else {
                h = (h * 31 + 2) % 1000003;
            }
        }
    }
    printf("%" PRId64 "\n%" PRId64 "\n", black, h);
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", x, y, dir);
    for (int64_t r = 0; r < size; r++) free(grid[r]);
    free(grid);
    return 0;
}
