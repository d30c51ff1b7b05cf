#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cells[81];
static bool in_row[90], in_col[90], in_box[90];
static int64_t tries = 0;

static void mark(int pos, int digit, bool used) {
    int row = pos / 9, col = pos % 9;
    in_row[row * 10 + digit] = used;
    in_col[col * 10 + digit] = used;
    in_box[(row / 3 * 3 + col / 3) * 10 + digit] = used;
}

static void load(const char *puzzle) {
    memset(in_row, 0, sizeof in_row);
    memset(in_col, 0, sizeof in_col);
    memset(in_box, 0, sizeof in_box);
    for (int pos = 0; pos < 81; pos++) {
        int digit = puzzle[pos] == '.' ? 0 : puzzle[pos] - '0';
        cells[pos] = digit;
        if (digit > 0) mark(pos, digit, true);
    }
}

static bool solve(int start) {
    int pos = start;
    while (pos < 81 && cells[pos] != 0) pos++;
    if (pos == 81) return true;
    int row = pos / 9, col = pos % 9;
    int box = row / 3 * 3 + col / 3;
    for (int digit = 1; digit < 10; digit++) {
        if (!in_row[row * 10 + digit] && !in_col[col * 10 + digit] && !in_box[box * 10 + digit]) {
            tries++;
            cells[pos] = digit;
            mark(pos, digit, true);
            if (solve(pos + 1)) return true;
            cells[pos] = 0;
            mark(pos, digit, false);
        }
    }
    return false;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 30;
    static const char *const puzzles[] = {
        "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
        "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......",
        "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9",
        "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..",
    };
    static const int order[] = {0, 3, 0, 3};
    int64_t check = 0;
    for (int64_t r = 0; r < rounds; r++) {
        load(puzzles[order[r % 4]]);
        if (solve(0)) {
            for (int i = 0; i < 81; i++) check = (check * 10 + cells[i]) % 1000003;
        }
    }
    load(puzzles[1]);
    printf("solved: %s\n", solve(0) ? "true" : "false");
    for (int i = 0; i < 81; i++) putchar('0' + cells[i]);
    printf("\ntries: %" PRId64 "\n", tries);
    printf("check: %" PRId64 "\n", check);
    return 0;
}
