/* What a host of components provides, and how its functions see values.
 *
 * A host function gets its arguments and gives its result as C structs in *host layout*: the layout
 * rules of the canonical ABI (CanonicalABI.md, "Alignment", "Element Size") with pointers of 8
 * bytes. So an ordinary C struct with the fields of a record in order is that record:
 *
 *   bool                    bool
 *   u8..s64, f32, f64       uint8_t..int64_t, float, double
 *   char                    uint32_t, a Unicode scalar value
 *   string                  struct str, UTF-8
 *   list<T>                 struct { T *at; size_t len; }
 *   record, tuple           struct of the fields in order
 *   variant, option, result struct { uint8_t tag; union { ... } of; }; the tag is uint16_t over 256
 *                           cases, uint32_t over 65536; option: 0 none, 1 some; result: 0 ok, 1
 * error enum                    uint8_t, uint16_t or uint32_t, by the number of cases flags
 * uint8_t, uint16_t or uint32_t, by the number of labels own<R>, borrow<R>       void *, the
 * representation that the host gave to resource R future, stream          (0.3) see component/async
 *
 * The parameters together are one such struct, the result is one value. Only the canonical ABI
 * touches guest memory; a host function never sees it. */
#ifndef CARREL_COMPONENT_HOST_H
#define CARREL_COMPONENT_HOST_H

#include "engine/exec/vm.h"

enum host_answer {
    HOST_DONE,    /* the result is written */
    HOST_BLOCKED, /* call again, with the same arguments, when the fiber is run again; what it waits
                     for has been told to the reactor */
    HOST_TRAP,    /* host_trap was called */
};

struct host_call {
    struct vm *vm;
    void *host;   /* as given with the functions */
    bool resumed; /* this is a call again after HOST_BLOCKED */
    void *state;  /* the function's own between calls of one invocation; NULL at first */
    struct host_scratch *scratch;
};

typedef enum host_answer host_fn(struct host_call *call, const void *args, void *result);

/* Called when the last owner of a host resource drops it. */
typedef void host_drop(void *host, void *representation);

/* Memory for a result (strings, lists): `size` bytes aligned to 16, freed once the result has been
 * lowered. NULL if the heap is exhausted; then answer with host_trap. */
void *host_alloc(struct host_call *call, size_t size);

/* Records why, and gives HOST_TRAP to return. */
enum host_answer host_trap(struct host_call *call, const char *format, ...) PRINTF(2, 3);

#endif
