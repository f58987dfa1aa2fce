/* wasi:config/store and wasi:logging. */
#include "engine/wasi/descriptor.h"
#include "engine/wasi/sys.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

/* Its error is never given: everything was told when the cell started. */
struct config_error {
    uint8_t tag;
    struct str text;
};

enum host_answer wasi_config_get(struct host_call *call, const void *args, void *result)
{
    const struct wasi *wasi = call->host;
    const struct str *key = args;
    HOST_RESULT(HOST_OPTION(struct str), struct config_error) *out = result;
    for (size_t i = 0; i < wasi->nconfig; i++) {
        if (!str_eq(wasi->config[i].name, *key))
            continue;
        out->ok.some = true;
        out->ok.of = wasi->config[i].value;
        break;
    }
    return HOST_DONE;
}

enum host_answer wasi_config_get_all(struct host_call *call, const void *args, void *result)
{
    const struct wasi *wasi = call->host;
    HOST_RESULT(HOST_LIST(struct wasi_variable), struct config_error) *out = result;
    (void)args;
    out->ok.at = wasi->config;
    out->ok.len = wasi->nconfig;
    return HOST_DONE;
}

/* --- wasi:logging -------------------------------------------------------------------------------
 */

/* As much as a pipe takes in one piece, so that lines of several writers do not mix, and that a
 * pipe which is ready takes all of it. */
#define LINE 4096

struct log_args {
    uint8_t level;
    struct str context;
    struct str message;
};

/* Appends a text of the guest's, with controls made visible: what it logs is one line. */
static size_t add_text(char *line, size_t used, struct str text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.len && used < LINE - 8; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= ' ' && c != 127) {
            line[used++] = (char)c;
            continue;
        }
        line[used++] = '\\';
        line[used++] = 'x';
        line[used++] = digits[c >> 4];
        line[used++] = digits[c & 15];
    }
    return used;
}

enum host_answer wasi_logging_log(struct host_call *call, const void *args, void *result)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "error", "critical"};
    const struct log_args *a = args;
    struct wasi *wasi = call->host;
    int fd = wasi->streams[2]->fd;
    (void)result;
    if (fd < 0)
        return HOST_DONE;
    if (!descriptor_never_waits(wasi->streams[2]) && !wasi_ready(wasi, fd, POLLOUT))
        return wasi_wait_fd(call, fd, POLLOUT);
    char *line = (char *)wasi_scratch(wasi);
    if (!line)
        return wasi_no_memory(call);
    size_t used = add_text(line, 0, str_of(levels[a->level]));
    if (a->context.len) {
        line[used++] = ' ';
        used = add_text(line, used, a->context);
    }
    line[used++] = ':';
    line[used++] = ' ';
    used = add_text(line, used, a->message);
    line[used++] = '\n';
    sys_write(fd, line, used);
    return HOST_DONE;
}
