/* Tracing; see trace.h. Instructions are decoded and shown by what the opcode table says
 * (engine/wasm/insn.h, wat_code.h). */
#include "engine/cell/trace.h"

#include "engine/cell/tell.h"
#include "engine/wasm/wat_code.h"

static void append(void *data, struct str piece)
{
    struct message_trace *message = data;
    size_t used = strlen(message->text);
    size_t room = sizeof message->text - 1 - used;
    memcpy(message->text + used, piece.at, piece.len < room ? piece.len : room);
}

/* "name[index] 0xoffset: instruction" */
static void tell_instruction(void *data, const struct instance *instance, uint32_t func,
                             uint64_t offset)
{
    const struct module *module = instance_module(instance);
    const struct function *function = &module->funcs[func];
    const uint8_t *at = module->file + offset;
    struct err ignored = {0};
    struct reader reader =
        reader_of((struct bytes){at, (size_t)(function->body + function->body_len - at)},
                  module->file, &ignored);
    struct message_trace message = {0};
    struct out out = {.put = append, .data = &message};
    const struct wat wat = {.out = &out, .module = module};
    struct insn insn;
    (void)data;
    insn_read(&reader, module, &insn);
    out_str(&out, module_func_name(module, func));
    out_format(&out, "[%u] 0x%llx: ", func, (unsigned long long)offset);
    wat_insn(&wat, &insn);
    out_flush(&out);
    tell_trace(&message);
}

void trace_begin(struct vm *vm)
{
    static const struct vm_tracer tracer = {.tell = tell_instruction};
    vm_set_tracer(vm, &tracer);
}
