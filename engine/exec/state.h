/* The structures of execution, for exec/ alone; everybody else uses vm.h. */
#ifndef CARREL_EXEC_STATE_H
#define CARREL_EXEC_STATE_H

#include "engine/base/reader.h"
#include "engine/exec/gc.h"
#include "engine/exec/vm.h"
#include "engine/wasm/code.h"
#include "engine/wasm/translate.h"

struct func {
    uint32_t type;           /* id */
    uint32_t index;          /* in the module, of a wasm function */
    uint32_t link;           /* frame_link of its type */
    const code_word **entry; /* what a call jumps to; NULL: native */
    struct instance *instance;
    native_step *step; /* native only */
    void *data;
};

/* Hot fields first. */
struct instance {
    struct vm *vm;
    struct linear_memory *memory0;      /* never NULL: vm->no_memory if there is none */
    const volatile uint32_t *interrupt; /* the vm's two, where code finds them sooner */
    uint32_t interrupt_at;
    uintptr_t marks; /* the vm's */
    struct global_instance **globals;
    struct func **funcs;
    struct table_instance **tables;
    struct linear_memory **memories;
    struct tag_instance **tags;
    const struct module *module;
    union slot **elems;     /* the items of each passive segment */
    uint8_t *dropped_elems; /* a flag per segment */
    uint8_t *dropped_datas;
    struct func *own; /* the module's own functions, without the imported ones */
    struct func *initializer;
    void *owner;
    struct instance *next; /* of all instances */
};

/* What dropped_elems says. LATE: while the collector was marking, so that the items still count. */
enum { ELEM_KEPT, ELEM_DROPPED, ELEM_DROPPED_LATE };

/* A native function's frame: what it sees, behind the code that steps it. */
struct native_frame {
    code_word resume[1]; /* the NATIVE instruction; where callees return to */
    struct instance *caller;
    struct func *callee; /* to call, after NATIVE_CALL */
    struct native pub;
};

/* What memory.atomic.wait waits for. */
struct waiter {
    const struct linear_memory *memory; /* NULL: it does not wait */
    uint64_t at;
    uint64_t until;     /* as the clock tells; UINT64_MAX: for ever */
    bool notified;      /* and not in the list any more */
    struct fiber *next; /* of the vm's list, in the order in which they came */
    struct fiber *root; /* that is to be run again */
};

struct fiber {
    struct span stack;
    enum fiber_state state;
    struct func *func;
    const code_word *pc; /* where to go on, unless it is new */
    union slot *fp;
    struct instance *instance;
    code_word leave[1]; /* the LEAVE instruction, where the first frame returns to */
    void *owner;
    struct fiber *resumer; /* goes on when this one pauses or is done; NULL: nobody */
    struct fiber *inner; /* of the fiber that fiber_run was given: the one that blocked; or NULL */
    struct waiter waiter;
    struct fiber *next; /* of the vm's list of spare fibers */
    struct fiber *all;  /* of the list of all fibers */
    struct stack_cursor scan;
};

/* What the interpreter leaves behind when it goes back to C. */
struct machine {
    const code_word *pc;
    union slot *fp;
    struct instance *instance;
    enum fiber_state state; /* FIBER_READY while it runs */
#ifdef CARREL_DISPATCH_LOOP /* the other registers, between two handlers */
    uint8_t *mb;
    uint64_t ml;
    uint64_t acc;
    float xacc __attribute__((vector_size(16)));
#endif
};

struct vm {
    union slot *stack_limit;            /* of the fiber at hand; hot: checked on every call */
    int64_t fuel;                       /* left; below zero it traps */
    const volatile uint32_t *interrupt; /* at `interrupt_at` or beyond: stop at the next poll */
    uint32_t interrupt_at;
    uintptr_t
        marks; /* where code that can be interrupted leaves them, whether anybody looks or not */
    struct machine machine;
    struct fiber *fiber;
    struct fiber *root;    /* that fiber_run was given */
    struct fiber *resumed; /* as native_resume was told */
    struct native *leaf;   /* the frame whose native_leaf runs, or NULL */
    struct gc gc;
    struct fiber *spare_fibers;
    struct fiber *waiters; /* those that memory.atomic.wait has blocked */
    struct vm_clock clock;
    struct arena arena;
    struct heap heap;
    struct region *image;
    struct types *types;
    struct vm_limits limits;
    struct linear_memory no_memory; /* memory 0 of instances without one */
    struct instance *nowhere;       /* what runs before any instance does */
    uint64_t memory_bytes;          /* in use, all memories */
    uint64_t table_elements;
    uint32_t ninstances;
    uint32_t nmemories;
    uint32_t ntables;
    struct translation translation; /* options; the module is filled in per use */
    struct vm_tracer tracer;
    struct trap trap;
};

static inline bool vm_interrupted(const struct vm *vm)
{
    return (int32_t)(*vm->interrupt - vm->interrupt_at) >= 0;
}

/* The same, from within its code. */
static inline bool instance_interrupted(const struct instance *instance)
{
    return (int32_t)(*instance->interrupt - instance->interrupt_at) >= 0;
}

/* Runs code from `pc` in frame `fp` until it leaves; the machine says how it ended. */
void interp_run(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance);

/* Enters `func` with its arguments at `base`; it returns to `leave`, a LEAVE instruction. */
void interp_call(struct vm *vm, struct func *func, union slot *base, const code_word *leave);

#ifdef CARREL_COUNT
/* Told of every instruction before it is carried out: tests/bench/count.c, for `make pairs`. */
void interp_count(const code_word *pc);
#endif

/* The handlers; and the same with those that look at the interruption flag, where there are such.
 */
extern __attribute__((visibility("hidden"))) const handler_offset interp_handlers[];
extern __attribute__((visibility("hidden"))) const handler_offset interp_polled_handlers[];

static inline code_word interp_word(unsigned xop)
{
    return handler_word(interp_handlers, xop);
}

/* Fills the trap's frames from where the machine stopped. */
void backtrace_record(struct vm *vm, const code_word *pc, union slot *fp,
                      struct instance *instance);

/* Finds who catches the exception `ref` that is thrown at `pc`, unwinds the stack to there, and
 * puts the exception's values in their place: the machine says where to go on. Or why not: nobody
 * catches it within the wasm functions that have called each other, or the cell was interrupted. */
enum trap_kind unwind(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance,
                      uint64_t ref);

/* The native function that stands for a started module (instance_initializer). */
native_step instance_init_step;

/* Tables and memories, bounds as in §4.4.6 and §4.4.7; each answers TRAP_NONE or why it traps. They
 * do all at once: code goes through bulk.h. */
enum trap_kind memory_fill(struct linear_memory *memory, uint64_t at, uint8_t byte, uint64_t len);
enum trap_kind memory_copy(struct linear_memory *to, uint64_t to_at, struct linear_memory *from,
                           uint64_t from_at, uint64_t len);
enum trap_kind memory_init(struct instance *instance, uint32_t data, struct linear_memory *to,
                           uint64_t to_at, uint64_t from_at, uint64_t len);
enum trap_kind table_fill(struct vm *vm, struct table_instance *table, uint64_t at, void *value,
                          uint64_t len);
enum trap_kind table_copy(struct vm *vm, struct table_instance *to, uint64_t to_at,
                          struct table_instance *from, uint64_t from_at, uint64_t len);
enum trap_kind table_init(struct instance *instance, uint32_t elem, struct table_instance *to,
                          uint64_t to_at, uint64_t from_at, uint64_t len);

/* Waiting for a place in a shared memory to be notified (threads proposal). */
enum wait_answer {
    WAIT_NOTIFIED, /* these three are what the operator gives */
    WAIT_DIFFERS,
    WAIT_TIMED_OUT,
    WAIT_BLOCKED,
    WAIT_NO_MEMORY,
};

/* Has the running fiber wait for `at`, unless what lies there was not what it expected (`same`);
 * `timeout` in nanoseconds, negative: none. When it is run again, the same call tells how it ended,
 * or that it has not. */
enum wait_answer wait_at(struct vm *vm, const struct linear_memory *memory, uint64_t at, bool same,
                         int64_t timeout);

/* Ends the wait of at most `most` fibers, oldest first. How many; -1: no memory to tell them. */
int64_t wait_notify(struct vm *vm, const struct linear_memory *memory, uint64_t at, uint32_t most);

/* That fiber waits no longer. */
void wait_forget(struct vm *vm, struct fiber *fiber);
void elem_drop(struct instance *instance, uint32_t elem);

/* One step of growing by `more`: GROW_DONE, GROW_MORE (call it again with the same number, unless
 * the growth is abandoned), or GROW_REFUSED. A table's new elements get their value from `value`;
 * `most` bounds the bytes that one step touches. */
enum grow { GROW_DONE, GROW_MORE, GROW_REFUSED };
enum grow memory_grow(struct vm *vm, struct linear_memory *memory, uint64_t more, size_t most);
enum grow table_grow(struct vm *vm, struct table_instance *table, void *value, uint64_t more,
                     size_t most);
void memory_grow_abandon(struct linear_memory *memory);
void table_grow_abandon(struct table_instance *table);

static inline union slot *table_slots(const struct table_instance *table)
{
    return (union slot *)table->span.at;
}

/* Evaluates a constant expression (§3.4.10), which was validated; false if an allocation failed. */
bool constexpr_eval(struct instance *instance, struct constexpr expression, union slot ret[2]);

/* Length of the first of several expressions that lie one behind the other. */
uint32_t constexpr_length(const struct module *module, struct constexpr expressions);

#endif
