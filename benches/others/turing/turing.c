#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One entry for each state and symbol; state 5 halts. */
static const int64_t write_[10] = {1, 1, 1, 1, 1, 0, 1, 1, 1, 0};
static const int64_t move[10] = {1, -1, 1, 1, 1, -1, -1, -1, 1, -1};
static const int64_t next[10] = {1, 2, 2, 1, 3, 4, 0, 3, 5, 0};

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 50000000;
    int64_t *tape = calloc(40000, sizeof *tape);
    int64_t head = 20000, state = 0, steps = 0;
    while (state != 5 && steps < n) {
        int64_t k = state * 2 + tape[head];
        tape[head] = write_[k];
        head += move[k];
        state = next[k];
        steps += 1;
    }
    int64_t ones = 0;
    for (int64_t i = 0; i < 40000; i++) ones += tape[i];
    printf("%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n", steps, ones, head - 20000, state);
    free(tape);
    return 0;
}
