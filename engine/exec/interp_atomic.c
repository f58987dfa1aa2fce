/* Handlers of atomic accesses, one for each operation, and of waiting, which leaves the interpreter
 * with the fiber blocked. */
#include "engine/exec/ops_atomic.h"

#define OP(code, name, text, feature, imm, pops, pushes) HANDLE(name)
#define OP_SIZED(code, name, text, feature, imm, pops, pushes, size)
#define ATOMIC_LOAD(code, name, text, type, memory_type, size)       HANDLE(name)
#define ATOMIC_STORE(code, name, text, type, memory_type, size)      HANDLE(name)
#define ATOMIC_RMW(code, name, text, type, memory_type, size, value) HANDLE(name)
#define ATOMIC_CMPXCHG(code, name, text, type, memory_type, size)    HANDLE(name)
#include "engine/wasm/op_atomic.def"

HANDLE(MEMORY_ATOMIC_NOTIFY)

/* [d addr expected memory][offset64][timeout]; carried out again when the fiber is run again. */
#define WAIT(name, kind, memory_type)                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        ATOMIC_ACCESS(sizeof(memory_type), TRAP_KIND);                                             \
        TRAP_IF(!memory->type.limits.shared, EXPECTED_SHARED);                                     \
        ATOMIC_READ(memory_type, a);                                                               \
        enum wait_answer answer =                                                                  \
            wait_at(in->vm, memory, address, a == SLOT_##kind(2), (int64_t)fp[pc[3]].u64);         \
        TRAP_IF(answer == WAIT_NO_MEMORY, OUT_OF_MEMORY);                                          \
        if (answer == WAIT_BLOCKED)                                                                \
            LEAVE(FIBER_BLOCKED);                                                                  \
        ATOMIC_RESULT(i32, answer);                                                                \
        NEXT(4);                                                                                   \
    }
WAIT(MEMORY_ATOMIC_WAIT32, i32, uint32_t)
WAIT(MEMORY_ATOMIC_WAIT64, i64, uint64_t)
