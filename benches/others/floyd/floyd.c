#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t **make_graph(int64_t n) {
    int64_t **dist = malloc(n * sizeof *dist);
    for (int64_t i = 0; i < n; i++) {
        dist[i] = malloc(n * sizeof *dist[i]);
        for (int64_t j = 0; j < n; j++) dist[i][j] = i == j ? 0 : 1000000;
    }
    int64_t seed = 31;
    for (int64_t e = 0; e < n * 5; e++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t from_city = seed % n;
        seed = (seed * 3877 + 29573) % 139968;
        int64_t to_city = seed % n;
        seed = (seed * 3877 + 29573) % 139968;
        if (from_city != to_city) dist[from_city][to_city] = seed % 100 + 1;
    }
    return dist;
}

static void shortest_paths(int64_t **dist, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < n; j++) {
                int64_t through = dist[i][k] + dist[k][j];
                if (through < dist[i][j]) dist[i][j] = through;
            }
        }
    }
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 500;
    int64_t **dist = make_graph(n);
    shortest_paths(dist, n);
    int64_t reachable = 0, longest = 0, total = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            int64_t d = dist[i][j];
            if (d < 1000000) {
                reachable++;
                total += d;
                if (d > longest) longest = d;
            }
        }
    }
    printf("reachable: %" PRId64 "\n", reachable);
    printf("longest: %" PRId64 "\n", longest);
    printf("total: %" PRId64 "\n", total);
    for (int64_t i = 0; i < n; i++) free(dist[i]);
    free(dist);
    return 0;
}
