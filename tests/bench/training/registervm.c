/* An interpreter of instructions of 32 bits with registers: fields that are shifted out, values of
 * 64 bits, branches by offsets, calls on a stack of its own; it sorts, sums and multiplies. */
#include "training.h"

enum {
    MOVE,
    LOADK,
    ADD,
    ADDK,
    SUB,
    MUL,
    AND,
    OR,
    XOR,
    SHL,
    SHR,
    LOAD,
    STORE,
    EQ,
    LT,
    LE,
    JUMP,
    CALL,
    RETURN,
    HALT
};
#define ABC(op, a, b, c)                                                                           \
    ((uint32_t)(op) | (uint32_t)(a) << 8 | (uint32_t)(b) << 16 | (uint32_t)(c) << 24)
#define AS(op, a, s) ((uint32_t)(op) | (uint32_t)(a) << 8 | (uint32_t)(uint16_t)(s) << 16)

static const uint32_t program[] = {
    AS(LOADK, 1, 0),                                            /* i = 0 */
    AS(LOADK, 5, 1),      ABC(LT, 1, 0, 0),    AS(JUMP, 0, 17), /* while i < n */
    ABC(ADD, 2, 1, 5),                                          /* j = i + 1 */
    ABC(LT, 2, 0, 0),     AS(JUMP, 0, 9),                       /* while j < n */
    ABC(LOAD, 3, 1, 0),   ABC(LOAD, 4, 2, 0),  ABC(LE, 3, 4, 0),    AS(JUMP, 0, 1),
    AS(JUMP, 0, 2),       ABC(STORE, 4, 1, 0), ABC(STORE, 3, 2, 0), ABC(ADDK, 2, 2, 1),
    AS(JUMP, 0, -11),     ABC(MUL, 7, 3, 4),   ABC(XOR, 6, 6, 7),   AS(CALL, 0, 3),
    ABC(ADDK, 1, 1, 1),   AS(JUMP, 0, -19),    ABC(HALT, 0, 0, 0),  ABC(SHL, 8, 6, 5),
    ABC(SHR, 9, 6, 5),    ABC(OR, 8, 8, 9),    ABC(AND, 8, 8, 3),   ABC(SUB, 6, 6, 8),
    ABC(RETURN, 0, 0, 0),
};

__attribute__((noinline)) static int64_t interpret(const uint32_t *code, int64_t *r,
                                                   int64_t *memory)
{
    ptrdiff_t frames[16] = {0}, *frame = frames;
    const uint32_t *pc = code;
    for (;;) {
        uint32_t in = *pc++;
        uint32_t a = in >> 8 & 255, b = in >> 16 & 255, c = in >> 24;
        int32_t s = (int16_t)(in >> 16);
        switch (in & 255) {
        case MOVE: r[a] = r[b]; break;
        case LOADK: r[a] = s; break;
        case ADD: r[a] = r[b] + r[c]; break;
        case ADDK: r[a] = r[b] + (int8_t)c; break;
        case SUB: r[a] = r[b] - r[c]; break;
        case MUL: r[a] = r[b] * r[c]; break;
        case AND: r[a] = r[b] & r[c]; break;
        case OR: r[a] = r[b] | r[c]; break;
        case XOR: r[a] = r[b] ^ r[c]; break;
        case SHL: r[a] = r[b] << (r[c] & 63); break;
        case SHR: r[a] = (int64_t)((uint64_t)r[b] >> (r[c] & 63)); break;
        case LOAD: r[a] = memory[r[b] & 127]; break;
        case STORE: memory[r[b] & 127] = r[a]; break;
        case EQ: pc += r[a] == r[b]; break;
        case LT: pc += r[a] < r[b]; break;
        case LE: pc += r[a] > r[b]; break;
        case JUMP: pc += s; break;
        case CALL: *frame++ = pc - code, pc += s; break;
        case RETURN: pc = code + *--frame; break;
        default: return r[6];
        }
    }
}

static uint32_t run(void)
{
    static int64_t registers[16], memory[128];
    uint32_t sum = 0;
    for (uint32_t k = 0; k < 6; k++) {
        for (uint32_t i = 0; i < 128; i++)
            memory[i] = number() & 0xffff;
        registers[0] = 100;
        sum += (uint32_t)interpret(program, registers, memory);
    }
    return sum;
}
