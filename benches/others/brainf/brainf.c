#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int *data;
    int64_t len, cap;
} Output;

static void emit(Output *o, int v) {
    if (o->len == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 64;
        o->data = realloc(o->data, o->cap * sizeof *o->data);
    }
    o->data[o->len++] = v;
}

static int64_t *match_brackets(const char *code, int64_t size) {
    int64_t *jumps = calloc(size, sizeof *jumps), *open = malloc(size * sizeof *open);
    int64_t depth = 0;
    for (int64_t i = 0; i < size; i++) {
        if (code[i] == '[') {
            open[depth++] = i;
        } else if (code[i] == ']') {
            int64_t start = open[--depth];
            jumps[start] = i;
            jumps[i] = start;
        }
    }
    free(open);
    return jumps;
}

static int64_t run(const char *code, int64_t tape_size, Output *output) {
    int64_t size = strlen(code);
    int64_t *jumps = match_brackets(code, size);
    unsigned char *tape = calloc(tape_size, 1);
    int64_t ptr = 0, pc = 0, steps = 0;
    while (pc < size) {
        switch (code[pc]) {
        case '>': ptr++; break;
        case '<': ptr--; break;
        case '+': tape[ptr]++; break;
        case '-': tape[ptr]--; break;
        case '.': emit(output, tape[ptr]); break;
        case '[': if (tape[ptr] == 0) pc = jumps[pc]; break;
        case ']': if (tape[ptr] != 0) pc = jumps[pc]; break;
        }
        pc++;
        steps++;
    }
    free(jumps);
    free(tape);
    return steps;
}

int main(int argc, char **argv) {
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 80;
    const char *alphabet =
        ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++"
        "[>++++++++++[>++++++++++[-]<-]<-]<-]<-]++++++++++.";
    int64_t check = 0, steps = 0;
    Output out = {0};
    for (int64_t r = 0; r < rounds; r++) {
        out.len = 0;
        steps += run(alphabet, 100, &out);
        for (int64_t i = 0; i < out.len; i++) check = (check * 31 + out.data[i]) % 1000003;
    }
    char line[32];
    int length = 0;
    for (int64_t i = 0; i < out.len; i++) {
        if (out.data[i] == 10) {
            line[length] = '\0';
            puts(line);
            length = 0;
        } else {
            line[length++] = out.data[i];
        }
    }
    printf("steps: %" PRId64 "\n", steps);
    printf("check: %" PRId64 "\n", check);
    free(out.data);
    return 0;
}
