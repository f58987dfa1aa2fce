/* One record for every failure: what kind, where, and a sentence.
 *
 * A fallible function takes `struct err *err` last, returns 0 (or a pointer) on success and leaves
 * *err alone; on failure it returns -1 (or NULL) and fills *err. The first failure wins: a record
 * that is already set is never overwritten, so cleaning up cannot hide the cause. */
#ifndef CARREL_BASE_ERR_H
#define CARREL_BASE_ERR_H

#include "engine/base/attr.h"
#include <stdint.h>

enum err_kind {
    ERR_NONE,
#define ERR(name, word, code, meaning) ERR_##name,
#include "engine/base/err.def"
#undef ERR
    ERR_KINDS
};

/* The offset of a failure that has no place in the input. */
#define ERR_NOWHERE UINT64_MAX

struct err {
    enum err_kind kind;
    uint64_t offset; /* in bytes from the start of the file, or ERR_NOWHERE */
    char text[256];  /* NUL-terminated, one line, without the offset; may hold hostile names */
};

/* Records a failure unless one is recorded already. `err` may be NULL (the caller does not care).
 * Always returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *err, enum err_kind kind, uint64_t offset, const char *format, ...)
    PRINTF(4, 5) COLD;

/* For clang-tidy, which sees one file at a time. */
#ifdef __clang_analyzer__
#define err_set(...) ((err_set)(__VA_ARGS__), -1)
#endif

/* Puts "CONTEXT: " before the text of a failure, for example the name of a nested module. */
int err_within(struct err *err, const char *format, ...) PRINTF(2, 3) COLD;

/* The row's columns. Never NULL; a kind out of range is a FAULT. */
const char *err_word(enum err_kind kind);
int err_exit_code(enum err_kind kind);

#endif
