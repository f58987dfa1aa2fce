/* Flags of a command line as Go's programs give them: -word VALUE, --word=VALUE, and so on. */
#ifndef CARREL_SHIM_CONTAINERD_FLAG_H
#define CARREL_SHIM_CONTAINERD_FLAG_H

#include "engine/base/err.h"

#include <stddef.h>

enum flag_kind {
    FLAG_TEXT,   /* has a value: a const char *, part of the command line */
    FLAG_BOOL,   /* has none, or =false */
    FLAG_IGNORE, /* as FLAG_BOOL, and nothing that a component has depends on it */
    FLAG_IGNORE_TEXT,
};

struct flag {
    const char *word;
    enum flag_kind kind;
    size_t offset; /* of its place in what is read into */
};

/* Reads the flag at argv[*at], which begins with a dash, into `ret`; *at is left at its last word.
 * Errors: ERR_USAGE. */
int flag_read(const struct flag *flags, size_t count, char **argv, size_t *at, void *ret,
              struct err *err);

#endif
