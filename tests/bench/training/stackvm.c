/* An interpreter of bytes with a stack: operands of 8 and 16 bits, indices instead of pointers,
 * words of 32 bits; it counts primes. */
#include "training.h"

enum {
    CONST8,
    CONST16,
    GET,
    PUT,
    PLUS,
    MINUS,
    TIMES,
    OVER,
    MODULO,
    BOTH,
    EITHER,
    EQUAL,
    BELOW,
    NOT,
    IF_NOT,
    AGAIN,
    COPY,
    DROP,
    READ,
    WRITE,
    NEXT,
    STOP
};

/* The program, put together so that no offset is counted by hand. */
static uint8_t code[256];
static uint32_t length;

static void byte(uint32_t value)
{
    code[length++] = (uint8_t)value;
}

static uint32_t jump(uint32_t operator, uint32_t to)
{
    byte(operator);
    byte(to);
    byte(to >> 8);
    return length - 2;
}

static void here(uint32_t patched)
{
    code[patched] = (uint8_t)length;
    code[patched + 1] = (uint8_t)(length >> 8);
}

static void put2(uint32_t operator, uint32_t operand)
{
    byte(operator);
    byte(operand);
}

static void assemble(void)
{
    put2(CONST8, 2), put2(PUT, 0);
    uint32_t outer = length;
    put2(GET, 0), byte(CONST16), byte(700 & 255), byte(700 >> 8), byte(BELOW);
    uint32_t end = jump(IF_NOT, 0);
    put2(CONST8, 2), put2(PUT, 1), put2(CONST8, 1), put2(PUT, 3);
    uint32_t inner = length;
    put2(GET, 1), byte(COPY), byte(TIMES), put2(GET, 0), put2(CONST8, 1), byte(PLUS), byte(BELOW);
    uint32_t out = jump(IF_NOT, 0);
    put2(GET, 0), put2(GET, 1), byte(MODULO), byte(NOT);
    uint32_t skip = jump(IF_NOT, 0);
    put2(CONST8, 0), put2(PUT, 3);
    here(skip);
    put2(NEXT, 1), jump(AGAIN, inner);
    here(out);
    put2(GET, 0), put2(CONST8, 63), byte(BOTH), byte(COPY), byte(READ), put2(GET, 3), byte(PLUS),
        byte(WRITE);
    put2(GET, 2), put2(GET, 3), byte(PLUS), put2(PUT, 2);
    put2(NEXT, 0), jump(AGAIN, outer);
    here(end);
    byte(STOP);
}

__attribute__((noinline)) static int32_t interpret(const uint8_t *bytes, int32_t *variables,
                                                   int32_t *words)
{
    int32_t stack[32] = {0};
    uint32_t top = 0, pc = 0;
    for (;;) {
        switch (bytes[pc++]) {
        case CONST8: stack[top++] = bytes[pc++]; break;
        case CONST16: stack[top++] = bytes[pc] | bytes[pc + 1] << 8, pc += 2; break;
        case GET: stack[top++] = variables[bytes[pc++]]; break;
        case PUT: variables[bytes[pc++]] = stack[--top]; break;
        case PLUS: top--, stack[top - 1] += stack[top]; break;
        case MINUS: top--, stack[top - 1] -= stack[top]; break;
        case TIMES: top--, stack[top - 1] *= stack[top]; break;
        case OVER: top--, stack[top - 1] /= stack[top] ? stack[top] : 1; break;
        case MODULO: top--, stack[top - 1] %= stack[top] ? stack[top] : 1; break;
        case BOTH: top--, stack[top - 1] &= stack[top]; break;
        case EITHER: top--, stack[top - 1] |= stack[top]; break;
        case EQUAL: top--, stack[top - 1] = stack[top - 1] == stack[top]; break;
        case BELOW: top--, stack[top - 1] = stack[top - 1] < stack[top]; break;
        case NOT: stack[top - 1] = !stack[top - 1]; break;
        case IF_NOT:
            if (stack[--top])
                pc += 2;
            else
                pc = bytes[pc] | (uint32_t)bytes[pc + 1] << 8;
            break;
        case AGAIN: pc = bytes[pc] | (uint32_t)bytes[pc + 1] << 8; break;
        case COPY: stack[top] = stack[top - 1], top++; break;
        case DROP: top--; break;
        case READ: stack[top - 1] = words[stack[top - 1] & 63]; break;
        case WRITE: top -= 2, words[stack[top] & 63] = stack[top + 1]; break;
        case NEXT: variables[bytes[pc++]]++; break;
        default: return variables[2];
        }
    }
}

static uint32_t run(void)
{
    static int32_t variables[8], words[64];
    assemble();
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 4; i++)
        sum += (uint32_t)interpret(code, variables, words);
    return sum;
}
