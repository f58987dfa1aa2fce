/* Which value a trap is about; see within.h. */
#include "engine/component/within.h"

#include "engine/component/stream.h"

bool cm_within_element(const struct cm_store *store, uint32_t index)
{
    vm_trap_within(store->vm, "[%u]", index);
    return false;
}

bool cm_within_field(const struct cm_store *store, const struct cm_type *type, uint32_t index)
{
    const struct symbol *label = type->fields[index].label;
    if (label)
        vm_trap_within(store->vm, "." STR_FMT, STR_ARG(label->text));
    else
        vm_trap_within(store->vm, ".%u", index);
    return false;
}

bool cm_within_case(const struct cm_store *store, const struct cm_type *type, uint32_t which)
{
    if (type->kind == CM_RESULT)
        vm_trap_within(store->vm, which ? ".err" : ".ok");
    else if (type->kind != CM_OPTION) /* what an option has is called as the option is */
        vm_trap_within(store->vm, "." STR_FMT, STR_ARG(type->cases[which].label->text));
    return false;
}

bool cm_within_param(const struct cm_store *store, const struct cm_type *func, uint32_t index)
{
    vm_trap_within(store->vm, "parameter " STR_FMT, STR_ARG(func->params[index].label->text));
    return false;
}

bool cm_within_result(const struct cm_store *store)
{
    vm_trap_within(store->vm, "result");
    return false;
}

bool cm_within_params(const struct cm_store *store)
{
    vm_trap_within(store->vm, "parameters");
    return false;
}

bool cm_within_stream(const struct cm_stream *stream, uint32_t index)
{
    if (stream->future)
        vm_trap_within(stream->store->vm, "future");
    else
        vm_trap_within(stream->store->vm, "stream[%u]", index);
    return false;
}
