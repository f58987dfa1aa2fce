/* wasi:filesystem, reading directories and preopens. */
#include "engine/wasi/filesystem.h"

#include "engine/base/utf.h"
#include "engine/wasi/directory.h"
#include "engine/wasi/errors.h"
#include "engine/wasi/table.h"

#include <errno.h>

/* --- Directories --------------------------------------------------------------------------------
 */

enum host_answer wasi_descriptor_read_directory(struct host_call *call, const void *args,
                                                void *result)
{
    struct descriptor *const *self = args;
    struct directory *directory = NULL;
    int error = directory_open(call->host, *self, &directory);
    return filesystem_handle(directory, error, result);
}

struct directory_entry {
    uint8_t type;
    struct str name;
};
typedef HOST_OPTION(struct directory_entry) option_entry;
typedef HOST_RESULT(option_entry, uint8_t) entry_result;

enum host_answer wasi_directory_entry_stream_read_directory_entry(struct host_call *call,
                                                                  const void *args, void *result)
{
    struct directory *const *self = args;
    entry_result *answer = result;
    struct entry entry;
    int found;
    (void)call;
    while ((found = directory_peek(*self, &entry)) > 0) {
        directory_skip(*self);
        if (!entry_is_dots(&entry))
            break;
    }
    if (found > 0 && !utf8_valid((struct bytes){(const uint8_t *)entry.name.at, entry.name.len}))
        found = -EILSEQ; /* the next call goes on behind it */
    if (found < 0) {
        answer->tag = HOST_ERR;
        answer->err = fs_error_of(found);
    } else if (found > 0) {
        answer->ok.some = true;
        answer->ok.of = (struct directory_entry){directory_type(*self, &entry), entry.name};
    }
    return HOST_DONE;
}

bool wasi_drop_directory_entry_stream(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    directory_close(host, representation);
    return true;
}

struct preopen {
    struct descriptor *descriptor;
    struct str name;
};

enum host_answer wasi_get_directories(struct host_call *call, const void *args, void *result)
{
    struct wasi *wasi = call->host;
    HOST_LIST(struct preopen) *list = result;
    (void)args;
    struct preopen *preopens = host_alloc(call, (wasi->npreopens + 1) * sizeof *preopens);
    if (!preopens)
        return wasi_no_memory(call);
    for (size_t i = 0; i < wasi->npreopens; i++) {
        preopens[i].descriptor = descriptor_keep(wasi->preopens[i].descriptor);
        preopens[i].name = wasi->preopens[i].name;
    }
    list->at = preopens;
    list->len = wasi->npreopens;
    return HOST_DONE;
}
