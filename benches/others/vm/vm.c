#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum { PUSH, LOAD, STORE, ADD, MUL, MOD, LESS, JUMP, JUMP_ZERO, JUMP_NONZERO, PRINT, NOP, HALT } Op;

typedef struct {
    Op op;
    int64_t arg;
} Instr;

static int64_t execute(const Instr *code) {
    int64_t stack[64], vars[4] = {0};
    int64_t sp = 0, pc = 0, count = 0;
    while (1) {
        Instr instr = code[pc++];
        count++;
        switch (instr.op) {
        case PUSH: stack[sp++] = instr.arg; break;
        case LOAD: stack[sp++] = vars[instr.arg]; break;
        case STORE: vars[instr.arg] = stack[--sp]; break;
        case ADD: {
            int64_t b = stack[--sp], a = stack[--sp];
            stack[sp++] = a + b;
            break;
        }
        case MUL: {
            int64_t b = stack[--sp], a = stack[--sp];
            stack[sp++] = a * b;
            break;
        }
        case MOD: {
            int64_t b = stack[--sp], a = stack[--sp];
            stack[sp++] = a % b;
            break;
        }
        case LESS: {
            int64_t b = stack[--sp], a = stack[--sp];
            stack[sp++] = a < b ? 1 : 0;
            break;
        }
        case JUMP: pc = instr.arg; break;
        case JUMP_ZERO: if (stack[--sp] == 0) pc = instr.arg; break;
        case JUMP_NONZERO: if (stack[--sp] != 0) pc = instr.arg; break;
        case PRINT: printf("result: %" PRId64 "\n", stack[--sp]); break;
        case NOP: break;
        case HALT: return count;
        }
    }
}

int main(int argc, char **argv) {
    int64_t limit = argc > 1 ? atoll(argv[1]) : 3000000;
    const Instr program[] = {
        {PUSH, 0}, {STORE, 0},
        {PUSH, 0}, {STORE, 1},
        {LOAD, 1}, {PUSH, limit}, {LESS, 0}, {JUMP_ZERO, 26},
        {LOAD, 1}, {PUSH, 3}, {MOD, 0}, {JUMP_NONZERO, 21},
        {LOAD, 0}, {LOAD, 1}, {LOAD, 1}, {MUL, 0}, {ADD, 0},
        {PUSH, 1000003}, {MOD, 0}, {STORE, 0}, {NOP, 0},
        {LOAD, 1}, {PUSH, 1}, {ADD, 0}, {STORE, 1},
        {JUMP, 4},
        {LOAD, 0}, {PRINT, 0}, {HALT, 0},
    };
    printf("executed: %" PRId64 "\n", execute(program));
    return 0;
}
