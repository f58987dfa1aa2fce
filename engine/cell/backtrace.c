/* Backtraces as messages; see backtrace.h. */
#include "engine/cell/backtrace.h"

#include "engine/base/attr.h"
#include "engine/base/tail.h"
#include "engine/cell/tell.h"
#include "engine/component/backtrace.h"
#include "engine/wasi/p1.h"
#include <stdio.h>

void trap_words(const struct trap *trap, char *to, size_t size)
{
    if (!trap->value[0]) {
        snprintf(to, size, "%s", trap->text);
        return;
    }
    snprintf(to, size, "%s%sin ", trap->text, trap->text[0] ? ", " : "");
    size_t used = strlen(to);
    struct tail value = tail_of(to + used, size - used);
    tail_put(&value, str_of(trap->value));
}

static void fill(struct record_frame *to, const struct cm_frame *from)
{
    static const uint8_t kinds[] = {
        [FRAME_OF_CODE] = FRAME_CODE,
        [FRAME_OF_NATIVE] = FRAME_NATIVE,
        [FRAME_OF_CALLER] = FRAME_CALLER,
        [FRAME_OF_RESUMER] = FRAME_RESUMER,
    };
    *to = (struct record_frame){
        .kind = kinds[from->kind], .function = from->of->func, .offset = from->of->offset};
    _Static_assert(sizeof to->name == sizeof from->name, "a name travels whole");
    _Static_assert(sizeof to->module == sizeof from->where, "an instance's, too");
    memcpy(to->name, from->name, sizeof to->name);
    memcpy(to->module, from->where, sizeof to->module);
    if (from->of->native && !to->name[0])
        p1_called(from->of->native, to->name, sizeof to->name);
}

void tell_backtrace(const struct vm *vm)
{
    static struct message_trap message;
    static struct cm_frame frames[PROTOCOL_FRAMES];
    const struct trap *trap = vm_trap(vm);
    message = (struct message_trap){.trap = (uint32_t)trap->kind};
    trap_words(trap, message.text, sizeof message.text);
    _Static_assert(TRAP_FRAMES == PROTOCOL_FRAMES, "a backtrace travels whole");
    uint32_t count = cm_backtrace(trap, frames, countof(frames), &message.depth);
    for (uint32_t i = 0; i < count; i++)
        fill(&message.frames[i], &frames[i]);
    tell_trap(&message);
}
