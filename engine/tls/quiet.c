/* What libcrypto and the C library would ask the kernel for without need, answered here: the filter
 * has no such calls. The linker takes these instead of the library's. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Looks for the time zone while it may still open files, in a root directory where there are none:
 * whoever converts a time later, as of a certificate, would look otherwise. */
__attribute__((constructor)) static void settle_time_zone(void)
{
    tzset();
}

/* The library's own makes a system call where it could ask the clock. */
time_t time(time_t *ret)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now = {0};
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

/* The library's own wakes threads that wait, of which there are none. */
int pthread_once(pthread_once_t *once, void (*initialise)(void))
{
    if (*once == PTHREAD_ONCE_INIT) {
        *once = PTHREAD_ONCE_INIT + 1;
        initialise();
    }
    return 0;
}

/* --- Sorting ------------------------------------------------------------------------------------
 * The library's own asks how much memory the machine has. */

typedef int comparison(const void *, const void *);

static void swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* Lets the element at `from` sink to where it is not smaller than those below it. */
static void sink(char *at, size_t from, size_t count, size_t size, comparison *compare)
{
    for (size_t below; (below = 2 * from + 1) < count; from = below) {
        if (below + 1 < count && compare(at + below * size, at + (below + 1) * size) < 0)
            below++;
        if (compare(at + from * size, at + below * size) >= 0)
            return;
        swap(at + from * size, at + below * size, size);
    }
}

/* The linker has qsort lead here (--wrap): the library's shares a file with what it needs itself.
 */
void __wrap_qsort(void *base, size_t count, size_t size, comparison *compare);

void __wrap_qsort(void *base, size_t count, size_t size, comparison *compare)
{
    char *at = base;
    for (size_t i = count / 2; i-- > 0;)
        sink(at, i, count, size, compare);
    for (size_t left = count; left > 1; left--) {
        swap(at, at + (left - 1) * size, size);
        sink(at, 0, left - 1, size, compare);
    }
}

/* Asked to find out whether the process was forked, which it cannot be. */
pid_t getpid(void)
{
    return 1;
}
