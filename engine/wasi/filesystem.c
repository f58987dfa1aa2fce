/* wasi:filesystem, what is done to open descriptors. Translates between the WIT types and fs.h,
 * which does the work; filesystem_at.c has the functions that take a path. */
#include "engine/wasi/filesystem.h"

#include "engine/wasi/errors.h"
#include "engine/wasi/stream.h"
#include "engine/wasi/table.h"
#include "engine/wasi/withheld.h"

#include <errno.h>

/* --- Types --------------------------------------------------------------------------------------
 */

enum host_answer filesystem_answer(int64_t error, struct unit_or_code *result)
{
    if (error < 0) {
        result->tag = HOST_ERR;
        result->err = fs_error_of(error);
    }
    return HOST_DONE;
}

enum host_answer filesystem_handle(void *resource, int64_t error, handle_result *result)
{
    if (resource) {
        result->ok = resource;
    } else {
        result->tag = HOST_ERR;
        result->err = fs_error_of(error);
    }
    return HOST_DONE;
}

static option_datetime datetime_of(struct timespec time)
{
    option_datetime option = {.some = time.tv_sec >= 0};
    if (option.some)
        option.of = (struct datetime){(uint64_t)time.tv_sec, (uint32_t)time.tv_nsec};
    return option;
}

enum host_answer filesystem_stat(int64_t error, const struct stat *stat, stat_result *result)
{
    if (error < 0) {
        result->tag = HOST_ERR;
        result->err = fs_error_of(error);
        return HOST_DONE;
    }
    result->ok = (struct descriptor_stat){
        .type = descriptor_type_of(stat->st_mode),
        .link_count = (uint64_t)stat->st_nlink,
        .size = (uint64_t)stat->st_size,
        .data_access_timestamp = datetime_of(stat->st_atim),
        .data_modification_timestamp = datetime_of(stat->st_mtim),
        .status_change_timestamp = datetime_of(stat->st_ctim),
    };
    return HOST_DONE;
}

enum host_answer filesystem_hash(struct host_call *call, int64_t error, const struct stat *stat,
                                 hash_result *result)
{
    if (error < 0) {
        result->tag = HOST_ERR;
        result->err = fs_error_of(error);
    } else {
        uint64_t hash[2];
        fs_hash(call->host, stat, hash);
        result->ok.lower = hash[0];
        result->ok.upper = hash[1];
    }
    return HOST_DONE;
}

int filesystem_times(const struct new_timestamp *access, const struct new_timestamp *modification,
                     struct timespec ret_times[2])
{
    const struct new_timestamp *from[2] = {access, modification};
    for (int i = 0; i < 2; i++) {
        int error = 0;
        if (from[i]->tag == TIMESTAMP_GIVEN)
            error = fs_timespec(from[i]->timestamp.seconds, from[i]->timestamp.nanoseconds,
                                &ret_times[i]);
        else
            ret_times[i] = (struct timespec){.tv_nsec = from[i]->tag == TIMESTAMP_NOW ? UTIME_NOW
                                                                                      : UTIME_OMIT};
        if (error < 0)
            return error;
    }
    return 0;
}

/* --- Streams of a file --------------------------------------------------------------------------
 */

struct offset_args {
    struct descriptor *self;
    uint64_t offset;
};

/* A directory has no bytes. */
static int64_t may_stream(struct descriptor *file, uint8_t flag)
{
    if (file->type == TYPE_DIRECTORY)
        return -EISDIR;
    return file->flags & flag ? 0 : -EBADF;
}

enum host_answer wasi_descriptor_read_via_stream(struct host_call *call, const void *args,
                                                 void *result)
{
    const struct offset_args *a = args;
    int64_t error = may_stream(a->self, DESCRIPTOR_READ);
    void *stream = error < 0 ? NULL : input_new(call->host, a->self, a->offset);
    return filesystem_handle(stream, error < 0 ? error : -ENOMEM, result);
}

enum host_answer wasi_descriptor_write_via_stream(struct host_call *call, const void *args,
                                                  void *result)
{
    const struct offset_args *a = args;
    int64_t error = may_stream(a->self, DESCRIPTOR_WRITE);
    void *stream = error < 0 ? NULL : output_new(call->host, a->self, a->offset, /*append=*/false);
    return filesystem_handle(stream, error < 0 ? error : -ENOMEM, result);
}

enum host_answer wasi_descriptor_append_via_stream(struct host_call *call, const void *args,
                                                   void *result)
{
    struct descriptor *const *self = args;
    int64_t error = may_stream(*self, DESCRIPTOR_WRITE);
    void *stream = error < 0 ? NULL : output_new(call->host, *self, 0, /*append=*/true);
    return filesystem_handle(stream, error < 0 ? error : -ENOMEM, result);
}

/* --- Reading and writing at an offset -----------------------------------------------------------
 */

struct read_args {
    struct descriptor *self;
    uint64_t length;
    uint64_t offset;
};

struct read_ok {
    byte_list bytes;
    bool end;
};
typedef HOST_RESULT(struct read_ok, uint8_t) read_result;

enum host_answer wasi_descriptor_read(struct host_call *call, const void *args, void *result)
{
    const struct read_args *a = args;
    read_result *read = result;
    uint8_t *to = host_alloc(call, a->length < WASI_CHUNK ? (size_t)a->length + 1 : WASI_CHUNK);
    if (!to)
        return wasi_no_memory(call);
    int64_t got = fs_read(a->self, to, a->length, a->offset);
    if (got < 0) {
        read->tag = HOST_ERR;
        read->err = fs_error_of(got);
    } else {
        read->ok.bytes.at = to;
        read->ok.bytes.len = (size_t)got;
        read->ok.end = got == 0 && a->length > 0;
    }
    return HOST_DONE;
}

struct write_args {
    struct descriptor *self;
    byte_list buffer;
    uint64_t offset;
};

enum host_answer wasi_descriptor_write(struct host_call *call, const void *args, void *result)
{
    const struct write_args *a = args;
    HOST_RESULT(uint64_t, uint8_t) *written = result;
    (void)call;
    int64_t put = fs_write(a->self, a->buffer.at, a->buffer.len, a->offset);
    if (put < 0) {
        written->tag = HOST_ERR;
        written->err = fs_error_of(put);
    } else {
        written->ok = (uint64_t)put;
    }
    return HOST_DONE;
}

/* --- Attributes ---------------------------------------------------------------------------------
 */

struct advise_args {
    struct descriptor *self;
    uint64_t offset;
    uint64_t length;
    uint8_t advice;
};

enum host_answer wasi_descriptor_advise(struct host_call *call, const void *args, void *result)
{
    const struct advise_args *a = args;
    (void)call;
    return filesystem_answer(fs_advise(a->self, a->offset, a->length, a->advice), result);
}

enum host_answer wasi_descriptor_sync(struct host_call *call, const void *args, void *result)
{
    struct descriptor *const *self = args;
    (void)call;
    return filesystem_answer(fs_sync(*self), result);
}

enum host_answer wasi_descriptor_sync_data(struct host_call *call, const void *args, void *result)
{
    struct descriptor *const *self = args;
    (void)call;
    return filesystem_answer(fs_sync_data(*self), result);
}

/* result<u8, u8>, twice */
struct small_result {
    uint8_t tag;
    uint8_t value;
};

static enum host_answer small_answer(int64_t value, struct small_result *result)
{
    result->tag = value < 0 ? HOST_ERR : HOST_OK;
    result->value = value < 0 ? fs_error_of(value) : (uint8_t)value;
    return HOST_DONE;
}

enum host_answer wasi_descriptor_get_flags(struct host_call *call, const void *args, void *result)
{
    struct descriptor *const *self = args;
    (void)call;
    int type = descriptor_type(*self);
    uint8_t flags = (*self)->flags;
    if (type != TYPE_DIRECTORY) /* only of directories (WIT) */
        flags &= (uint8_t)~DESCRIPTOR_MUTATE;
    return small_answer(type < 0 ? type : flags, result);
}

enum host_answer wasi_descriptor_get_type(struct host_call *call, const void *args, void *result)
{
    struct descriptor *const *self = args;
    (void)call;
    return small_answer(descriptor_type(*self), result);
}

enum host_answer wasi_descriptor_set_size(struct host_call *call, const void *args, void *result)
{
    const struct offset_args *a = args;
    (void)call;
    return filesystem_answer(fs_set_size(a->self, a->offset), result);
}

struct set_times_args {
    struct descriptor *self;
    struct new_timestamp access;
    struct new_timestamp modification;
};

enum host_answer wasi_descriptor_set_times(struct host_call *call, const void *args, void *result)
{
    const struct set_times_args *a = args;
    struct timespec times[2];
    int error = filesystem_times(&a->access, &a->modification, times);
    if (error == 0)
        error = fs_set_times(a->self, times);
    withheld_path(call->host, ASK_ROW_descriptor_set_times, WASI_CAP_DIR_WRITE, a->self,
                  (struct str){0}, error);
    return filesystem_answer(error, result);
}

enum host_answer wasi_descriptor_stat(struct host_call *call, const void *args, void *result)
{
    struct descriptor *const *self = args;
    struct stat stat = {0};
    (void)call;
    int error = fs_stat(*self, &stat);
    return filesystem_stat(error, &stat, result);
}

enum host_answer wasi_descriptor_metadata_hash(struct host_call *call, const void *args,
                                               void *result)
{
    struct descriptor *const *self = args;
    struct stat stat = {0};
    int error = fs_stat(*self, &stat);
    return filesystem_hash(call, error, &stat, result);
}

enum host_answer wasi_descriptor_is_same_object(struct host_call *call, const void *args,
                                                void *result)
{
    struct descriptor *const *both = args;
    (void)call;
    *(bool *)result = fs_same(both[0], both[1]) == 1;
    return HOST_DONE;
}

bool wasi_drop_descriptor(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    descriptor_release(host, representation);
    return true;
}

/* --- Errors -------------------------------------------------------------------------------------
 */

enum host_answer wasi_filesystem_error_code(struct host_call *call, const void *args, void *result)
{
    const struct io_error *const *error = args;
    HOST_OPTION(uint8_t) *code = result;
    (void)call;
    code->some = (*error)->filesystem;
    code->of = fs_error_of((*error)->error);
    return HOST_DONE;
}
