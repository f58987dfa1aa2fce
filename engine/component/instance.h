/* What exists while components run: everything here lies on the vm's heap, so that a cell is reset
 * by copying one range of addresses.
 *
 *   struct cm_store     all components of a cell
 *   struct cm_instance  an instantiated component
 *   struct cm_func      a component-level function: lifted from a core function, or the host's
 *   struct cm_resource  a resource type, made by an instance or by the host
 *
 * What runs: task.h. */
#ifndef CARREL_COMPONENT_INSTANCE_H
#define CARREL_COMPONENT_INSTANCE_H

#include "engine/component/component.h"
#include "engine/component/handle.h"
#include "engine/component/host.h"
#include "engine/component/task.h"

struct cm_instance;

/* A resource type. Two are the same exactly when their addresses are. */
struct cm_resource {
    struct cm_instance *owner; /* NULL: the host */
    struct func *destructor;   /* of a guest; NULL: none */
    host_drop *drop;           /* of the host; NULL: none */
    bool kept;                 /* of the host: no import of it says that a drop is in reach */
    void *host;
};

/* Canonical options with the core things that they name in one instance. */
struct cm_abi {
    enum cm_encoding encoding;
    struct linear_memory *memory; /* NULL: none */
    struct func *realloc;
    struct func *post_return;
    struct func *callback;
    bool async;
};

struct cm_func {
    const struct cm_type *type;   /* canonical, as whoever made the function sees it */
    struct cm_instance *instance; /* NULL: the host's */
    struct func *core;
    struct cm_abi abi;
    host_fn *fn;
    host_forget *forget; /* NULL: its host has nothing to forget */
    void *host;
    bool pruned; /* traps, whatever it is called with (prune.h) */
};

/* A component instance from outside: names and what they stand for. What an item is depends on the
 * sort: struct cm_func *, struct cm_resource * (NULL for other types), struct cm_exports *, struct
 * cm_closure *, const struct cm_module *. */
struct cm_exports {
    const struct cm_decls *names;
    void **items;
};

/* A component as a value: where its outer aliases look things up belongs to it. */
struct cm_closure {
    const struct component *component;
    struct cm_instance *outer;
};

/* A core instance: of a module, or made of exports. */
struct cm_core_instance {
    struct instance *instance;         /* NULL: made of exports */
    const struct cm_module_type *type; /* whose exports it has */
    struct core_extern *items;         /* made of exports: in the order of the type's */
};

struct cm_instance {
    const struct component *component;
    struct cm_store *store;
    struct cm_instance *parent; /* which instantiated it; NULL: the host */
    struct cm_instance *outer;  /* where its outer aliases look things up */
    uint32_t depth;             /* parents above it */
    bool may_enter;
    bool may_leave;
    struct handle_table handles;
    const struct cm_resource **slots; /* by cm_var.slot */
    void **spaces[SORTS];             /* index spaces; items as in cm_exports, or core things */
    uint32_t counts[SORTS];           /* so far */
    void **imports;
    struct cm_exports exports;
    uint32_t next; /* definition to do */
    struct func *initializer;

    /* Concurrency (schedule.h). */
    uint32_t backpressure;
    uint32_t entering;                /* tasks that wait to begin */
    struct cm_thread *exclusive;      /* the thread that has the instance to itself, or NULL */
    struct cm_queue queues[CM_GATES]; /* threads that may go on once their gate is open */
    uint32_t turn;                    /* the queue to look into first */
    bool runnable;                    /* in the store's list */
    struct cm_instance *runnable_before;
    struct cm_instance *runnable_after;
};

struct scratch_chunk;

struct cm_store {
    struct vm *vm;
    struct cm_types *types;
    struct cm_thread *thread;    /* current; NULL while no component runs */
    struct scratch_chunk *spare; /* of the size that chunks usually have */
    struct cm_call *spare_calls; /* freed ones, to be used again */
    uint32_t ninstances;

    /* Concurrency (schedule.h, async.h). */
    uint32_t nblocked;  /* calls that are stopped, with all below them, by a function of the host */
    uint32_t nasync;    /* calls of async functions at work */
    struct func *entry; /* what the fiber of an async task runs */
    struct fiber *finished;       /* given up by its thread; still to be freed */
    struct cm_instance *runnable; /* instances with threads that may go on, in their order */
    struct cm_instance *runnable_last;
    struct cm_subtask *host_calls; /* async calls of the host that are not done */
    struct cm_subtask *host_woken; /* those of them that are to be tried again, in their order */
    struct cm_subtask *host_woken_last;
};

/* Of a call of a synchronous function type that begins: its task, in zeroed memory. */
static inline void cm_task_begin(struct cm_task *task, struct cm_instance *instance,
                                 struct cm_thread *caller)
{
    task->instance = instance;
    task->caller = caller;
    task->thread.task = task;
    task->thread.shared = true;
}

/* --- Entering and leaving instances (CanonicalABI.md "Component Instances") --- */

/* How many instances a call from `caller` (NULL: the host) enters: `callee` and those around it
 * that are not around the caller. */
uint32_t cm_entered(const struct cm_instance *callee, const struct cm_instance *caller);

/* Is none of them entered already, or trapped? */
static inline bool cm_may_enter(const struct cm_instance *callee, uint32_t entered)
{
    for (; entered--; callee = callee->parent)
        if (!callee->may_enter)
            return false;
    return true;
}

/* Enters them; false if that may not be: then nothing has changed. */
static inline bool cm_enter(struct cm_instance *callee, uint32_t entered)
{
    if (!cm_may_enter(callee, entered))
        return false;
    for (; entered--; callee = callee->parent)
        callee->may_enter = false;
    return true;
}

static inline void cm_leave(struct cm_instance *callee, uint32_t entered)
{
    for (; entered--; callee = callee->parent)
        callee->may_enter = true;
}

/* Records a trap for a rule that a component broke. Always false. */
bool cm_trap(struct cm_store *store, const char *why) COLD;

/* The heap has just refused a block for `what`: records a trap that says whether it has reached its
 * limit (TRAP_HELD), which no --memory moves, or the cell's memory is used up. Always false. */
bool cm_full(struct cm_store *store, const char *what) COLD;

/* The index of a new handle, a copy of `handle`; 0: it trapped. */
uint32_t cm_handle_add(struct cm_instance *instance, const struct handle *handle);

#endif
