/* Backtraces as messages; see backtrace.h. */
#include "engine/cell/backtrace.h"

#include "engine/base/attr.h"
#include "engine/cell/tell.h"
#include "engine/component/instance.h"
#include <stdio.h>

/* Cut to its place; names are the component's and may hold anything. */
static void copy_name(char *to, size_t size, struct str name)
{
    size_t len = name.len < size - 1 ? name.len : size - 1;
    if (len)
        memcpy(to, name.at, len);
    to[len] = '\0';
}

/* "component/module", as far as either has a name. */
static void name_module(char *to, size_t size, const struct instance *instance)
{
    const struct cm_instance *owner = instance_owner(instance);
    struct str outer = {0};
    struct str inner = module_name(instance_module(instance));
    if (owner)
        outer = component_name(owner->component);
    char text[160];
    int len = snprintf(text, sizeof text, "%.*s%s%.*s", (int)(outer.len < 60 ? outer.len : 60),
                       outer.len ? outer.at : "", outer.len && inner.len ? "/" : "",
                       (int)(inner.len < 60 ? inner.len : 60), inner.len ? inner.at : "");
    copy_name(to, size, (struct str){text, (size_t)len});
}

void tell_backtrace(const struct vm *vm)
{
    static struct message_trap message;
    const struct trap *trap = vm_trap(vm);
    message = (struct message_trap){.trap = (uint32_t)trap->kind, .depth = trap->depth};
    copy_name(message.text, sizeof message.text, str_of(trap->text));
    _Static_assert(TRAP_FRAMES == PROTOCOL_FRAMES, "a backtrace travels whole");
    for (uint32_t i = 0; i < trap->depth && i < TRAP_FRAMES; i++) {
        const struct trap_frame *frame = &trap->frames[i];
        struct record_frame *to = &message.frames[i];
        if (!frame->instance) {
            to->native = 1;
            copy_name(to->name, sizeof to->name, str_of("(carrel)"));
            continue;
        }
        to->offset = frame->offset;
        to->function = frame->func;
        name_module(to->module, sizeof to->module, frame->instance);
        copy_name(to->name, sizeof to->name,
                  module_func_name(instance_module(frame->instance), frame->func));
    }
    tell_trap(&message);
}
