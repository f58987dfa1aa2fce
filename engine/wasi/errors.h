/* From the errno of Linux to the errors of WASI (errors.def). Inside this room a function that can
 * fail answers a negated errno; only what faces the guest translates. */
#ifndef CARREL_WASI_ERRORS_H
#define CARREL_WASI_ERRORS_H

#include <stdint.h>

enum fs_error {
#define FS_ERROR(name, word, number) FS_##name,
#include "engine/wasi/errors.def"
    FS_ERRORS
};

enum net_error {
#define NET_ERROR(name, word, number) NET_##name,
#include "engine/wasi/errors.def"
    NET_ERRORS
};

enum p1_errno {
#define P1_ERROR(name, number) P1_##name,
#include "engine/wasi/errors.def"
    P1_ERRNOS
};

/* Of an errno, negated or not. */
uint8_t fs_error_of(int64_t error);
uint8_t net_error_of(int64_t error);
uint16_t p1_errno_of(int64_t error);

/* WASI's name of it. Never NULL. */
const char *fs_error_name(uint8_t code);
const char *net_error_name(uint8_t code);

#endif
