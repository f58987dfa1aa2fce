/* Handlers of calls and returns, and where the interpreter is entered and left.
 *
 * A call stages its arguments at the callee's frame base, writes the link behind the place of
 * parameters and results, and jumps to the callee's entry. Within an instance that is two stores.
 * Across instances the link holds an instruction of its own, RETURN_ACROSS, that brings the
 * caller's instance back. A native callee gets a frame too, and is stepped until it is done (vm.h).
 *
 * At a callee's entry `acc` points to the cell that the entry was read from: LAZY needs it. */
#include "engine/exec/ops_call.h"

/* --- Traps ---------------------------------------------------------------------------------------
 */

/* Records a trap at the machine's place. Out of the handlers, which have no stack of their own. */
static COLD void trap_here(enum trap_kind kind, const code_word *pc, union slot *fp,
                           struct instance *in)
{
    vm_trap_set(in->vm, kind, "%s", "");
    backtrace_record(in->vm, pc, fp, in);
}

COLD CONVENTION void interp_trap_kind(REGS)
{
    trap_here((enum trap_kind)acc, pc, fp, in);
    LEAVE(FIBER_TRAPPED);
}

HANDLE(ENTER)
HANDLE(ENTER0)
HANDLE(RET)
HANDLE(RET_FAR)
HANDLE(RET_S)
HANDLE(RET_FAR_S)
HANDLE(RET_A)
HANDLE(RET_FAR_A)
HANDLE(RET_I)
HANDLE(RET_FAR_I)
HANDLE(RETX_S)
HANDLE(RETX_FAR_S)
HANDLE(RETX_A)
HANDLE(RETX_FAR_A)
HANDLE(CALL)

/* --- Calls ---------------------------------------------------------------------------------------
 */

/* The link for a return to `back` here, from another instance. */
#define LINK_BETWEEN(link, back)                                                                   \
    ((link)[LINK_PC].ref = &(link)[LINK_ACROSS], (link)[LINK_FP].ref = fp,                         \
     (link)[LINK_ACROSS].u64 = interp_word(XOP_RETURN_ACROSS),                                     \
     (link)[LINK_CALLER].u64 = (uint64_t)(uintptr_t)(back), (link)[LINK_INSTANCE].ref = in)

/* Jumps to a wasm function's entry. */
#define ENTER_CELL(cell)                                                                           \
    do {                                                                                           \
        const code_word *const *cell_ = (cell);                                                    \
        acc = (uint64_t)(uintptr_t)cell_;                                                          \
        pc = *cell_;                                                                               \
        DISPATCH();                                                                                \
    } while (0)

/* Calls `f`, whose link is written, with its frame at `base`: a handler, so that every kind of call
 * shares it. The function comes in acc. */
static handler enter_func;
static CONVENTION void enter_func(REGS)
{
    struct func *f = (struct func *)(uintptr_t)acc;
    if (f->entry) {
        in = f->instance;
        RELOAD_MEMORY();
        ENTER_CELL(f->entry);
    }
    /* A native frame lies behind the link; NATIVE steps it. */
    struct native_frame *frame = (struct native_frame *)(fp + f->link + LINK_SLOTS);
    union slot *top = (union slot *)(frame + 1);
    TRAP_IF(top > in->vm->stack_limit, STACK);
    frame->resume[0] = interp_word(XOP_NATIVE);
    frame->caller = in;
    frame->pub = (struct native){.func = f, .data = f->data, .args = fp, .top = top};
    pc = frame->resume;
    JUMP(xop_NATIVE);
}

/* Calls `f` with its frame at `base`, from here; `back` is where it returns to. */
#define CALL_FUNC(f_, base_, link_, back_)                                                         \
    do {                                                                                           \
        struct func *callee = (f_);                                                                \
        union slot *base = fp + (base_);                                                           \
        union slot *link = fp + (link_);                                                           \
        if (likely(callee->instance == in)) {                                                      \
            LINK_WITHIN(link, back_);                                                              \
            fp = base;                                                                             \
            ENTER_CELL(callee->entry);                                                             \
        }                                                                                          \
        LINK_BETWEEN(link, back_);                                                                 \
        fp = base;                                                                                 \
        acc = (uint64_t)(uintptr_t)callee;                                                         \
        JUMP(enter_func);                                                                          \
    } while (0)

HANDLER(CALL_IMPORT)
{
    CALL_FUNC(in->funcs[(uint32_t)pc[2]], U32(0), U32(1), pc + 3);
}

/* Is a function of type `actual` one of type `wanted`? The first test is the common case. */
#define TYPE_IS(actual, wanted)                                                                    \
    (likely((actual) == (wanted)) || types_id_matches(in->vm->types, (actual), (wanted)))

/* Looks a function up for an indirect call, or traps (§4.4.8). */
#define LOOK_UP(ret_func, table_, index_, type_)                                                   \
    do {                                                                                           \
        const struct table_instance *table = in->tables[(table_)];                                 \
        uint64_t index = (index_);                                                                 \
        TRAP_IF(index >= table->count, UNDEFINED_ELEMENT);                                         \
        ret_func = table_slots(table)[index].ref;                                                  \
        TRAP_IF(!ret_func, UNINITIALIZED);                                                         \
        TRAP_IF(!TYPE_IS(ret_func->type, (type_)), SIGNATURE);                                     \
    } while (0)

/* [base32 link32][s - type32][table] */
#define CALL_TABLE(name, index)                                                                    \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        struct func *f;                                                                            \
        LOOK_UP(f, pc[3], index, U32(3));                                                          \
        CALL_FUNC(f, U32(0), U32(1), pc + 4);                                                      \
    }
CALL_TABLE(CALL_TABLE_S, SLOT_i64(4))
CALL_TABLE(CALL_TABLE_A, acc)

/* [base32 link32][s] */
#define CALL_REF(name, reference)                                                                  \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        struct func *f = (struct func *)(uintptr_t)(reference);                                    \
        TRAP_IF(!f, NULL_FUNCTION);                                                                \
        CALL_FUNC(f, U32(0), U32(1), pc + 3);                                                      \
    }
CALL_REF(CALL_REF_S, SLOT_i64(4))
CALL_REF(CALL_REF_A, acc)

/* --- Tail calls
 * ------------------------------------------------------------------------------------ [base32
 * slots32][link32 callee_link32]...: `slots` argument slots at `base` move to the start of the
 * frame, and the link moves to where the callee's type has it. */

/* Moves arguments and link. If the callee belongs to another instance while our caller expects to
 * return within this one, the link becomes one that crosses. */
static void tail_frame(union slot *fp, const code_word *pc, struct instance *in, bool crosses)
{
    const code_u32 *word = (const code_u32 *)(pc + 1);
    union slot old[LINK_SLOTS];
    const union slot *from = fp + word[2];
    memcpy(old, from, sizeof old);
    bool was_across = old[LINK_PC].ref == (const void *)&from[LINK_ACROSS];
    memmove(fp, fp + word[0], (size_t)word[1] * sizeof *fp);
    union slot *to = fp + word[3];
    to[LINK_FP] = old[LINK_FP];
    if (was_across || crosses) {
        to[LINK_PC].ref = &to[LINK_ACROSS];
        to[LINK_ACROSS].u64 = was_across ? old[LINK_ACROSS].u64 : interp_word(XOP_RETURN_ACROSS);
        to[LINK_CALLER] = was_across ? old[LINK_CALLER] : old[LINK_PC];
        to[LINK_INSTANCE].ref = was_across ? old[LINK_INSTANCE].ref : in;
    } else {
        to[LINK_PC] = old[LINK_PC];
    }
}

#define TAIL_FUNC(f_)                                                                              \
    do {                                                                                           \
        struct func *callee = (f_);                                                                \
        tail_frame(fp, pc, in, callee->instance != in);                                            \
        acc = (uint64_t)(uintptr_t)callee;                                                         \
        JUMP(enter_func);                                                                          \
    } while (0)

HANDLER(TAIL)
{
    const code_word *const *cell = (const code_word *const *)(uintptr_t)pc[3];
    tail_frame(fp, pc, in, false);
    ENTER_CELL(cell);
}

HANDLER(TAIL_IMPORT)
{
    TAIL_FUNC(in->funcs[(uint32_t)pc[3]]);
}

HANDLER(TAIL_TABLE)
{
    struct func *f;
    LOOK_UP(f, pc[4], fp[U32(4)].u64, U32(5));
    TAIL_FUNC(f);
}

HANDLER(TAIL_REF)
{
    struct func *f = fp[U32(4)].ref;
    TRAP_IF(!f, NULL_FUNCTION);
    TAIL_FUNC(f);
}

/* --- Where calls begin and end
 * -------------------------------------------------------------------- */

/* Translates the function whose cell is in acc; false if it does not fit, which depends on it and
 * on the size of the file alone, or was stopped: then the next call translates it. The trap is set,
 * at the function's beginning. */
static NOINLINE bool translate_now(struct instance *in, uint64_t cell)
{
    struct vm *vm = in->vm;
    const struct code *code = *in->module->code;
    struct translation translation = vm->translation;
    translation.module = in->module;
    uint32_t func = (uint32_t)((const code_word **)(uintptr_t)cell - code->entries);
    struct err err = {0};
    if (translate_func(&translation, func, vm->image, &err) == 0)
        return true;
    vm_trap_set(vm, err.kind == ERR_TIME ? TRAP_INTERRUPT : TRAP_TRANSLATION, "%s", err.text);
    return false;
}

HANDLER(LAZY)
{
    TRAP_IF(!translate_now(in, acc), TRANSLATION);
    ENTER_CELL((const code_word *const *)(uintptr_t)acc);
}

/* In a link: [caller's pc][caller's instance] follow as LINK_CALLER and LINK_INSTANCE. */
HANDLER(RETURN_ACROSS)
{
    in = (struct instance *)(uintptr_t)pc[LINK_INSTANCE - LINK_ACROSS];
    pc = (const code_word *)(uintptr_t)pc[LINK_CALLER - LINK_ACROSS];
    RELOAD_MEMORY();
    DISPATCH();
}

/* The same in a link that the collector has marked: the frame there is scanned before it goes on.
 */
HANDLER(RETURN_MARKED)
{
    gc_frame_runs(in->vm, (const code_word *)(uintptr_t)pc[LINK_CALLER - LINK_ACROSS], fp,
                  (struct instance *)(uintptr_t)pc[LINK_INSTANCE - LINK_ACROSS]);
    JUMP(xop_RETURN_ACROSS);
}

/* Steps the native frame that pc points into. */
HANDLER(NATIVE)
{
    struct native_frame *frame = (struct native_frame *)(uintptr_t)pc;
    struct native *native = &frame->pub;
    struct vm *vm = in->vm;
    const struct func *f = native->func;
    fp = native->args;
    enum native_answer answer = f->step(vm, native);
    native->answered++;
    union slot *link = fp + f->link;
    switch (answer) {
    case NATIVE_DONE:
        acc = fp[0].u64;
        memcpy(&xacc, fp, sizeof xacc);
        pc = link[LINK_PC].ref;
        fp = link[LINK_FP].ref;
        DISPATCH();
    case NATIVE_CALL: {
        struct func *callee = frame->callee;
        union slot *base = native->top;
        TRAP_IF(base + callee->link + LINK_SLOTS > vm->stack_limit, STACK);
        union slot *callee_link = base + callee->link;
        LINK_WITHIN(callee_link, frame->resume);
        fp = base;
        acc = (uint64_t)(uintptr_t)callee;
        JUMP(enter_func);
    }
    case NATIVE_BLOCKED: LEAVE(FIBER_BLOCKED);
    case NATIVE_RESUME: LEAVE(FIBER_RESUMING);
    case NATIVE_PAUSE: LEAVE(FIBER_PAUSED);
    case NATIVE_TRAP: break;
    }
    vm_trap_set(vm, TRAP_HOST, "%s", "a host function failed without saying why");
    acc = vm->trap.kind;
    JUMP(interp_trap_kind);
}

HANDLER(LEAVE)
{
    LEAVE(FIBER_DONE);
}

/* --- From C
 * --------------------------------------------------------------------------------------- */

/* The first handler is entered from a small function of its own: a caller with over-aligned locals
 * would not survive the calling convention. */
static NOINLINE void jump_in(REGS)
{
#ifdef CARREL_DISPATCH_LOOP
    struct vm *vm = in->vm;
    struct machine *m = &vm->machine;
    m->pc = pc, m->fp = fp, m->mb = mb, m->ml = ml, m->instance = in, m->acc = acc, m->xacc = xacc;
    m->state = FIBER_READY;
    while (m->state == FIBER_READY) {
#ifdef CARREL_COUNT
        interp_count(m->pc);
#endif
        ((handler *)(uintptr_t)*m->pc)(m->pc, m->fp, m->mb, m->ml, m->instance, m->acc, m->xacc);
    }
#else
    ((handler *)(uintptr_t)*pc)(REGS_PASSED);
#endif
}

void interp_run(struct vm *vm, const code_word *pc, union slot *fp, struct instance *in)
{
    (void)vm;
    jump_in(pc, fp, in->memory0->span.at, in->memory0->span.size, in, 0, (xreg){0});
}

void interp_call(struct vm *vm, struct func *func, union slot *base, const code_word *leave)
{
    struct instance *in = func->instance ? func->instance : vm->nowhere;
    union slot *link = base + func->link;
    link[LINK_PC].u64 = (uint64_t)(uintptr_t)leave;
    link[LINK_FP].ref = base;
    code_word start[1] = {interp_word(XOP_START)};
    jump_in(start, base, in->memory0->span.at, in->memory0->span.size, in,
            (uint64_t)(uintptr_t)func, (xreg){0});
}

/* The function to call is in acc. */
HANDLER(START)
{
    JUMP(enter_func);
}
