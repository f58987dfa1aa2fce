/* References, the objects of WebAssembly GC, and their heap; for exec/ alone.
 *
 * A reference in a slot tells by its lowest two bits what it is, so that it can be traced without
 * its type:
 *
 *   00  null; a function (struct func); whatever the embedder gave as an external reference, which
 *       is therefore a multiple of 4
 *   01  an object of this heap: its address + 1
 *   10  an i31: its 31 bits above the tag
 *
 * Conversions between `any` and `extern` leave it as it is. Objects never move.
 *
 * The collector marks what was reachable when a cycle began (snapshot at the beginning), in slices
 * of bounded work, and then sweeps. What the mutator owes it:
 *
 *   - objects come from gc_alloc only, and are filled before the next safepoint;
 *   - a reference is overwritten in the heap, a table or a global only after gc_overwrite(old);
 *   - slices run only at safepoints: where an instruction has said which slots of the frame hold
 *     references (engine/wasm/tr_map.c), and nothing lives in registers.
 *
 * gc_alloc itself never collects, so C code may allocate anywhere; a handler that allocates begins
 * with GC_SAFEPOINT and answers a refusal with GC_WAIT (interp.h). */
#ifndef CARREL_EXEC_GC_H
#define CARREL_EXEC_GC_H

#include "engine/exec/vm.h"
#include "engine/wasm/code.h"

/* --- References ----------------------------------------------------------------------------------
 */

enum { REF_OBJECT = 1, REF_I31 = 2, REF_TAGS = 3 };

/* What every object begins with. `meta`: the id of its type, and above it its colour. */
struct object {
    uint32_t meta;
    uint32_t link; /* while it is grey: the next grey object */
};

struct array {
    struct object head;
    uint32_t length;
    uint32_t unused;
    uint8_t at[];
};

/* The object whose type is that of a function: a tag's. Its values are laid out as parameters are,
 * in slots. */
struct exception {
    struct object head;
    const struct tag_instance *tag;
    union slot values[];
};

#define OBJECT_TYPE UINT32_C(0x00ffffff) /* of meta */
_Static_assert(TYPE_ID_LIMIT <= OBJECT_TYPE, "type ids fit an object's head");

static inline bool ref_is_object(uint64_t ref)
{
    return (ref & REF_TAGS) == REF_OBJECT;
}

static inline bool ref_is_i31(uint64_t ref)
{
    return (ref & REF_TAGS) == REF_I31;
}

static inline void *ref_object(uint64_t ref)
{
    return (void *)(uintptr_t)(ref - REF_OBJECT);
}

static inline uint64_t object_ref(const void *object)
{
    return (uint64_t)(uintptr_t)object + REF_OBJECT;
}

static inline uint32_t object_type(const struct object *object)
{
    return object->meta & OBJECT_TYPE;
}

static inline uint64_t ref_of_i31(uint32_t value)
{
    return (uint64_t)(value & 0x7fffffff) << 2 | REF_I31;
}

static inline uint32_t i31_unsigned(uint64_t ref)
{
    return (uint32_t)(ref >> 2);
}

static inline uint32_t i31_signed(uint64_t ref)
{
    return (uint32_t)((int32_t)(i31_unsigned(ref) << 1) >> 1);
}

/* --- The heap ------------------------------------------------------------------------------------
 */

#define GRANULE    8u  /* bytes; sizes are counted in it */
#define GC_BINS    272 /* lists of free blocks by size: 64 exact ones, then 8 to a power of two */
#define GC_COLOURS (UINT32_C(1) << 24)

/* Work of one slice, in units: an object visited, a slot looked at, a block swept. A unit costs a
 * cache miss at worst, so that a slice takes less than a millisecond. One frame of a stack is
 * scanned whole, whatever it costs: GC_FRAME_SLOTS at most (the translator sees to it). */
#define GC_SLICE_UNITS 4096u

enum gc_phase { GC_IDLE, GC_MARK, GC_SWEEP };

/* Where the scan of a fiber's stack stands: at the frame to scan next. */
struct stack_cursor {
    uint64_t cycle; /* to which the rest belongs */
    const code_word *pc;
    union slot *fp;
    struct instance *instance;
    bool inner; /* the frame is the innermost one: its pc is that of an instruction, not a return */
    bool leaf;  /* the frame belongs to a nested call (native_leaf) */
    bool done;
    union slot *link; /* of the frame scanned last, which returns to this one; NULL: to C */
};

struct gc {
    bool due;     /* the next safepoint runs a slice */
    bool marking; /* overwritten references are shaded */
    bool stress;  /* for tests: every safepoint runs whole cycles */
    enum gc_phase phase;
    uint32_t colour; /* of what is marked, and of what is new */

    /* Blocks. The heap is [base, base + top granules); behind it lies what was never used. */
    uint8_t *base;
    uint8_t *at, *end; /* a free block from which small objects are cut */
    uint32_t top, room;
    uint64_t used; /* granules that are not free */
    uint64_t next; /* how many are used when the next cycle, or slice, is due */
    uint64_t limit;
    struct span span;
    uint32_t bins[GC_BINS];
    uint64_t full[(GC_BINS + 63) / 64]; /* a bit per bin that is not empty */

    /* Marking: grey objects; the array that is scanned in pieces; roots that are still to scan. */
    uint32_t grey;
    struct array *piece;
    uint32_t piece_at;
    struct table_instance *table;
    uint64_t table_at;
    struct global_instance *global;
    struct instance *instance;
    uint32_t segment;
    uint32_t segment_at;
    struct fiber *fiber;

    /* Sweeping: the next block, and the free run that ended there. */
    uint32_t cursor, run;

    /* What the roots are: everything that was ever made. */
    struct table_instance *tables;
    struct global_instance *globals;
    struct instance *instances;
    struct fiber *fibers;
    struct gc_root *roots;

    uint64_t begun, ended; /* cycles */
    uint64_t stuck;        /* cycles begun when an allocation failed; 0: none has */
    uint64_t slices;
    uint64_t most_units; /* of any slice, and of any frame in it */
    const struct code_range *range_cache;
};

void gc_init(struct vm *vm);

/* --- Allocation ----------------------------------------------------------------------------------
 */

/* A block for an object of that type and `bytes` bytes, head included; only its head is filled.
 * NULL: there is no room now. Never collects. */
struct object *gc_alloc(struct vm *vm, uint32_t type, uint64_t bytes);

/* Objects of their kinds; NULL as above. Fields and elements are not filled. */
struct object *gc_new_struct(struct vm *vm, uint32_t type);
struct array *gc_new_array(struct vm *vm, uint32_t type, uint32_t length);
struct exception *gc_new_exception(struct vm *vm, const struct tag_instance *tag);

/* The bytes that an object takes, head included. */
uint64_t gc_object_size(const struct types *types, const struct object *object);

/* At a safepoint, if a slice is due: the frame and the instruction at hand. While no fiber runs
 * there is none, and NULL is given. */
void gc_slice(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance);

/* After gc_alloc answered NULL at a safepoint: runs a slice. TRAP_NONE: try the instruction again;
 * else why not: even a whole collection since then has not made room, or the fiber is stopped. */
enum trap_kind gc_wait(struct vm *vm, const code_word *pc, union slot *fp,
                       struct instance *instance);

/* --- Barriers ------------------------------------------------------------------------------------
 */

void gc_shade(struct gc *gc, uint64_t ref);

/* A reference is about to be overwritten. */
static inline void gc_overwrite(struct gc *gc, uint64_t old)
{
    if (gc->marking)
        gc_shade(gc, old);
}

/* A run of them is. */
void gc_overwrite_all(struct gc *gc, const union slot *slots, uint64_t count);

/* A fiber is about to run, or its results to be forgotten. */
void gc_fiber_runs(struct vm *vm, struct fiber *fiber);

/* A frame of the running fiber is about to run again at `pc`, where its call returns to: because a
 * marked link has led there (XOP_RETURN_MARKED), or because the stack was unwound to it. */
void gc_frame_runs(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance);

/* --- Between gc_*.c ------------------------------------------------------------------------------
 */

/* gc_heap.c */
static inline uint32_t gc_index(const struct gc *gc, const void *block)
{
    return (uint32_t)((size_t)((const uint8_t *)block - gc->base) / GRANULE);
}

static inline void *gc_block(const struct gc *gc, uint32_t index)
{
    return gc->base + (size_t)index * GRANULE;
}

void gc_retire(struct gc *gc); /* the block that small objects are cut from becomes a free one */
void gc_sweep_begin(struct gc *gc);
/* Sweeps on; gives the units done, at most about `units`. The phase is IDLE when it is through. */
uint64_t gc_sweep(struct vm *vm, uint64_t units);
/* Sets when the next cycle or slice is due. */
void gc_pace(struct vm *vm);

/* gc_roots.c: begins, and goes on with, scanning roots. */
void gc_roots_begin(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance);
/* Gives the units done; 0: nothing is left to scan. */
uint64_t gc_roots_scan(struct vm *vm, uint64_t units);

/* gc_stack.c: scans the innermost frame of the running fiber, so that it may run; and some frame of
 * any fiber: gives the units done, 0 if there was none left. */
void gc_fiber_begin(struct vm *vm, const code_word *pc, union slot *fp, struct instance *instance);
uint64_t gc_fiber_scan(struct vm *vm, struct fiber *fiber);

#endif
