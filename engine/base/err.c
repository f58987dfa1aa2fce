/* Failure records; see err.h. Allocates nothing, calls no system call. */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word;
    int code;
} kinds[ERR_KINDS] = {
    [ERR_NONE] = {"none", 0},
#define ERR(name, word, code, meaning) [ERR_##name] = {word, code},
#include "engine/base/err.def"
#undef ERR
};

int(err_set)(struct err *err, enum err_kind kind, uint64_t offset, const char *format, ...)
{
    if (!err || err->kind != ERR_NONE)
        return -1;
    err->kind = kind;
    err->offset = offset;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int err_within(struct err *err, const char *format, ...)
{
    if (!err || err->kind == ERR_NONE)
        return -1;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", inner);
    return -1;
}

const char *err_word(enum err_kind kind)
{
    return (unsigned)kind < ERR_KINDS ? kinds[kind].word : kinds[ERR_FAULT].word;
}

int err_exit_code(enum err_kind kind)
{
    return (unsigned)kind < ERR_KINDS ? kinds[kind].code : kinds[ERR_FAULT].code;
}
