#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t x, y;
} Point;

static char **make_grid(int64_t n) {
    char **grid = malloc(n * sizeof *grid);
    int64_t seed = 12345;
    for (int64_t y = 0; y < n; y++) {
        grid[y] = malloc(n);
        for (int64_t x = 0; x < n; x++) {
            seed = (seed * 1103515245 + 12345) % 2147483648;
            grid[y][x] = seed / 65536 % 100 < 30 ? '#' : '.';
        }
    }
    grid[0][0] = '.';
    grid[n - 1][n - 1] = '.';
    return grid;
}

static int64_t **bfs(char **grid, int64_t n) {
    static const Point steps[4] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    int64_t **dist = malloc(n * sizeof *dist);
    for (int64_t y = 0; y < n; y++) {
        dist[y] = malloc(n * sizeof **dist);
        for (int64_t x = 0; x < n; x++) dist[y][x] = -1;
    }
    size_t cap = 16, len = 1, head = 0;
    Point *queue = malloc(cap * sizeof *queue);
    queue[0] = (Point){0, 0};
    dist[0][0] = 0;
    while (head < len) {
        Point p = queue[head++];
        for (int k = 0; k < 4; k++) {
            int64_t nx = p.x + steps[k].x, ny = p.y + steps[k].y;
            if (nx < 0 || ny < 0 || nx >= n || ny >= n) continue;
            if (grid[ny][nx] == '#' || dist[ny][nx] >= 0) continue;
            dist[ny][nx] = dist[p.y][p.x] + 1;
            if (len == cap) queue = realloc(queue, (cap *= 2) * sizeof *queue);
            queue[len++] = (Point){nx, ny};
        }
    }
    free(queue);
    return dist;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 2500;
    char **grid = make_grid(n);
    int64_t **dist = bfs(grid, n);
    int64_t reached = 0, farthest = 0, h = 0;
    for (int64_t y = 0; y < n; y++) {
        for (int64_t x = 0; x < n; x++) {
            int64_t d = dist[y][x];
            if (d >= 0) reached++;
            if (d > farthest) farthest = d;
            h = (h * 31 + d + 1) % 1000003;
        }
    }
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", reached, farthest,
           dist[n - 1][n - 1], h);
    for (int64_t y = 0; y < n; y++) {
        free(grid[y]);
        free(dist[y]);
    }
    free(grid);
    free(dist);
    return 0;
}
