/* Execution: everything mutable of one cell, and how the layers above run functions in it.
 *
 *   struct vm        the cell's store (core spec §4.2.3): arena, heap, limits, the running fiber
 *   struct instance  an instantiated core module
 *   struct func      a function of an instance, or a native one written in C
 *   struct fiber     a wasm stack with its saved state; suspending one is a return
 *
 * Calls, also those between components and back from the host, are frames on the fiber's stack and
 * never use the C stack. A native function is a step function over such a frame: it may answer
 * "done", "call this first", "run this fiber first", "blocked" or "trap", and is stepped again when
 * what it waits for has happened. Everything here lies in the store arena, so that a cell can be
 * reset in one copy. */
#ifndef CARREL_EXEC_VM_H
#define CARREL_EXEC_VM_H

#include "engine/base/arena.h"
#include "engine/base/heap.h"
#include "engine/wasm/module.h"

struct vm;
struct instance;
struct fiber;
struct func;
struct native;

/* --- Values -------------------------------------------------------------------------------------
 */

/* One slot of a frame. An i32 is kept zero-extended, a v128 takes two slots, null is 0. Function
 * references are `struct func *`; external references are what the embedder put there, which must
 * be a multiple of 4: the other values are objects of the collected heap (gc.h). */
union slot {
    uint64_t u64;
    uint32_t u32;
    float f32;
    double f64;
    void *ref;
};

/* --- Traps --------------------------------------------------------------------------------------
 */

enum trap_kind {
    TRAP_NONE,
#define TRAP(name, text, kind) TRAP_##name,
#include "engine/exec/trap.def"
#undef TRAP
    TRAP_KINDS
};

/* The row's text and the failure kind that it is reported as. */
const char *trap_text(enum trap_kind kind);
enum err_kind trap_err_kind(enum trap_kind kind);

#define TRAP_FRAMES 64

/* One frame of a backtrace, innermost first. Behind those of the fiber that trapped come those of
 * the fiber that resumed it, and so on. */
struct trap_frame {
    const struct instance *instance; /* NULL: of a native function */
    uint32_t func;                   /* its index in the module */
    uint64_t offset;                 /* of the instruction, from the start of the file */
    const struct func *native;       /* the native function, */
    uint32_t state;                  /* and how far it was: as struct native has it */
    bool resumes;                    /* the first one of a fiber that resumed the one before */
    void *owner;                     /* of its fiber */
};

struct trap {
    enum trap_kind kind;
    char text[160];  /* more about it, for HOST, COMPONENT and EXIT; else empty */
    char value[128]; /* which value it is about, if it is about one: vm_trap_within */
    uint32_t code;   /* the exit code, if the kind is EXIT */
    uint32_t depth;  /* of the stack; at most TRAP_FRAMES are recorded: the innermost ones */
    struct trap_frame frames[TRAP_FRAMES];
};

/* --- The store ----------------------------------------------------------------------------------
 */

/* What one cell may use. Instantiation beyond them is refused, growth answers -1. */
struct vm_limits {
    uint64_t memory_bytes;              /* all linear memories and the collected heap together */
    uint64_t gc_bytes;                  /* the collected heap alone */
    uint64_t table_elements;            /* all tables together */
    uint64_t stack_bytes;               /* of one fiber */
    uint64_t heap_bytes;                /* host side: handles, strings, buffers */
    uint64_t fuel;                      /* UINT64_MAX: not counted */
    const volatile uint32_t *interrupt; /* 1 or more: trap soon; NULL: never, and nobody looks */
    bool
        images; /* pages are marked that are written, for vm_image_restore; only with `interrupt` */
    uint32_t instances;
    uint32_t memories;
    uint32_t tables;
};

struct linear_memory {
    struct span span; /* .at moves when it grows; .size is its length in bytes */
    struct memtype type;
    uint64_t pages;
    uintptr_t marks;        /* the arena's */
    struct arena_move move; /* of a memory.grow that is under way */
};

struct table_instance {
    struct span span; /* an array of union slot */
    struct tabletype type;
    uint64_t count;
    struct table_instance *next; /* of all tables */
    struct arena_move move;      /* of a table.grow that is under way, */
    uint64_t filled;             /* and how many of its new elements have their value */
};

struct global_instance {
    union slot value[2];
    struct globaltype type;
    struct global_instance *next; /* of all that hold references */
};

struct tag_instance {
    uint32_t type;
};

/* Something that can be imported or exported by a core module. */
struct core_extern {
    enum extern_kind kind;
    union {
        struct func *func;
        struct table_instance *table;
        struct linear_memory *memory;
        struct global_instance *global;
        struct tag_instance *tag;
    };
};

/* Makes a store. `image` takes what is immutable (translated code), `memory` of `size` zeroed bytes
 * becomes the store arena and holds the vm itself. NULL if it is too small. */
struct vm *vm_new(struct types *types, struct region *image, void *memory, size_t size,
                  const struct vm_limits *limits);

struct heap *vm_heap(struct vm *vm);
struct types *vm_types(struct vm *vm);
const struct vm_limits *vm_limits(const struct vm *vm);

/* From now on it traps once *interrupt, which counts on, has reached `at`; its numbers may wrap. */
void vm_interrupt_at(struct vm *vm, uint32_t at);

/* The trap of the fiber that ended last; kind NONE if none did. */
const struct trap *vm_trap(const struct vm *vm);

/* Is told of every instruction before it is carried out: the function by its index in the module
 * of the instance, the instruction by its offset in the file. To be set before anything runs; what
 * runs without it pays nothing for it. */
struct vm_tracer {
    void (*tell)(void *data, const struct instance *instance, uint32_t func, uint64_t offset);
    void *data;
};

void vm_set_tracer(struct vm *vm, const struct vm_tracer *tracer);

/* What an embedder gives to programs that wait (memory.atomic.wait): a steady clock in nanoseconds,
 * and a way to have a blocked fiber run again, at a moment of that clock (0: at once); or sooner,
 * for it looks at the clock itself. Without `now` a wait for some time is over at once (README.md).
 * `wake` answers false if there is no memory. */
struct vm_clock {
    uint64_t (*now)(void *data);
    bool (*wake)(void *data, struct fiber *fiber, uint64_t moment);
    void *data;
};
void vm_set_clock(struct vm *vm, const struct vm_clock *clock);

/* Records a trap for a native function, which then answers NATIVE_TRAP. The first one wins. */
void vm_trap_set(struct vm *vm, enum trap_kind kind, const char *format, ...) PRINTF(3, 4);

/* The trap that was just recorded is about a value that is part of this one: "[3]", then ".name",
 * then "parameter who". What has no room is cut off at the innermost end. */
void vm_trap_within(struct vm *vm, const char *format, ...) PRINTF(2, 3);

/* Records that the program ends itself with that exit code: a trap of kind EXIT, and no failure. */
void vm_exit_set(struct vm *vm, uint32_t code);

/* --- References ----------------------------------------------------------------------------------
 */

/* A reference that the host holds on to: what it names is not collected. References in arguments
 * and results of fibers need none until the fiber is begun again or freed. */
struct gc_root {
    union slot value; /* to be read only */
    struct gc_root *next;
    struct gc_root **at;
};

/* `root` stays where it is until it is removed. There should be few of them. */
void vm_root_add(struct vm *vm, struct gc_root *root, union slot value);
void vm_root_set(struct vm *vm, struct gc_root *root, union slot value);
void vm_root_remove(struct vm *vm, struct gc_root *root);

/* Is the reference a value of that reference type? */
bool vm_ref_is(const struct vm *vm, union slot value, valtype type);

/* For tests: from now on every allocation runs the whole collector first. */
void vm_gc_stress(struct vm *vm);

/* --- Instances ----------------------------------------------------------------------------------
 */

/* Allocates and links an instance (§4.5.4): `imports` in the module's order, kinds and types are
 * checked. Active segments are not yet copied and the start function has not run: both may trap and
 * are done by the fiber that runs instance_initializer. NULL and *err on refusal. */
struct instance *instance_new(struct vm *vm, const struct module *module,
                              const struct core_extern *imports, struct err *err);

/* A native function without parameters that copies the active segments and calls the start
 * function, so that a trap there is an ordinary one. */
struct func *instance_initializer(struct instance *instance);

const struct module *instance_module(const struct instance *instance);

/* An export, by its place in the module's list or by name; false if there is none of that name. */
struct core_extern instance_export_at(struct instance *instance, uint32_t index);
bool instance_export(struct instance *instance, struct str name, struct core_extern *ret_extern);

/* Whatever the layer above wants to find again from a backtrace; NULL at first. */
void *instance_owner(const struct instance *instance);
void instance_set_owner(struct instance *instance, void *owner);

/* The type of an extern, with limits as they are now (for import matching). */
struct externtype core_extern_type(const struct core_extern *external);

/* Memories and tables that the embedder makes. NULL: over a limit, or no room. */
struct linear_memory *memory_new(struct vm *vm, const struct memtype *type);
struct table_instance *table_new(struct vm *vm, const struct tabletype *type);
struct global_instance *global_new(struct vm *vm, const struct globaltype *type,
                                   const union slot value[2]);

/* The bytes `at`..`at`+`len` of a memory, or NULL if they are not all inside it. The pointer is
 * good until anything runs that may grow a memory. */
static inline const uint8_t *memory_at(const struct linear_memory *memory, uint64_t at,
                                       uint64_t len)
{
    if (at > memory->span.size || len > memory->span.size - at)
        return NULL;
    return memory->span.at + at;
}

/* The same for who writes there: it is noted, so that an image (image.h) brings it back. */
static inline uint8_t *memory_to(const struct linear_memory *memory, uint64_t at, uint64_t len)
{
    if (!memory_at(memory, at, len))
        return NULL;
    arena_mark(memory->marks, memory->span.at + at, len);
    return memory->span.at + at;
}

/* --- Functions ----------------------------------------------------------------------------------
 */

uint32_t func_type(const struct func *func); /* id */

/* What a native function answers to a step. */
enum native_answer {
    NATIVE_DONE,    /* the results lie in frame->args */
    NATIVE_CALL,    /* native_call named a function: run it, then step again */
    NATIVE_BLOCKED, /* suspend all that runs; step again when it is run again */
    NATIVE_RESUME,  /* native_resume named a fiber: run it, then step again */
    NATIVE_PAUSE,   /* suspend this fiber alone, go on with the one that resumed it; step again when
                       this one is resumed */
    NATIVE_TRAP,    /* vm_trap_set has told why */
};

typedef enum native_answer native_step(struct vm *vm, struct native *frame);

/* The frame of a native function. */
struct native {
    const struct func *func;
    void *data;        /* as given to func_native */
    union slot *args;  /* parameters at the first step; results go to the same place */
    union slot *top;   /* the stack is free from here; native_locals and callees move it */
    uint32_t state;    /* 0 at the first step, then the step function's own */
    uint32_t answered; /* how often it was stepped before */
    void *locals;      /* as native_locals gave them; NULL before */
};

/* Makes a native function of type `type` (id). NULL if the heap is full. */
struct func *func_native(struct vm *vm, uint32_t type, native_step *step, void *data);

/* What a native function was made of, for who wants to know which one it is; a step of NULL: it is
 * none. */
struct native_parts {
    native_step *step;
    void *data;
};
struct native_parts func_parts(const struct func *func);

/* The instance that a function is the initializer of; NULL: of none. */
struct instance *func_initializes(const struct func *func);

/* `size` zeroed bytes on the fiber's stack that live as long as the frame; to be called once, at
 * the first step. NULL: the stack is exhausted and the trap is set. */
void *native_locals(struct vm *vm, struct native *frame, size_t size);

/* Room for `slots` slots at frame->top, for arguments of a call; NULL as above. */
union slot *native_args(struct vm *vm, struct native *frame, uint32_t slots);

/* Before answering NATIVE_CALL: `func` is to be called with the arguments at frame->top, where its
 * results will lie at the next step. */
void native_call(struct vm *vm, struct native *frame, struct func *func);

/* Before answering NATIVE_RESUME: `fiber`, which is ready or paused, runs on this one's behalf
 * until it pauses or is done. If it traps, so do all that wait for it. */
void native_resume(struct vm *vm, struct fiber *fiber);

/* Calls a leaf (realloc, post-return: functions that the component model keeps from calling out) at
 * once, nested in this step, with the arguments at frame->top. False if it trapped. Its time counts
 * against fuel and interruption like any other; nesting deeper than once is refused with a trap. */
bool native_leaf(struct vm *vm, struct native *frame, struct func *func);

/* The instance whose code made the call that this frame serves; NULL if a native one did. */
struct instance *native_caller(const struct native *frame);

/* --- Fibers -------------------------------------------------------------------------------------
 */

enum fiber_state {
    FIBER_READY,    /* given a function, not run yet */
    FIBER_BLOCKED,  /* a native function answered NATIVE_BLOCKED, here or in a fiber that it resumed
                     */
    FIBER_PAUSED,   /* a native function answered NATIVE_PAUSE */
    FIBER_RESUMING, /* waits for a fiber that it resumed */
    FIBER_DONE,
    FIBER_TRAPPED, /* vm_trap tells why */
};

/* A stack of the size that the limits give; NULL if the arena has no room. */
struct fiber *fiber_new(struct vm *vm);
void fiber_free(struct vm *vm, struct fiber *fiber);

/* Gives an idle fiber (new, done or trapped) a function to run, and the place for its arguments,
 * which holds the results when it is done. */
union slot *fiber_begin(struct vm *vm, struct fiber *fiber, struct func *func);

/* Runs until it is done, trapped, blocked or, which only those do that somebody resumes, paused;
 * with it run the fibers that it resumes. Not to be called from a native function. */
enum fiber_state fiber_run(struct vm *vm, struct fiber *fiber);

/* It is blocked, and nothing is left that could have it go on: traps, with a backtrace of where it
 * waits. */
void fiber_deadlock(struct vm *vm, struct fiber *fiber);

enum fiber_state fiber_state(const struct fiber *fiber);
union slot *fiber_results(struct fiber *fiber);

/* The fiber that fiber_run was given, or NULL while nothing runs. */
struct fiber *vm_fiber(const struct vm *vm);

/* Whatever the layer above wants to find again from its fiber (a task); NULL at first. */
void *fiber_owner(const struct fiber *fiber);
void fiber_set_owner(struct fiber *fiber, void *owner);

#endif
