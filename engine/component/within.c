/* Which value a trap is about; see within.h. */
#include "engine/component/within.h"

#include "engine/component/called.h"
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

/* Any of the two ends may be at work: the one whose element it is is named. */
static bool within_stream(const struct cm_end *end, const char *how, uint32_t index)
{
    struct vm *vm = end->stream->store->vm;
    char text[64];
    struct cm_text name = {text, sizeof text, 0};
    cm_called_instance(&name, end->instance);
    if (end->stream->future)
        vm_trap_within(vm, "future");
    else
        vm_trap_within(vm, "stream[%u]", index);
    vm_trap_within(vm, "what %s %s ", name.len ? text : "the outermost component", how);
    return false;
}

bool cm_within_written(const struct cm_end *end, uint32_t index)
{
    return within_stream(end, "wrote to", index);
}

bool cm_within_read(const struct cm_end *end, uint32_t index)
{
    return within_stream(end, "reads from", index);
}
