/* Types of wasi:filesystem/types in host layout, and the answers made from what fs.h says. */
#ifndef CARREL_WASI_FILESYSTEM_H
#define CARREL_WASI_FILESYSTEM_H

#include "engine/wasi/fs.h"
#include "engine/wasi/types.h"

/* result<_, error-code> */
struct unit_or_code {
    uint8_t tag;
    uint8_t err;
};

struct descriptor_stat {
    uint8_t type;
    uint64_t link_count;
    uint64_t size;
    option_datetime data_access_timestamp;
    option_datetime data_modification_timestamp;
    option_datetime status_change_timestamp;
};
typedef HOST_RESULT(struct descriptor_stat, uint8_t) stat_result;

enum { TIMESTAMP_NO_CHANGE, TIMESTAMP_NOW, TIMESTAMP_GIVEN };
struct new_timestamp {
    uint8_t tag;
    struct datetime timestamp;
};

struct metadata_hash_value {
    uint64_t lower;
    uint64_t upper;
};
typedef HOST_RESULT(struct metadata_hash_value, uint8_t) hash_result;

typedef HOST_RESULT(void *, uint8_t) handle_result;

/* Answers; `error` is a negated errno, or not negative. */
enum host_answer filesystem_answer(int64_t error, struct unit_or_code *result);
enum host_answer filesystem_handle(void *resource, int64_t error, handle_result *result);
enum host_answer filesystem_stat(int64_t error, const struct stat *stat, stat_result *result);
enum host_answer filesystem_hash(struct host_call *call, int64_t error, const struct stat *stat,
                                 hash_result *result);

/* As fs_set_times takes them; a negated errno if one of them is no time. */
int filesystem_times(const struct new_timestamp *access, const struct new_timestamp *modification,
                     struct timespec ret_times[2]);

#endif
