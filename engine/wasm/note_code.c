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

void scan_prepare(struct notes *notes)
{
    static const uint8_t by_imm[] = {
        [IMM_NONE] = 1,          [IMM_LOCAL] = STEP_ONE,
        [IMM_GLOBAL] = STEP_ONE, [IMM_LABEL] = STEP_ONE,
        [IMM_MEMORY] = STEP_ONE, [IMM_I32] = STEP_ONE,
        [IMM_I64] = STEP_ONE,    [IMM_BLOCK] = STEP_ONE | STEP_BLOCK,
        [IMM_MEMARG] = STEP_TWO, [IMM_F32] = 1 + 4,
        [IMM_F64] = 1 + 8,
    };
    for (size_t i = 0; i < sizeof notes->steps; i++)
        notes->steps[i] = op_starts[i].imm < countof(by_imm) ? by_imm[op_starts[i].imm] : 0;
}

#define WINDOW 9 /* bytes: the longest instruction that is passed over at once */

/* Moves over instructions that lead nowhere; *ret_before is the last one of them, if there is one.
 * No more is known of them than their length, and that without a branch: they come in no order that
 * could be foreseen. */
static const uint8_t *pass_over(const uint8_t *steps, const uint8_t *at, const uint8_t *end,
                                const uint8_t **ret_before)
{
    const uint64_t past = UINT64_C(1) << 63; /* no number ends within the window */
    while (end - at >= WINDOW) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        uint32_t step = steps[bytes & 0xff];
        uint64_t ends = ~(bytes >> 8) & UINT64_C(0x0080808080808080);
        uint32_t first = (uint32_t)__builtin_ctzll(ends | past) / 8;
        uint32_t second = (uint32_t)__builtin_ctzll((ends & (ends - 1)) | past) / 8;
        uint32_t next = bytes >> 8 & 0xff;
        uint32_t number = step & STEP_TWO ? second : first;
        bool numbers = step & (STEP_ONE | STEP_TWO);
        uint32_t length = numbers ? number + 2 : step & STEP_LENGTH;
        /* A memory's index follows; a reference type with its heap type. */
        bool longer = ((step & STEP_TWO) && (next & 0x40)) ||
                      ((step & STEP_BLOCK) && (next == 0x63 || next == 0x64));
        if ((step == 0) | (numbers & (number == 7)) | longer)
            break;
        *ret_before = at;
        at += length;
    }
    return at;
}

int scan_body(const struct module *module, struct reader *code, uint32_t **note)
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
        r.at = pass_over(module->notes->steps, r.at, r.end, &before);
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
