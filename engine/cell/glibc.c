/* What libraries that Debian built for glibc ask for, in an engine that has musl and no allocator:
 * libnghttp2, for two small tables at its start, and for checks that are never to fail. Everything
 * else of it lies on the heap that it is given (engine/serve/h2.c). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) unsigned char room[4096];
static size_t used;

static void *take(size_t size)
{
    if (size > sizeof room || (size + 15) / 16 * 16 > sizeof room - used)
        return NULL;
    unsigned char *block = room + used;
    used += (size + 15) / 16 * 16;
    return block;
}

void *malloc(size_t size)
{
    return take(size);
}

void *calloc(size_t count, size_t each)
{
    return each && count > sizeof room / each ? NULL
                                              : take(count * each); /* zero, as nothing is reused */
}

void *realloc(void *block, size_t size)
{
    return block ? NULL : take(size);
}

void free(void *block)
{
    (void)block;
}

/* The names that _FORTIFY_SOURCE gives to calls; no header of musl declares them. */
int __fprintf_chk(FILE *file, int flag, const char *format, ...);
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room_of_it, const char *format,
                    va_list arguments);
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function);

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    (void)file, (void)flag, (void)format;
    return 0;
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room_of_it, const char *format,
                    va_list arguments)
{
    (void)flag;
    return vsnprintf(to, size < room_of_it ? size : room_of_it, format, arguments);
}

_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function)
{
    (void)what, (void)file, (void)line, (void)function;
    __builtin_trap();
}
