/* What a host of components provides, and how its functions see values.
 *
 * A host function gets its arguments and gives its result as C structs in *host layout*: the layout
 * rules of the canonical ABI (CanonicalABI.md, "Alignment", "Element Size") with pointers of 8
 * bytes. So an ordinary C struct with the fields of a record in order is that record:
 *
 *   bool                     bool
 *   u8..s64, f32, f64        uint8_t..int64_t, float, double
 *   char                     uint32_t, a Unicode scalar value
 *   string                   struct str, UTF-8
 *   list<T>                  HOST_LIST(T)
 *   record, tuple            struct of the fields in order
 *   option<T>                HOST_OPTION(T)
 *   result<T, E>             HOST_RESULT(T, E); uint8_t if neither is there
 *   variant                  struct { uint8_t tag; union { ... } of; }; the tag is uint16_t from
 *                            257 cases on, uint32_t from 65537
 *   enum                     uint8_t, uint16_t or uint32_t, by the number of cases
 *   flags                    uint8_t, uint16_t or uint32_t, by the number of labels
 *   own<R>, borrow<R>        void *, the representation that the host gave to resource R
 *   stream<T>, future<T>     struct cm_stream *, which the host can hand on or drop (stream.h)
 *
 * The parameters together are one such struct (NULL if there are none), the result is one value.
 * Only the canonical ABI writes guest memory. What arguments point to is good until the call is
 * done, and not to be changed: a long list of numbers lies in guest memory, and is moved from there
 * when the function answers HOST_BLOCKED. So neither a result nor what a function keeps between its
 * calls points to a list of the arguments. */
#ifndef CARREL_COMPONENT_HOST_H
#define CARREL_COMPONENT_HOST_H

#include "engine/exec/vm.h"

#define HOST_LIST(type)                                                                            \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t len;                                                                                \
    }

#define HOST_OPTION(type)                                                                          \
    struct {                                                                                       \
        bool some;                                                                                 \
        type of;                                                                                   \
    }

/* For a side without payload leave the member out: struct { uint8_t tag; union { E err; }; }. */
#define HOST_RESULT(ok_type, err_type)                                                             \
    struct {                                                                                       \
        uint8_t tag; /* HOST_OK or HOST_ERR */                                                     \
        union {                                                                                    \
            ok_type ok;                                                                            \
            err_type err;                                                                          \
        };                                                                                         \
    }

enum { HOST_OK, HOST_ERR };

/* --- Functions ----------------------------------------------------------------------------------
 */

enum host_answer {
    HOST_DONE,    /* the result is written */
    HOST_BLOCKED, /* call again, with the same arguments, when the fiber is run again; what it waits
                     for has been told to the reactor */
    HOST_TRAP,    /* host_trap was called */
    HOST_CANCELLED, /* async functions, once `cancelled` is set: it ended without a result */
};

struct host_scratch;

struct host_call {
    struct vm *vm;
    void *host;     /* as given with the table */
    bool resumed;   /* this is a call again after HOST_BLOCKED */
    bool cancelled; /* the caller wants it to end soon, with a result or HOST_CANCELLED */
    void *state;    /* the function's own between calls of one invocation; NULL at first */
    void *job;      /* of an async function: for host_waiter */
    struct host_scratch *scratch;
};

/* `args` may be changed by the function; `result` is zeroed before the first call. A handle in the
 * result hands the resource over; an own handle in the arguments is the function's, also if it
 * traps. */
typedef enum host_answer host_fn(struct host_call *call, const void *args, void *result);

/* Functions of an async type (0.3) are called in the same way, and HOST_BLOCKED then means that the
 * call goes on while its caller may do other things: it is called again once the embedder has told
 * cm_wake (store.h) who this is. It tells its reactor only when it answers HOST_BLOCKED. */
void *host_waiter(const struct host_call *call);

/* Who is `waiter` waits for nothing any more: it is called again, or gone and its address somebody
 * else's. Called unless cm_wake named it, by who forgot it then. */
typedef void host_forget(void *host, void *waiter);

/* Called when the last owner of a host resource drops it. Never blocks. False: it must not go yet,
 * as vm_trap_set has told; it is the host's then, until the store ends. */
typedef bool host_drop(struct vm *vm, void *host, void *representation);

/* Memory for a result (strings, lists): `size` bytes aligned to 16, freed once the result has been
 * lowered. NULL if the heap is exhausted; then answer with host_trap. */
void *host_alloc(struct host_call *call, size_t size);

/* Records why, and gives HOST_TRAP to return. */
enum host_answer host_trap(struct host_call *call, const char *format, ...) PRINTF(2, 3);

/* Ends the component with an exit code: a trap of kind EXIT. Gives HOST_TRAP to return. */
enum host_answer host_exit(struct host_call *call, uint32_t code);

/* --- What is provided ---------------------------------------------------------------------------
 * Static tables, made from the rows of a .def file. Imports are matched by interface name and
 * semver track (Explainer.md "Canonical interface name"): the exact version first, else the one of
 * the same track. Types are WIT text and are read only when a component imports them; within one
 * interface a type comes after the types that it names. */

enum host_kind {
    HOST_FUNC,     /* type: "func(self: borrow<descriptor>) -> result<u64, error-code>" */
    HOST_TYPE,     /* type: "record { seconds: u64, nanoseconds: u32 }" */
    HOST_RESOURCE, /* a resource type of this interface, with `drop` */
    HOST_USE,      /* a type of another interface of the table: `type` is that interface's name,
                      `there` the type's name in it */
};

struct host_interface {
    const char *name;    /* "wasi:io/streams" */
    const char *version; /* "0.2.12", or "" */
};

struct host_item {
    uint16_t interface; /* index into the table's interfaces */
    uint16_t kind;      /* enum host_kind */
    const char *name;   /* "[method]descriptor.sync" */
    const char *type;
    const char *there;
    host_fn *fn; /* NULL: known, but not provided */
    host_drop *drop;
};

struct host_table {
    const struct host_interface *interfaces;
    const struct host_item *items; /* those of one interface stand together */
    uint32_t ninterfaces;
    uint32_t nitems;
    void *host;          /* handed to every function and drop, */
    host_forget *forget; /* and to this one; NULL if none of the functions is async */
};

#endif
