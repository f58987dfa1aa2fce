/* The two translations; see errors.h. */
#include "engine/wasi/errors.h"

#include "engine/base/attr.h"
#include "engine/wasi/path.h"

#include <errno.h>

/* Codes are kept one up, so that 0 says that an errno has no row. */
static const uint8_t fs_codes[] = {
#define FS_ERROR(name, word, number) [number] = FS_##name + 1,
#define FS_ALSO(name, number)        [number] = FS_##name + 1,
#include "engine/wasi/errors.def"
};

static const char *const fs_names[FS_ERRORS] = {
#define FS_ERROR(name, word, number) [FS_##name] = word,
#include "engine/wasi/errors.def"
};

static const char *const net_names[NET_ERRORS] = {
#define NET_ERROR(name, word, number) [NET_##name] = word,
#include "engine/wasi/errors.def"
};

static const struct {
    int number;
    uint8_t code;
} net_codes[] = {
#define NET_ERROR(name, word, number) {number, NET_##name},
#define NET_ALSO(name, number)        {number, NET_##name},
#include "engine/wasi/errors.def"
};

static const struct {
    int number;
    uint16_t code;
} p1_codes[] = {
#define P1_ERROR(name, number) {number, P1_##name},
#define P1_ALSO(name, number)  {number, P1_##name},
#include "engine/wasi/errors.def"
};

static uint64_t magnitude(int64_t error)
{
    return error < 0 ? -(uint64_t)error : (uint64_t)error;
}

uint8_t fs_error_of(int64_t error)
{
    uint64_t number = magnitude(error);
    uint8_t code = number < countof(fs_codes) ? fs_codes[number] : 0;
    return code ? (uint8_t)(code - 1) : (uint8_t)FS_IO;
}

uint8_t net_error_of(int64_t error)
{
    uint64_t number = magnitude(error);
    for (size_t i = 0; number && i < countof(net_codes); i++)
        if ((uint64_t)net_codes[i].number == number)
            return net_codes[i].code;
    return NET_UNKNOWN;
}

uint16_t p1_errno_of(int64_t error)
{
    uint64_t number = magnitude(error);
    for (size_t i = 0; i < countof(p1_codes); i++)
        if ((uint64_t)p1_codes[i].number == number && (number || i == 0))
            return p1_codes[i].code;
    return P1_IO;
}

const char *fs_error_name(uint8_t code)
{
    return code < FS_ERRORS ? fs_names[code] : "unknown";
}

const char *net_error_name(uint8_t code)
{
    return code < NET_ERRORS ? net_names[code] : "unknown";
}
