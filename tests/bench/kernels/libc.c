/* What compilers expect to be there: with bulk memory, each is one instruction. */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

__attribute__((naked)) void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    __asm__("local.get 0\nlocal.get 1\nlocal.get 2\nmemory.copy 0, 0\nlocal.get 0\nreturn");
}

__attribute__((naked)) void *memmove(void *to, const void *from, size_t size)
{
    __asm__("local.get 0\nlocal.get 1\nlocal.get 2\nmemory.copy 0, 0\nlocal.get 0\nreturn");
}

__attribute__((naked)) void *memset(void *to, int byte, size_t size)
{
    __asm__("local.get 0\nlocal.get 1\nlocal.get 2\nmemory.fill 0\nlocal.get 0\nreturn");
}
