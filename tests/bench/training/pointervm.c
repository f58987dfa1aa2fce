/* Interpreters that keep a pointer to their code and one to their stack: bytes with words of 32
 * bits, and halves with numbers of 64 bits and floating point; the one runs loops over an array,
 * the other an iteration of Newton's. */
#include "training.h"

enum {
    IMMEDIATE,
    LOCAL,
    SET,
    SET_KEEP,
    ADD,
    SUB,
    MUL,
    DIV,
    REM,
    AND,
    OR,
    XOR,
    SHL,
    SHR,
    LT,
    GT,
    EQ,
    NE,
    JUMP,
    JUMP_IF,
    JUMP_UNLESS,
    DUP,
    POP,
    EXCHANGE,
    INDEX,
    SET_INDEX,
    ADD_LOCAL,
    NEGATE,
    INVERT,
    CALL,
    RETURN,
    HALT
};

static uint8_t bytes[200], *end = bytes;
static int32_t heap[256];

static void emit(uint32_t op)
{
    *end++ = (uint8_t)op;
}
static void emit1(uint32_t op, uint32_t operand)
{
    emit(op), emit(operand);
}

__attribute__((noinline)) static int32_t run_bytes(const uint8_t *code, int32_t *locals)
{
    int32_t stack[64] = {0}, *top = stack;
    ptrdiff_t returns[8] = {0}, *back = returns;
    for (const uint8_t *at = code;;) {
        uint8_t op = *at++;
        switch (op) {
        case IMMEDIATE: *++top = *(const int8_t *)at++; break;
        case LOCAL: *++top = locals[*at++]; break;
        case SET: locals[*at++] = *top--; break;
        case SET_KEEP: locals[*at++] = *top; break;
        case ADD: top--, *top += top[1]; break;
        case SUB: top--, *top -= top[1]; break;
        case MUL: top--, *top *= top[1]; break;
        case DIV: top--, *top = top[1] ? *top / top[1] : 0; break;
        case REM: top--, *top = top[1] ? *top % top[1] : 0; break;
        case AND: top--, *top &= top[1]; break;
        case OR: top--, *top |= top[1]; break;
        case XOR: top--, *top ^= top[1]; break;
        case SHL: top--, *top <<= top[1] & 31; break;
        case SHR: top--, *top >>= top[1] & 31; break;
        case LT: top--, *top = *top < top[1]; break;
        case GT: top--, *top = *top > top[1]; break;
        case EQ: top--, *top = *top == top[1]; break;
        case NE: top--, *top = *top != top[1]; break;
        case JUMP: at += (int8_t)*at; break;
        case JUMP_IF: at += *top-- ? (int8_t)*at : 1; break;
        case JUMP_UNLESS:
            if (*top--)
                at++;
            else
                at += (int8_t)*at;
            break;
        case DUP: top++, *top = top[-1]; break;
        case POP: top--; break;
        case EXCHANGE: {
            int32_t held = *top;
            *top = top[-1], top[-1] = held;
            break;
        }
        case INDEX: *top = heap[*top & 255]; break;
        case SET_INDEX: heap[top[-1] & 255] = *top, top -= 2; break;
        case ADD_LOCAL: locals[at[0]] += (int8_t)at[1], at += 2; break;
        case NEGATE: *top = -*top; break;
        case INVERT: *top = ~*top; break;
        case CALL: *back++ = at + 1 - code, at += (int8_t)*at; break;
        case RETURN: at = code + *--back; break;
        default: return *top;
        }
    }
}

/* for (i = n; i; i--) for (j = 0; j < i; j++) { s += heap[j] * (i ^ j); heap[j] = s >> 3; } */
static void write_bytes(void)
{
    emit1(IMMEDIATE, 0), emit1(SET, 3);
    const uint8_t *outer = end;
    emit1(IMMEDIATE, 0), emit1(SET, 2);
    const uint8_t *inner = end;
    emit1(LOCAL, 2), emit1(LOCAL, 1), emit(LT);
    uint8_t *out = end + 1;
    emit1(JUMP_UNLESS, 0);
    emit1(LOCAL, 2), emit(INDEX), emit1(LOCAL, 1), emit1(LOCAL, 2), emit(XOR), emit(MUL),
        emit1(LOCAL, 3), emit(ADD);
    emit1(SET_KEEP, 3), emit1(IMMEDIATE, 3), emit(SHR), emit1(LOCAL, 2), emit(EXCHANGE),
        emit(SET_INDEX);
    emit(ADD_LOCAL), emit1(2, 1);
    emit1(JUMP, (uint32_t)(inner - end - 1));
    *out = (uint8_t)(end - out);
    emit1(LOCAL, 1), emit1(IMMEDIATE, 1), emit(SUB), emit(DUP), emit1(SET, 1);
    emit1(JUMP_IF, (uint32_t)(outer - end - 1));
    emit1(LOCAL, 3), emit(HALT);
}

union value {
    int64_t whole;
    double real;
};

enum {
    REAL,
    READ,
    KEEP,
    PLUS,
    TIMES,
    OVER,
    MINUS,
    ROOT,
    LESS_REAL,
    DECREMENT,
    LOOP,
    AGAIN,
    TO_REAL,
    LEAVE
};

__attribute__((noinline)) static double run_halves(const uint16_t *code, const double *reals,
                                                   union value *locals)
{
    union value stack[32] = {0}, *sp = stack;
    const uint16_t *pc = code;
    for (;;) {
        switch (*pc) {
        case REAL: sp->real = reals[pc[1]], sp++, pc += 2; break;
        case READ: *sp++ = locals[pc[1]], pc += 2; break;
        case KEEP: locals[pc[1]] = *--sp, pc += 2; break;
        case PLUS: sp--, sp[-1].real += sp->real, pc++; break;
        case TIMES: sp--, sp[-1].real *= sp->real, pc++; break;
        case OVER: sp--, sp[-1].real /= sp->real, pc++; break;
        case MINUS: sp--, sp[-1].real -= sp->real, pc++; break;
        case ROOT: sp[-1].real = __builtin_sqrt(sp[-1].real), pc++; break;
        case LESS_REAL: sp--, sp[-1].whole = sp[-1].real < sp->real, pc++; break;
        case DECREMENT: locals[pc[1]].whole--, pc += 2; break;
        case LOOP: pc = locals[pc[1]].whole ? code + pc[2] : pc + 3; break;
        case AGAIN: sp--, pc = sp->whole ? code + pc[1] : pc + 2; break;
        case TO_REAL: sp[-1].real = (double)sp[-1].whole, pc++; break;
        default: return sp[-1].real;
        }
    }
}

static uint32_t run(void)
{
    static const uint16_t newton[] = {
        REAL, 0,    KEEP, 0,    /* 4: */ READ, 0,    READ, 1,    READ,      0,
        OVER, PLUS, REAL, 1,    TIMES,         KEEP, 0,    READ, 2,         TO_REAL,
        REAL, 2,    PLUS, ROOT, READ,          1,    PLUS, KEEP, 1,         DECREMENT,
        2,    LOOP, 2,    4,    READ,          0,    REAL, 0,    LESS_REAL, AGAIN,
        0,    READ, 0,    LEAVE};
    static const double reals[] = {1.0, 0.5, 2.0};
    int32_t locals[8] = {0, 150};
    union value values[4] = {{0}, {.real = 2.0}, {.whole = 3000}, {0}};
    for (uint32_t i = 0; i < 256; i++)
        heap[i] = (int32_t)(number() & 0xff);
    write_bytes();
    return (uint32_t)run_bytes(bytes, locals) + (uint32_t)run_halves(newton, reals, values);
}
