/* Notes of instructions that lead somewhere, see notes.h: of those that validation found to be
 * good, and of code that is only gone over, by a reader whose answer another cell does not trust.
 * validate_fast.c notes the calls that it treats itself. */
#include "engine/wasm/notes.h"
#include "engine/wasm/validate_state.h"

static void note(struct noting *n, enum note_kind kind, uint32_t index)
{
    *n->at++ = NOTE_OF(kind) | index;
}

static void note_indirect(struct noting *n, const struct insn *insn)
{
    bool fixed = insn->at == n->constant_end;
    note(n, NOTE_CALL_INDIRECT, insn->pair.x);
    *n->at++ = insn->pair.y * 2 + fixed;
    if (fixed)
        *n->at++ = n->constant_value;
}

/* `end` is where the instruction ends. */
INLINE void note_insn(struct noting *n, const struct insn *insn, const uint8_t *end)
{
    switch (insn->op) {
    case OP_I32_CONST:
        n->constant_end = end;
        n->constant_value = (uint32_t)insn->i32;
        return;
    case OP_CALL:
    case OP_RETURN_CALL: note(n, NOTE_CALL, insn->x); return;
    case OP_CALL_INDIRECT:
    case OP_RETURN_CALL_INDIRECT: note_indirect(n, insn); return;
    case OP_CALL_REF:
    case OP_RETURN_CALL_REF: note(n, NOTE_CALL_REF, insn->x); return;
    case OP_REF_FUNC: note(n, NOTE_REF_FUNC, insn->x); return;
    case OP_TABLE_GET: note(n, NOTE_TABLE_READ, insn->x); return;
    case OP_TABLE_SET:
    case OP_TABLE_GROW:
    case OP_TABLE_FILL: note(n, NOTE_TABLE_CHANGE, insn->x); return;
    case OP_TABLE_COPY:
        note(n, NOTE_TABLE_CHANGE, insn->pair.x);
        note(n, NOTE_TABLE_READ, insn->pair.y);
        return;
    case OP_TABLE_INIT:
        note(n, NOTE_SEGMENT, insn->pair.x);
        note(n, NOTE_TABLE_CHANGE, insn->pair.y);
        return;
    case OP_ARRAY_NEW_ELEM:
    case OP_ARRAY_INIT_ELEM: note(n, NOTE_SEGMENT, insn->pair.y); return;
    default: return;
    }
}

void v_note(struct validator *v, const struct insn *insn)
{
    note_insn(&v->noting, insn, v->r.at);
}

/* --- Without validation -------------------------------------------------------------------------
 */

static bool known(struct reader *r, const struct insn *insn, const char *what, uint32_t index,
                  uint32_t count)
{
    if (unlikely(index >= count))
        reader_fail_at(r, insn->at, ERR_INVALID, "%s: unknown %s %u", op_text(insn->op), what,
                       index);
    return index < count;
}

/* Does what a note would name exist? Types were looked up by who read them. */
INLINE bool names_are_known(struct reader *r, const struct module *module, const struct insn *insn)
{
    switch (insn->imm) {
    case IMM_FUNC: return known(r, insn, "function", insn->x, module->nfuncs);
    case IMM_TABLE: return known(r, insn, "table", insn->x, module->ntables);
    case IMM_CALL_INDIRECT: return known(r, insn, "table", insn->pair.y, module->ntables);
    case IMM_TABLE_INIT:
        return known(r, insn, "elem segment", insn->pair.x, module->nelems) &&
               known(r, insn, "table", insn->pair.y, module->ntables);
    case IMM_TABLE_PAIR:
        return known(r, insn, "table", insn->pair.x, module->ntables) &&
               known(r, insn, "table", insn->pair.y, module->ntables);
    case IMM_TYPE_ELEM: return known(r, insn, "elem segment", insn->pair.y, module->nelems);
    default: return true;
    }
}

/* What lies behind the first byte of an instruction that leads nowhere: nothing, one or two LEB128
 * numbers, a block type, or 4 or 8 bytes. 0: it is to be looked at. */
enum {
    STEP_LENGTH = 0x0f, /* of the whole instruction, if there are no numbers */
    STEP_ONE = 0x10,
    STEP_TWO = 0x20,
    STEP_BLOCK = 0x40,
};

void scan_prepare(struct scan_steps *steps)
{
    static const uint8_t by_imm[] = {
        [IMM_NONE] = 1,          [IMM_LOCAL] = STEP_ONE,
        [IMM_GLOBAL] = STEP_ONE, [IMM_LABEL] = STEP_ONE,
        [IMM_MEMORY] = STEP_ONE, [IMM_I32] = STEP_ONE,
        [IMM_I64] = STEP_ONE,    [IMM_BLOCK] = STEP_ONE | STEP_BLOCK,
        [IMM_MEMARG] = STEP_TWO, [IMM_F32] = 1 + 4,
        [IMM_F64] = 1 + 8,
    };
    for (size_t i = 0; i < countof(steps->kinds); i++)
        steps->kinds[i] = op_starts[i].imm < countof(by_imm) ? by_imm[op_starts[i].imm] : 0;
    for (size_t i = 0; i < countof(steps->lengths); i++) {
        uint8_t kind = steps->kinds[i & 0xff];
        bool first_goes_on = i & 0x100;
        bool second_goes_on = i & 0x200;
        if (!(kind & (STEP_ONE | STEP_TWO)))
            steps->lengths[i] = kind & STEP_LENGTH;
        else if (kind & STEP_ONE && !(first_goes_on && second_goes_on))
            steps->lengths[i] = first_goes_on ? 3 : 2;
        else if (kind & STEP_TWO && !first_goes_on && !second_goes_on)
            steps->lengths[i] = 3;
    }
}

#define WINDOW 9 /* bytes: the longest instruction that is passed over at once */

/* How long an instruction with numbers is, of which its first 8 bytes are given; 0: not known. */
static uint32_t numbered_length(uint32_t kind, uint64_t bytes)
{
    uint64_t ends = ~(bytes >> 8) & UINT64_C(0x0080808080808080);
    if (kind & STEP_TWO)
        ends &= ends - 1;
    return ends ? (uint32_t)__builtin_ctzll(ends) / 8 + 2 : 0;
}

/* Moves over instructions that lead nowhere; *ret_before is the last one of them, if there is one.
 * No more is known of them than their length, and that nearly always by looking it up, without a
 * branch: they come in no order that could be foreseen. */
static const uint8_t *pass_over(const struct scan_steps *steps, const uint8_t *at,
                                const uint8_t *end, const uint8_t **ret_before)
{
    while (end - at >= WINDOW) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        uint32_t kind = steps->kinds[bytes & 0xff];
        uint32_t next = bytes >> 8 & 0xff;
        uint32_t length =
            steps->lengths[(bytes & 0xff) | (bytes >> 7 & 0x100) | (bytes >> 14 & 0x200)];
        if (unlikely(length == 0))
            length = kind ? numbered_length(kind, bytes) : 0;
        /* A memory's index follows; a reference type with its heap type. */
        bool longer = ((kind & STEP_TWO) && (next & 0x40)) ||
                      ((kind & STEP_BLOCK) && (next == 0x63 || next == 0x64));
        if ((length == 0) | longer)
            break;
        *ret_before = at;
        at += length;
    }
    return at;
}

int scan_body(const struct module *module, const struct scan_steps *steps, struct reader *code,
              uint32_t **note)
{
    struct noting noting = {.at = *note};
    struct reader r = *code;
    uint32_t groups = reader_count(&r, UINT32_MAX, "groups of locals");
    for (uint32_t i = 0; i < groups && reader_ok(&r); i++) {
        reader_u32(&r);
        valtype_read(&r, module);
    }
    struct insn insn = {0};
    while (!reader_at_end(&r)) {
        const uint8_t *before = NULL;
        r.at = pass_over(steps, r.at, r.end, &before);
        if (before && op_starts[*before].op == OP_I32_CONST) { /* an indirect call may take it */
            const uint8_t *end = r.at;
            r.at = before;
            insn_read(&r, module, &insn);
            note_insn(&noting, &insn, end);
        }
        insn_read(&r, module, &insn);
        if (unlikely(!reader_ok(&r)) || unlikely(!names_are_known(&r, module, &insn)))
            break;
        note_insn(&noting, &insn, r.at);
    }
    *code = r;
    *note = noting.at;
    return reader_ok(code) ? 0 : -1;
}
