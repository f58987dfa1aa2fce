/* Notes of instructions that lead somewhere, once they are found to be valid; see notes.h.
 * validate_fast.c notes the calls that it treats itself. */
#include "engine/wasm/notes.h"
#include "engine/wasm/validate_state.h"

static void note(struct validator *v, enum note_kind kind, uint32_t index)
{
    *v->note++ = NOTE_OF(kind) | index;
}

static void note_indirect(struct validator *v, const struct insn *insn)
{
    bool fixed = insn->at == v->constant_end;
    note(v, NOTE_CALL_INDIRECT, insn->pair.x);
    *v->note++ = insn->pair.y * 2 + fixed;
    if (fixed)
        *v->note++ = v->constant_value;
}

void v_note(struct validator *v, const struct insn *insn)
{
    switch (insn->op) {
    case OP_I32_CONST:
        v->constant_end = v->r.at;
        v->constant_value = (uint32_t)insn->i32;
        return;
    case OP_CALL:
    case OP_RETURN_CALL: note(v, NOTE_CALL, insn->x); return;
    case OP_CALL_INDIRECT:
    case OP_RETURN_CALL_INDIRECT: note_indirect(v, insn); return;
    case OP_CALL_REF:
    case OP_RETURN_CALL_REF: note(v, NOTE_CALL_REF, insn->x); return;
    case OP_REF_FUNC: note(v, NOTE_REF_FUNC, insn->x); return;
    case OP_TABLE_GET: note(v, NOTE_TABLE_READ, insn->x); return;
    case OP_TABLE_SET:
    case OP_TABLE_GROW:
    case OP_TABLE_FILL: note(v, NOTE_TABLE_CHANGE, insn->x); return;
    case OP_TABLE_COPY:
        note(v, NOTE_TABLE_CHANGE, insn->pair.x);
        note(v, NOTE_TABLE_READ, insn->pair.y);
        return;
    case OP_TABLE_INIT:
        note(v, NOTE_SEGMENT, insn->pair.x);
        note(v, NOTE_TABLE_CHANGE, insn->pair.y);
        return;
    case OP_ARRAY_NEW_ELEM:
    case OP_ARRAY_INIT_ELEM: note(v, NOTE_SEGMENT, insn->pair.y); return;
    default: return;
    }
}
