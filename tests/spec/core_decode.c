/* Decoding and validating core modules, without executing them; see core_decode.h. */
#include "tests/spec/core_decode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REGION_SIZE ((size_t)1 << 32) /* of address space; what is not touched costs nothing */

const char *const core_without[] = {"custom-descriptors", NULL};

static void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

bool core_store_open(struct core_store *store)
{
    void *image = reserve(REGION_SIZE);
    void *scratch = reserve(REGION_SIZE);
    if (!image || !scratch)
        return false;
    store->image = region_of(image, REGION_SIZE);
    store->scratch = region_of(scratch, REGION_SIZE);
    store->types = types_new(&store->image);
    return store->types;
}

void core_store_close(struct core_store *store)
{
    munmap(store->image.base, REGION_SIZE);
    munmap(store->scratch.base, REGION_SIZE);
}

bool core_takes(struct bytes binary)
{
    static const uint8_t component[] = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};
    return binary.len < sizeof component || memcmp(binary.at, component, sizeof component) != 0;
}

struct module *core_module(struct core_store *store, const struct command *command, struct err *err,
                           struct note *note)
{
    size_t len;
    uint8_t *binary = command_binary(command, &len);
    if (!binary) {
        verdict(note, FAILED, "no file \"" STR_FMT "\"",
                STR_ARG(json_text(command->json, "filename")));
        return NULL;
    }
    struct bytes bytes = {binary, len};
    struct module *module =
        module_read(bytes, binary, store->types, &store->image, &store->scratch, err);
    if (!module) {
        verdict(note, FAILED, "%s at offset %llu: %s", err_word(err->kind),
                (unsigned long long)err->offset, err->text);
        free(binary);
    }
    return module; /* its bytes live as long as the script's process */
}

/* The module must be refused, for the right kind of reason. */
static enum verdict refused(struct core_store *store, const struct command *command,
                            enum err_kind kind, struct note *note)
{
    struct err err = {0};
    struct module *module = core_module(store, command, &err, note);
    struct str text = json_text(command->json, "text");
    if (module)
        return verdict(note, FAILED, "accepted, but is %s: " STR_FMT, err_word(kind),
                       STR_ARG(text));
    if (err.kind == kind)
        return PASSED;
    return verdict(note, FAILED, "%s at offset %llu (%s), but is %s: " STR_FMT, err_word(err.kind),
                   (unsigned long long)err.offset, err.text, err_word(kind), STR_ARG(text));
}

bool core_decode_command(struct core_store *store, const struct command *command, struct note *note,
                         enum verdict *ret_verdict)
{
    struct err err = {0};
    if (strcmp(command->type, "assert_malformed") == 0)
        *ret_verdict = refused(store, command, ERR_MALFORMED, note);
    else if (strcmp(command->type, "assert_invalid") == 0)
        *ret_verdict = refused(store, command, ERR_INVALID, note);
    else if (strcmp(command->type, "assert_invalid_custom") == 0)
        *ret_verdict = verdict(note, SKIPPED, "the engine does not look into custom sections");
    else if (strcmp(command->type, "module_definition") == 0)
        *ret_verdict = core_module(store, command, &err, note) ? PASSED : FAILED;
    else
        return false;
    return true;
}
