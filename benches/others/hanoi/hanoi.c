#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t heights[3];
static int64_t moves = 0;
static int64_t trace = 0;

static void hanoi(int64_t disks, int64_t source, int64_t target, int64_t spare) {
    if (disks == 0) return;
    hanoi(disks - 1, source, spare, target);
    heights[source] -= 1;
    heights[target] += 1;
    moves += 1;
    trace += heights[target];
    hanoi(disks - 1, spare, target, source);
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 26;
    heights[0] = n;
    hanoi(n, 0, 2, 1);
    printf("%" PRId64 "\n%" PRId64 "\n", moves, trace);
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", heights[0], heights[1], heights[2]);
    return 0;
}
