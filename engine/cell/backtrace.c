/* Backtraces as messages; see backtrace.h. */
#include "engine/cell/backtrace.h"

#include "engine/base/attr.h"
#include "engine/cell/tell.h"
#include "engine/component/instance.h"
#include <inttypes.h>
#include <stdio.h>

/* Cut to its place; names are the component's and may hold anything. */
static void copy_name(char *to, size_t size, struct str name)
{
    size_t len = name.len < size - 1 ? name.len : size - 1;
    if (len)
        memcpy(to, name.at, len);
    to[len] = '\0';
}

/* Text of limited length, names divided by slashes. */
struct path {
    char text[160];
    size_t len;
};

static void append(struct path *path, struct str name)
{
    size_t room = sizeof path->text - path->len;
    if (!name.len || room < 2)
        return;
    if (path->len)
        path->text[path->len++] = '/';
    room = sizeof path->text - path->len;
    size_t len = name.len < 60 ? name.len : 60;
    len = len < room ? len : room;
    memcpy(path->text + path->len, name.at, len);
    path->len += len;
}

/* Where a value lies in an index space; its count if it does not. */
static uint32_t place_of(const struct cm_instance *in, enum cm_sort sort, const void *value)
{
    uint32_t i = 0;
    while (i < in->counts[sort] && in->spaces[sort][i] != value)
        i++;
    return i;
}

/* Without a name: "instance 3". */
static void append_number(struct path *path, enum cm_sort sort, uint32_t index)
{
    char text[40];
    snprintf(text, sizeof text, "%s %" PRIu32, cm_sort_text(sort), index);
    append(path, str_of(text));
}

/* What an instance of a component is called where it was made, else what its component calls
 * itself, else its place. The outermost has none. */
static void append_instance(struct path *path, const struct cm_instance *instance)
{
    const struct cm_instance *parent = instance->parent;
    uint32_t place = parent ? place_of(parent, SORT_INSTANCE, &instance->exports) : 0;
    struct str name = {0};
    if (parent)
        name = component_item_name(parent->component, SORT_INSTANCE, place);
    if (!name.len)
        name = component_name(instance->component);
    if (name.len || !parent)
        append(path, name);
    else
        append_number(path, SORT_INSTANCE, place);
}

/* What a core instance is called in its component, else what its module calls itself, else its
 * place. A module that is no component's has none. */
static void append_core_instance(struct path *path, const struct cm_instance *owner,
                                 const struct instance *instance)
{
    struct str name = {0};
    uint32_t place = 0;
    for (uint32_t i = 0; owner && i < owner->counts[SORT_CORE_INSTANCE]; i++) {
        const struct cm_core_instance *core = owner->spaces[SORT_CORE_INSTANCE][i];
        if (core->instance == instance)
            place = i;
    }
    if (owner)
        name = component_item_name(owner->component, SORT_CORE_INSTANCE, place);
    if (!name.len)
        name = module_name(instance_module(instance));
    if (name.len || !owner)
        append(path, name);
    else
        append_number(path, SORT_CORE_INSTANCE, place);
}

#define OUTER_MAX 8 /* instances around one that are named; farther ones are left out */

/* "component/instance/core instance", from the outside: names, or places in their index spaces. */
static void name_module(char *to, size_t size, const struct instance *instance)
{
    const struct cm_instance *owner = instance_owner(instance);
    const struct cm_instance *around[OUTER_MAX];
    struct path path = {.len = 0};
    size_t count = 0;
    for (const struct cm_instance *at = owner; at && count < OUTER_MAX; at = at->parent)
        around[count++] = at;
    while (count)
        append_instance(&path, around[--count]);
    append_core_instance(&path, owner, instance);
    copy_name(to, size, (struct str){path.text, path.len});
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
