/* What musl's allocator asks of the kernel, in the command. It takes and gives back single pages;
 * while others make namespaces in the same memory (shim/shared.c), each page that is given back,
 * and each that is read before it is written, stops the other processor (35 us): so pages come
 * filled, and the latest that were given back are kept for a while. The linker puts these in the
 * place of musl's (--wrap). */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

#define SMALL 65536
#define KEPT  16

/* clang-format off */
void *__real___mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap___mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
/* clang-format on */

void *__wrap___mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (flags & MAP_ANONYMOUS && protection & PROT_WRITE && size <= SMALL)
        flags |= MAP_POPULATE;
    return __real___mmap(at, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t size)
{
    static struct {
        void *at;
        size_t size;
    } kept[KEPT];
    static size_t oldest;
    if (size > SMALL)
        return __real_munmap(at, size);
    void *was = kept[oldest].at;
    size_t was_size = kept[oldest].size;
    kept[oldest].at = at;
    kept[oldest].size = size;
    oldest = (oldest + 1) % KEPT;
    return was ? __real_munmap(was, was_size) : 0;
}
