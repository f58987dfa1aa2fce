/* br_table in a loop: an interpreter of its own, running a sum of squares modulo a prime. */
#define ROUNDS 900000
#define RESULT 3415u
#include "kernel.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MULTIPLY, REMAINDER, JUMP, JUMP_IF, LESS, DUPLICATE, HALT };

static const int32_t program[] = {
    PUSH,      0,     STORE, 0,    PUSH, 0,    STORE,     1,        LOAD,  1, LOAD, 2,    LESS,
    JUMP_IF,   17,    HALT,  0,    LOAD, 1,    DUPLICATE, MULTIPLY, LOAD,  0, ADD,  PUSH, 65521,
    REMAINDER, STORE, 0,     LOAD, 1,    PUSH, 1,         ADD,      STORE, 1, JUMP, 8,
};

__attribute__((noinline)) static uint32_t interpret(const int32_t *code, uint32_t *locals)
{
    uint32_t stack[16], *top = stack;
    for (const int32_t *pc = code;;) {
        switch (*pc++) {
        case PUSH: *top++ = (uint32_t)*pc++; break;
        case LOAD: *top++ = locals[*pc++]; break;
        case STORE: locals[*pc++] = *--top; break;
        case ADD: top--, top[-1] += *top; break;
        case SUB: top--, top[-1] -= *top; break;
        case MULTIPLY: top--, top[-1] *= *top; break;
        case REMAINDER: top--, top[-1] %= *top; break;
        case JUMP: pc = code + *pc; break;
        case JUMP_IF: pc = *--top ? code + *pc : pc + 1; break;
        case LESS: top--, top[-1] = top[-1] < *top; break;
        case DUPLICATE: *top = top[-1], top++; break;
        default: return locals[0];
        }
    }
}

static uint32_t run(uint32_t rounds)
{
    uint32_t locals[4] = {0, 0, rounds, 0};
    return interpret(program, locals);
}
