/* Backtraces; see backtrace.h. */
#include "engine/component/backtrace.h"

#include "engine/component/async.h"
#include "engine/component/builtin.h"
#include "engine/component/called.h"

/* A list of frames that grows until its room is full. */
struct backtrace {
    struct cm_frame *to;
    uint32_t most;
    uint32_t count;
    uint32_t depth;
    const struct trap_frame *next; /* behind the one that is told; NULL: none is recorded */
};

/* What the next one is about; where its name goes. Without room it goes nowhere. */
static struct cm_text begin_frame(struct backtrace *b, enum cm_frame_kind kind,
                                  const struct trap_frame *of, const struct cm_instance *instance)
{
    static struct cm_frame nowhere;
    struct cm_frame *frame = b->count < b->most ? &b->to[b->count++] : &nowhere;
    b->depth++;
    *frame = (struct cm_frame){.kind = kind, .of = of};
    struct cm_text where = {frame->where, sizeof frame->where, 0};
    cm_called_instance(&where, instance);
    return (struct cm_text){frame->name, sizeof frame->name, 0};
}

static void put(struct cm_text *to, const char *text)
{
    cm_text_put(to, str_of(text));
}

/* --- Canonical definitions ----------------------------------------------------------------------
 */

static void tell_lowered(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                         const struct lowered *low)
{
    struct cm_text name = begin_frame(b, kind, of, low->instance);
    put(&name, "canon lower of ");
    cm_called_func(&name, low->instance->component, low->canon->func);
}

static void tell_lifted(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                        const struct cm_func *func, const char *as)
{
    struct cm_text name = begin_frame(b, kind, of, func->instance);
    put(&name, as);
    cm_called_lifted(&name, func);
}

#define LIFTED "canon lift of "

typedef void tell_native(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                         void *data);

static tell_native tell_lower;
static void tell_lower(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                       void *data)
{
    tell_lowered(b, kind, of, data);
}

/* A call of another component: what it has passed on to the callee is that one's. */
static tell_native tell_guest;
static void tell_guest(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                       void *data)
{
    const struct lowered *low = data;
    if (of->state == IN_CALLEE) {
        tell_lifted(b, kind, of, low->callee, LIFTED);
        kind = FRAME_OF_NATIVE;
    }
    tell_lowered(b, kind, of, low);
}

static tell_native tell_builtin;
static void tell_builtin(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                         void *data)
{
    const struct builtin *builtin = data;
    const struct cm_canon *canon = builtin->canon;
    struct cm_text name = begin_frame(b, kind, of, builtin->instance);
    put(&name, "canon ");
    put(&name, canon_text(canon->canon));
    const struct cm_type *type = canon->type;
    if (canon->var && canon->var->name) {
        put(&name, " of ");
        cm_text_put(&name, canon->var->name->text);
    } else if (type && (type->kind == CM_STREAM || type->kind == CM_FUTURE)) {
        put(&name, " of ");
        cm_show(&name, type);
    }
}

/* Has the frame resumed another fiber to begin a call of its own? Then it is the caller's. */
static bool begins_call(const struct trap_frame *of)
{
    return of->resumes && func_parts(of->native).step == lowered_async_step &&
           of->state == LOWERED_BEGUN;
}

/* The call that the async task of a frame's fiber is for; NULL: the host's, or resolved. */
static const struct cm_subtask *subtask_of(const struct trap_frame *of)
{
    const struct cm_thread *thread = of->owner;
    return async_of(thread->task)->subtask;
}

/* What passes its result on to the caller is that one's. */
static tell_native tell_return;
static void tell_return(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                        void *data)
{
    if (of->state == IN_CALLER) {
        tell_lowered(b, kind, of, subtask_of(of)->low);
        kind = FRAME_OF_NATIVE;
    }
    tell_builtin(b, kind, of, data);
}

/* The first frame of a fiber whose thread is of an async task. If who called has resumed it, that
 * one's frame comes next. */
static tell_native tell_entry;
static void tell_entry(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                       void *data)
{
    (void)data;
    const struct cm_thread *thread = of->owner;
    const struct cm_subtask *subtask = subtask_of(of);
    if (of->state == IN_CALLEE || !subtask) {
        tell_lifted(b, kind, of, async_of(thread->task)->func, LIFTED);
        kind = FRAME_OF_CALLER;
    }
    if (subtask && !(b->next && begins_call(b->next)))
        tell_lowered(b, kind, of, subtask->low);
}

static tell_native tell_invoked;
static void tell_invoked(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                         void *data)
{
    const struct cm_func *func = invoked_func(data);
    if (!func->instance)
        (void)begin_frame(b, kind, of, NULL);
    else
        tell_lifted(b, kind, of, func, func->type->async ? "event loop for " : LIFTED);
}

static tell_native tell_instantiation;
static void tell_instantiation(struct backtrace *b, enum cm_frame_kind kind,
                               const struct trap_frame *of, void *data)
{
    struct cm_text name = begin_frame(b, kind, of, data);
    put(&name, "instantiation");
}

static const struct {
    native_step *step;
    tell_native *tell;
} natives[] = {
    {lowered_host_step, tell_lower},        {lowered_null_step, tell_lower},
    {lowered_guest_step, tell_guest},       {lowered_async_step, tell_lower},
    {lowered_async_host_step, tell_lower},  {async_entry_step, tell_entry},
    {builtin_task_return, tell_return},     {invoked_step, tell_invoked},
    {instantiate_step, tell_instantiation},
#define CANON(opcode, name, text, immediates, params, result, step) {builtin_##step, tell_builtin},
#include "engine/component/canon.def"
#undef CANON
};

/* --- Frames -------------------------------------------------------------------------------------
 */

static void tell_code(struct backtrace *b, enum cm_frame_kind kind, const struct trap_frame *of,
                      const struct instance *instance, struct str called)
{
    struct cm_text name = begin_frame(b, kind, of, NULL);
    cm_called_name(&name, called);
    if (b->depth > b->count)
        return;
    struct cm_frame *frame = &b->to[b->count - 1];
    struct cm_text where = {frame->where, sizeof frame->where, 0};
    cm_called_core(&where, instance);
}

static void tell_native_frame(struct backtrace *b, const struct trap_frame *of)
{
    enum cm_frame_kind kind = FRAME_OF_NATIVE;
    if (of->resumes && !begins_call(of))
        kind = FRAME_OF_RESUMER;
    const struct native_parts parts = func_parts(of->native);
    const struct instance *started = func_initializes(of->native);
    if (started) {
        tell_code(b, kind, of, started, str_of("instantiation"));
        return;
    }
    for (size_t i = 0; i < countof(natives); i++) {
        if (natives[i].step == parts.step) {
            natives[i].tell(b, kind, of, parts.data);
            return;
        }
    }
    (void)begin_frame(b, kind, of, NULL);
}

uint32_t cm_backtrace(const struct trap *trap, struct cm_frame *to, uint32_t most,
                      uint32_t *ret_depth)
{
    struct backtrace b = {.to = to, .most = most};
    uint32_t recorded = trap->depth < TRAP_FRAMES ? trap->depth : TRAP_FRAMES;
    for (uint32_t i = 0; i < recorded; i++) {
        const struct trap_frame *of = &trap->frames[i];
        b.next = i + 1 < recorded ? of + 1 : NULL;
        if (of->instance)
            tell_code(&b, FRAME_OF_CODE, of, of->instance,
                      module_func_name(instance_module(of->instance), of->func));
        else
            tell_native_frame(&b, of);
    }
    *ret_depth = b.depth + trap->depth - recorded;
    return b.count;
}
