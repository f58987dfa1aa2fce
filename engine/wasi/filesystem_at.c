/* wasi:filesystem, the functions that take a path. Translates between the WIT types and fs.h. */
#include "engine/wasi/filesystem.h"

#include "engine/base/utf.h"
#include "engine/wasi/errors.h"
#include "engine/wasi/table.h"
#include "engine/wasi/withheld.h"

#include <errno.h>

#define SYMLINK_FOLLOW 1u /* of path-flags */

struct path_args {
    struct descriptor *self;
    struct str path;
};

struct flags_path_args {
    struct descriptor *self;
    uint8_t path_flags;
    struct str path;
};

static bool follows(uint8_t path_flags)
{
    return path_flags & SYMLINK_FOLLOW;
}

enum host_answer wasi_descriptor_create_directory_at(struct host_call *call, const void *args,
                                                     void *result)
{
    const struct path_args *a = args;
    int error = fs_create_directory_at(a->self, a->path);
    withheld_path(call->host, ASK_ROW_descriptor_create_directory_at, WASI_CAP_DIR_MUTATE, a->self,
                  a->path, error);
    return filesystem_answer(error, result);
}

enum host_answer wasi_descriptor_remove_directory_at(struct host_call *call, const void *args,
                                                     void *result)
{
    const struct path_args *a = args;
    int error = fs_remove_directory_at(a->self, a->path);
    withheld_path(call->host, ASK_ROW_descriptor_remove_directory_at, WASI_CAP_DIR_MUTATE, a->self,
                  a->path, error);
    return filesystem_answer(error, result);
}

enum host_answer wasi_descriptor_unlink_file_at(struct host_call *call, const void *args,
                                                void *result)
{
    const struct path_args *a = args;
    int error = fs_unlink_file_at(a->self, a->path);
    withheld_path(call->host, ASK_ROW_descriptor_unlink_file_at, WASI_CAP_DIR_MUTATE, a->self,
                  a->path, error);
    return filesystem_answer(error, result);
}

enum host_answer wasi_descriptor_stat_at(struct host_call *call, const void *args, void *result)
{
    const struct flags_path_args *a = args;
    struct stat stat = {0};
    int error = fs_stat_at(a->self, a->path, follows(a->path_flags), &stat);
    withheld_path(call->host, ASK_ROW_descriptor_stat_at, WASI_CAP_DIR_READ, a->self, a->path,
                  error);
    return filesystem_stat(error, &stat, result);
}

enum host_answer wasi_descriptor_metadata_hash_at(struct host_call *call, const void *args,
                                                  void *result)
{
    const struct flags_path_args *a = args;
    struct stat stat = {0};
    int error = fs_stat_at(a->self, a->path, follows(a->path_flags), &stat);
    withheld_path(call->host, ASK_ROW_descriptor_metadata_hash_at, WASI_CAP_DIR_READ, a->self,
                  a->path, error);
    return filesystem_hash(call, error, &stat, result);
}

struct set_times_at_args {
    struct descriptor *self;
    uint8_t path_flags;
    struct str path;
    struct new_timestamp access;
    struct new_timestamp modification;
};

enum host_answer wasi_descriptor_set_times_at(struct host_call *call, const void *args,
                                              void *result)
{
    const struct set_times_at_args *a = args;
    struct timespec times[2];
    int error = filesystem_times(&a->access, &a->modification, times);
    if (error == 0)
        error = fs_set_times_at(a->self, a->path, follows(a->path_flags), times);
    withheld_path(call->host, ASK_ROW_descriptor_set_times_at, WASI_CAP_DIR_WRITE, a->self, a->path,
                  error);
    return filesystem_answer(error, result);
}

struct link_args {
    struct descriptor *self;
    uint8_t old_path_flags;
    struct str old_path;
    struct descriptor *new_descriptor;
    struct str new_path;
};

enum host_answer wasi_descriptor_link_at(struct host_call *call, const void *args, void *result)
{
    const struct link_args *a = args;
    int error = fs_link_at(a->self, a->old_path, follows(a->old_path_flags), a->new_descriptor,
                           a->new_path);
    withheld_paths(call->host, ASK_ROW_descriptor_link_at, a->self, a->old_path, a->new_descriptor,
                   a->new_path, error);
    return filesystem_answer(error, result);
}

struct rename_args {
    struct descriptor *self;
    struct str old_path;
    struct descriptor *new_descriptor;
    struct str new_path;
};

enum host_answer wasi_descriptor_rename_at(struct host_call *call, const void *args, void *result)
{
    const struct rename_args *a = args;
    int error = fs_rename_at(a->self, a->old_path, a->new_descriptor, a->new_path);
    withheld_paths(call->host, ASK_ROW_descriptor_rename_at, a->self, a->old_path,
                   a->new_descriptor, a->new_path, error);
    return filesystem_answer(error, result);
}

struct symlink_args {
    struct descriptor *self;
    struct str old_path;
    struct str new_path;
};

enum host_answer wasi_descriptor_symlink_at(struct host_call *call, const void *args, void *result)
{
    const struct symlink_args *a = args;
    int error = fs_symlink_at(a->old_path, a->self, a->new_path);
    bool target = error == -PATH_OUTSIDE && !path_leaves(a->self, a->new_path);
    withheld_path(call->host, ASK_ROW_descriptor_symlink_at, WASI_CAP_DIR_MUTATE, a->self,
                  target ? a->old_path : a->new_path, error);
    return filesystem_answer(error, result);
}

enum host_answer wasi_descriptor_readlink_at(struct host_call *call, const void *args, void *result)
{
    const struct path_args *a = args;
    HOST_RESULT(struct str, uint8_t) *text = result;
    char *to = host_alloc(call, WASI_PATH);
    if (!to)
        return wasi_no_memory(call);
    int64_t len = fs_readlink_at(a->self, a->path, to);
    withheld_path(call->host, ASK_ROW_descriptor_readlink_at, WASI_CAP_DIR_READ, a->self, a->path,
                  len);
    if (len >= 0 && !utf8_valid((struct bytes){(const uint8_t *)to, (size_t)len}))
        len = -EILSEQ;
    if (len < 0) {
        text->tag = HOST_ERR;
        text->err = fs_error_of(len);
    } else {
        text->ok = (struct str){to, (size_t)len};
    }
    return HOST_DONE;
}

struct open_args {
    struct descriptor *self;
    uint8_t path_flags;
    struct str path;
    uint8_t open_flags;
    uint8_t flags;
};

enum host_answer wasi_descriptor_open_at(struct host_call *call, const void *args, void *result)
{
    const struct open_args *a = args;
    struct descriptor *descriptor = NULL;
    int error = fs_open_at(call->host, a->self, a->path, follows(a->path_flags), a->open_flags,
                           a->flags, &descriptor);
    withheld_path(call->host, ASK_ROW_descriptor_open_at, withheld_open(a->open_flags, a->flags),
                  a->self, a->path, error);
    return filesystem_handle(descriptor, error, result);
}
