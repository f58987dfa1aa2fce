/* Two ways to undo what a request has written of a memory of 16 MiB: pages with a mark are copied
 * back from an image, as engine/exec/image.h does it, or the memory is a private mapping of the
 * image, and the kernel forgets its copies of pages. Microseconds of writing a word of each of some
 * pages and undoing it: medians, in turn.
 *
 *   restore ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE       4096
#define PAGES      4096
#define SIZE       ((size_t)PAGE * PAGES)
#define ROUNDS_MAX 10000

static uint8_t *image;   /* what the memory is brought back to */
static uint8_t *marked;  /* a memory with marks; each mark stands for a page */
static uint8_t *private; /* a memory that the kernel copies when it is written */
static uint8_t marks[PAGES];

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(125);
}

static uint8_t *map(int fd, int flags)
{
    uint8_t *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED)
        give_up("restore: mmap");
    return at;
}

static void make_memories(void)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)SIZE))
        give_up("restore: memfd_create");
    image = map(fd, MAP_SHARED);
    memset(image, 1, SIZE);
    marked = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
    memcpy(marked, image, SIZE);
    private = map(fd, MAP_PRIVATE);
    close(fd);
}

/* The pages that a request writes lie apart. */
static size_t place(size_t i, size_t count)
{
    return i * (PAGES / count);
}

static void by_marks(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t page = place(i, count);
        marked[page * PAGE]++;
        marks[page] = 1;
    }
    const uint8_t *end = marks + PAGES;
    for (uint8_t *mark = memchr(marks, 1, PAGES); mark;
         mark = memchr(mark, 1, (size_t)(end - mark))) {
        size_t page = (size_t)(mark - marks);
        memcpy(marked + page * PAGE, image + page * PAGE, PAGE);
        *mark = 0;
    }
}

static void by_kernel(size_t count)
{
    for (size_t i = 0; i < count; i++)
    private[place(i, count) * PAGE]++;
    if (madvise(private, SIZE, MADV_DONTNEED))
        give_up("restore: madvise");
}

static double time_of(void (*undo)(size_t count), size_t count)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    undo(count);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
}

static int ascending(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static double median(double *times, size_t rounds)
{
    qsort(times, rounds, sizeof *times, ascending);
    return times[rounds / 2];
}

static void compare(size_t count, size_t rounds)
{
    static double marking[ROUNDS_MAX], copying[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        marking[i] = time_of(by_marks, count);
        copying[i] = time_of(by_kernel, count);
    }
    double ours = median(marking, rounds), kernels = median(copying, rounds);
    printf("%13zu %9.2f %9.2f %9.1f x\n", count, ours, kernels, kernels / ours);
}

int main(int argc, char **argv)
{
    long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: restore ROUNDS, from 1 to %d\n", ROUNDS_MAX);
        return 2;
    }
    make_memories();
    printf("us; pages written   marks    kernel\n");
    for (size_t count = 1; count <= PAGES; count *= 4)
        compare(count, (size_t)rounds);
    return 0;
}
