/* Small machines that go by a switch: a tape, an accumulator of 8 bits with flags, threaded cells,
 * a matcher of patterns, states of a scanner. */
#include "training.h"

static uint8_t tape[512], ram[256];

static uint32_t run_tape(const char *text)
{
    uint32_t at = 0, sum = 0;
    for (const char *pc = text; *pc; pc++) {
        switch (*pc) {
        case '>': at++; break;
        case '<': at--; break;
        case '+': tape[at]++; break;
        case '-': tape[at]--; break;
        case '.': sum = sum * 31 + tape[at]; break;
        case '[':
            if (!tape[at])
                for (int open = 1; open;) {
                    pc++;
                    open += *pc == '[';
                    open -= *pc == ']';
                }
            break;
        case ']':
            if (tape[at])
                for (int open = 1; open;) {
                    pc--;
                    open += *pc == ']';
                    open -= *pc == '[';
                }
            break;
        default: break;
        }
    }
    return sum;
}

struct cpu {
    uint8_t a, x, y, pc, zero, carry;
};

static uint32_t run_cpu(struct cpu *cpu, uint32_t most)
{
    while (most--) {
        uint8_t operand, in = ram[cpu->pc++];
        uint32_t wide;
        switch (in >> 3) {
        case 0:
            cpu->a = ram[cpu->pc++];
            cpu->zero = !cpu->a;
            break;
        case 1:
            cpu->x = ram[cpu->pc++];
            cpu->zero = !cpu->x;
            break;
        case 2: ram[ram[cpu->pc++]] = cpu->a; break;
        case 3:
            cpu->a = ram[ram[cpu->pc++]];
            cpu->zero = !cpu->a;
            break;
        case 4:
            operand = ram[ram[cpu->pc++]];
            wide = (uint32_t)cpu->a + operand + cpu->carry;
            cpu->carry = wide > 255, cpu->a = (uint8_t)wide, cpu->zero = !cpu->a;
            break;
        case 5:
            cpu->a ^= ram[(uint8_t)(ram[cpu->pc++] + cpu->x)];
            cpu->zero = !cpu->a;
            break;
        case 6:
            cpu->x--;
            cpu->zero = !cpu->x;
            break;
        case 7:
            cpu->y++;
            cpu->zero = !cpu->y;
            break;
        case 8:
            operand = ram[cpu->pc++];
            if (!cpu->zero)
                cpu->pc = operand;
            break;
        case 9:
            operand = ram[cpu->pc++];
            if (cpu->carry)
                cpu->pc += operand;
            break;
        case 10:
            cpu->carry = cpu->a & 1;
            cpu->a >>= 1;
            break;
        case 11: cpu->pc = ram[cpu->pc]; break;
        default: cpu->carry = 0; break;
        }
    }
    return cpu->a * 256u + cpu->y;
}

enum { LITERAL, DUPLICATE, SWAP, PICK, PLUS, TIMES, LESS, BRANCH, CALL, EXIT, LOOP };

/* Cells: threaded code with a stack of return addresses; an operand is the next cell. */
static int32_t run_cells(const int32_t *cells, int32_t *stack)
{
    int32_t returns[16] = {0};
    int32_t *top = stack, *back = returns, t = 0;
    for (const int32_t *ip = cells;;) {
        int32_t op = *ip++;
        switch (op) {
        case LITERAL:
            *top++ = t;
            t = *ip++;
            break;
        case DUPLICATE: *top++ = t; break;
        case SWAP: {
            int32_t under = top[-1];
            top[-1] = t;
            t = under;
            break;
        }
        case PICK:
            *top++ = t;
            t = top[-1 - *ip++];
            break;
        case PLUS: t += *--top; break;
        case TIMES: t *= *--top; break;
        case LESS: t = *--top < t; break;
        case BRANCH: {
            int32_t offset = *ip++;
            if (t)
                ip += offset;
            t = *--top;
            break;
        }
        case CALL:
            *back++ = (int32_t)(ip + 1 - cells);
            ip = cells + *ip;
            break;
        case EXIT:
            if (back == returns)
                return t;
            ip = cells + *--back;
            break;
        default: ip -= 4; break;
        }
    }
}

static int matches(const char *pattern, const char *text)
{
    for (;; pattern++) {
        char next = *pattern;
        switch (next) {
        case 0: return *text == 0;
        case '?':
            if (!*text++)
                return 0;
            break;
        case '*':
            do
                if (matches(pattern + 1, text))
                    return 1;
            while (*text++);
            return 0;
        default:
            if (*text++ != next)
                return 0;
            break;
        }
    }
}

static uint32_t scan(const char *text, uint32_t *counts)
{
    enum { OUTSIDE, WORD, NUMBER, STRING, ESCAPE, REMARK } state = OUTSIDE;
    uint32_t tokens = 0;
    for (; *text; text++) {
        char c = *text;
        switch (state) {
        case OUTSIDE:
            tokens++;
            if ((c | 32) >= 'a' && (c | 32) <= 'z')
                state = WORD;
            else if (c >= '0' && c <= '9')
                state = NUMBER;
            else if (c == '"')
                state = STRING;
            else if (c == '#')
                state = REMARK;
            else
                tokens--;
            break;
        case WORD:
            if (!((c | 32) >= 'a' && (c | 32) <= 'z'))
                counts[0]++, state = OUTSIDE;
            break;
        case NUMBER:
            if (c < '0' || c > '9')
                counts[1]++, state = OUTSIDE;
            break;
        case STRING: state = c == '\\' ? ESCAPE : c == '"' ? OUTSIDE : STRING; break;
        case ESCAPE:
            counts[2]++;
            state = STRING;
            break;
        default:
            if (c == '\n')
                state = OUTSIDE;
            break;
        }
    }
    return tokens;
}

static uint32_t run(void)
{
    static const uint8_t loop[] = {0 << 3, 7,      1 << 3, 200,     4 << 3,  90,     2 << 3,
                                   91,     5 << 3, 80,     9 << 3,  1,       7 << 3, 10 << 3,
                                   6 << 3, 8 << 3, 4,      12 << 3, 11 << 3, 2};
    static const int32_t cells[] = {LITERAL,
                                    0,
                                    LITERAL,
                                    3000,
                                    DUPLICATE,
                                    CALL,
                                    22,
                                    LITERAL,
                                    -1,
                                    PLUS,
                                    DUPLICATE,
                                    BRANCH,
                                    2,
                                    EXIT,
                                    EXIT,
                                    LITERAL,
                                    1,
                                    PICK,
                                    1,
                                    PLUS,
                                    BRANCH,
                                    -18,
                                    /* 22: */ DUPLICATE,
                                    TIMES,
                                    LITERAL,
                                    5,
                                    PLUS,
                                    SWAP,
                                    PICK,
                                    1,
                                    LESS,
                                    EXIT};
    static const char text[] =
        "let x12 = \"a \\\"word\\\" of it\" # what it is\nif x1 < 4096 then y = x + 77 else "
        "\"nothing\\n\" end # again and again\nprint 1 22 333 4444 abc def\n";
    static int32_t stack[8192];
    uint32_t counts[3] = {0}, sum = 0;
    for (uint32_t i = 0; i < sizeof loop; i++)
        ram[i] = loop[i];
    for (uint32_t i = 90; i < 256; i++)
        ram[i] = (uint8_t)(number() >> 3);
    struct cpu cpu = {0};
    sum += run_tape("++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<."
                    "+++.------.--------.>>+.");
    sum += run_cpu(&cpu, 12000);
    sum += (uint32_t)run_cells(cells, stack + 8);
    for (uint32_t i = 0; i < 60; i++)
        sum += scan(text, counts) + (uint32_t)matches("*w?rd*th?n*end*abc*d?f*", text);
    return sum + counts[0] + counts[1] + counts[2];
}
