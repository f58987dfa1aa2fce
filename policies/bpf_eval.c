/* A classic BPF evaluator for seccomp filters; see bpf_eval.h. Pure. */
#include "policies/bpf_eval.h"

#include <string.h>

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t mem[BPF_MEMWORDS];
};

static bool is_load(uint16_t code)
{
    switch (code) {
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA: return true;
    default: return false;
    }
}

static bool is_alu(uint16_t code)
{
    if (BPF_CLASS(code) != BPF_ALU || (code & ~0xffu))
        return false;
    switch (BPF_OP(code)) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_MUL:
    case BPF_DIV:
    case BPF_AND:
    case BPF_OR:
    case BPF_XOR:
    case BPF_LSH:
    case BPF_RSH: return true;
    case BPF_NEG: return BPF_SRC(code) == BPF_K;
    default: return false;
    }
}

static bool is_jump(uint16_t code)
{
    if (BPF_CLASS(code) != BPF_JMP || (code & ~0xffu))
        return false;
    switch (BPF_OP(code)) {
    case BPF_JA: return BPF_SRC(code) == BPF_K;
    case BPF_JEQ:
    case BPF_JGT:
    case BPF_JGE:
    case BPF_JSET: return true;
    default: return false;
    }
}

static bool is_return(uint16_t code)
{
    return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
}

static bool operand_valid(const struct sock_filter *i)
{
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS: return i->k % 4 == 0 && i->k < sizeof(struct seccomp_data);
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX: return i->k < BPF_MEMWORDS;
    case BPF_ALU | BPF_DIV | BPF_K: return i->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K: return i->k < 32;
    default: return true;
    }
}

bool bpf_valid(const struct sock_filter *code, size_t len)
{
    if (len == 0 || len > BPF_MAXINSNS || !is_return(code[len - 1].code))
        return false;
    for (size_t at = 0; at < len; at++) {
        const struct sock_filter *i = &code[at];
        size_t left = len - at - 1; /* instructions after this one */
        if (is_jump(i->code)) {
            if (BPF_OP(i->code) == BPF_JA ? i->k >= left : i->jt >= left || i->jf >= left)
                return false;
        } else if (!is_load(i->code) && !is_alu(i->code) && !is_return(i->code)) {
            return false;
        }
        if (!operand_valid(i))
            return false;
    }
    return true;
}

static void load(struct machine *m, const struct sock_filter *i, const struct seccomp_data *data)
{
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS: memcpy(&m->a, (const char *)data + i->k, sizeof m->a); break;
    case BPF_LD | BPF_W | BPF_LEN: m->a = sizeof *data; break;
    case BPF_LDX | BPF_W | BPF_LEN: m->x = sizeof *data; break;
    case BPF_LD | BPF_IMM: m->a = i->k; break;
    case BPF_LDX | BPF_IMM: m->x = i->k; break;
    case BPF_LD | BPF_MEM: m->a = m->mem[i->k]; break;
    case BPF_LDX | BPF_MEM: m->x = m->mem[i->k]; break;
    case BPF_ST: m->mem[i->k] = m->a; break;
    case BPF_STX: m->mem[i->k] = m->x; break;
    case BPF_MISC | BPF_TAX: m->x = m->a; break;
    case BPF_MISC | BPF_TXA: m->a = m->x; break;
    default: break;
    }
}

/* False if the program divides by zero, which ends it. */
static bool calculate(struct machine *m, const struct sock_filter *i)
{
    uint32_t by = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
    switch (BPF_OP(i->code)) {
    case BPF_ADD: m->a += by; break;
    case BPF_SUB: m->a -= by; break;
    case BPF_MUL: m->a *= by; break;
    case BPF_DIV:
        if (by == 0)
            return false;
        m->a /= by;
        break;
    case BPF_AND: m->a &= by; break;
    case BPF_OR: m->a |= by; break;
    case BPF_XOR: m->a ^= by; break;
    case BPF_LSH: m->a <<= by & 31; break;
    case BPF_RSH: m->a >>= by & 31; break;
    case BPF_NEG: m->a = 0 - m->a; break;
    default: break;
    }
    return true;
}

static uint32_t jump(const struct machine *m, const struct sock_filter *i)
{
    uint32_t to = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
    switch (BPF_OP(i->code)) {
    case BPF_JA: return i->k;
    case BPF_JEQ: return m->a == to ? i->jt : i->jf;
    case BPF_JGT: return m->a > to ? i->jt : i->jf;
    case BPF_JGE: return m->a >= to ? i->jt : i->jf;
    default: return m->a & to ? i->jt : i->jf;
    }
}

uint32_t bpf_eval(const struct sock_filter *code, size_t len, const struct seccomp_data *data)
{
    struct machine m = {0};
    for (size_t at = 0; at < len; at++) {
        const struct sock_filter *i = &code[at];
        switch (BPF_CLASS(i->code)) {
        case BPF_RET: return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
        case BPF_JMP: at += jump(&m, i); break;
        case BPF_ALU:
            if (!calculate(&m, i))
                return SECCOMP_RET_KILL_THREAD;
            break;
        default: load(&m, i, data); break;
        }
    }
    return SECCOMP_RET_KILL_PROCESS; /* not reached by a valid program */
}
