/* Built-ins: the core functions of canonical definitions other than lift and lower. canon.def names
 * the step of each. */
#ifndef CARREL_COMPONENT_BUILTIN_H
#define CARREL_COMPONENT_BUILTIN_H

#include "engine/component/call.h"

/* What a built-in knows. */
struct builtin {
    struct cm_instance *instance;
    const struct cm_canon *canon;
    struct cm_abi abi;
    const struct cm_resource *resource; /* resource.* */
    uint32_t entered; /* resource.drop: instances that the destructor's call enters */
};

/* What is not carried out, for whatever reason, has one step. */
#define builtin_later builtin_none
#define builtin_never builtin_none

/* Declares all of them; those of several rows more than once. */
#define CANON(opcode, name, text, immediates, params, result, step) native_step builtin_##step;
#include "engine/component/canon.def"
#undef CANON

/* Records why, and gives the answer. */
enum native_answer builtin_trap(const struct builtin *b, const char *why) COLD;

/* What nearly all begin with: may the component call out now? False: it trapped. */
static inline bool builtin_may_leave(const struct builtin *b)
{
    return b->instance->may_leave || cm_trap(b->instance->store, "cannot leave component instance");
}

/* A new entry of the handle table. 0: it trapped. */
uint32_t builtin_handle(const struct builtin *b, enum handle_kind kind, void *rep);

#endif
