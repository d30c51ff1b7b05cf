#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef int Cell;

static Cell **new_grid(int64_t size) {
    Cell **g = malloc(size * sizeof *g);
    for (int64_t y = 0; y < size; y++) g[y] = malloc(size * sizeof *g[y]);
    return g;
}

static void release(Cell **g, int64_t size) {
    for (int64_t y = 0; y < size; y++) free(g[y]);
    free(g);
}

static Cell **random_grid(int64_t size) {
    Cell **g = new_grid(size);
    int64_t seed = 42;
    for (int64_t y = 0; y < size; y++) {
        for (int64_t x = 0; x < size; x++) {
            seed = (seed * 3877 + 29573) % 139968;
            g[y][x] = seed < 46656 ? 1 : 0;
        }
    }
    return g;
}

static void next_generation(Cell **grid, Cell **next, int64_t size) {
    for (int64_t y = 0; y < size; y++) {
        const Cell *up = grid[(y + size - 1) % size];
        const Cell *row = grid[y];
        const Cell *down = grid[(y + 1) % size];
        Cell *line = next[y];
        for (int64_t x = 0; x < size; x++) {
            int64_t l = (x + size - 1) % size;
            int64_t r = (x + 1) % size;
            int around = up[l] + up[x] + up[r] + row[l] + row[r] + down[l] + down[x] + down[r];
            line[x] = around == 3 || (around == 2 && row[x] == 1) ? 1 : 0;
        }
    }
}

static int64_t population(Cell **grid, int64_t size) {
    int64_t alive = 0;
    for (int64_t y = 0; y < size; y++) {
        for (int64_t x = 0; x < size; x++) alive += grid[y][x];
    }
    return alive;
}

int main(int argc, char **argv) {
    int64_t generations = argc > 1 ? atoll(argv[1]) : 500;
    int64_t size = 200;
    Cell **grid = random_grid(size), **next = new_grid(size);
    printf("start: %" PRId64 "\n", population(grid, size));
    for (int64_t g = 0; g < generations; g++) {
        next_generation(grid, next, size);
        Cell **t = grid;
        grid = next;
        next = t;
    }
    printf("end: %" PRId64 "\n", population(grid, size));
    int64_t h = 0;
    for (int64_t y = 0; y < size; y++) {
        for (int64_t x = 0; x < size; x++) h = (h * 2 + grid[y][x]) % 1000003;
    }
    printf("hash: %" PRId64 "\n", h);
    release(grid, size);
    release(next, size);
    return 0;
}
