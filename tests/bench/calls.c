/* What a call costs, in nanoseconds of processor time: of a function of the same module, of the
 * host, of another component; with nothing, with a text of 1 KiB or 64, with 1,000 records. The
 * loop around the calls is taken off. Medians of rounds that alternate. See calls.wat.
 *
 *   calls FILE.wasm */
#include "engine/base/utf.h"
#include "engine/component/link.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 11
#define SIZE   ((size_t)1 << 33)

static const struct {
    const char *name;
    const char *what;
    uint32_t calls;
} rows[] = {
    {"empty", "the loop alone", 20000000},
    {"call", "a function of the module", 20000000},
    {"host-null", "the host, with nothing", 5000000},
    {"host-text", "the host, 1 KiB of text", 1000000},
    {"host-long", "the host, 64 KiB of text", 20000},
    {"host-plain", "the host, 1,000 records of numbers", 100000},
    {"host-mixed", "the host, 1,000 records of kinds", 5000},
    {"peer-null", "a component, with nothing", 5000000},
    {"peer-text", "a component, 1 KiB of text", 1000000},
    {"peer-long", "a component, 64 KiB of text", 20000},
    {"peer-plain", "a component, 1,000 records of numbers", 100000},
    {"peer-mixed", "a component, 1,000 records of kinds", 3000},
};

#define ROWS (sizeof rows / sizeof rows[0])

static enum host_answer done(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    (void)result;
    return HOST_DONE;
}

static const struct host_interface interfaces[] = {{"bench:calls/host", ""}};

static const struct host_item items[] = {
    {0, HOST_FUNC, "null", "func()", NULL, done, NULL},
    {0, HOST_FUNC, "text", "func(v: string)", NULL, done, NULL},
    {0, HOST_FUNC, "plain", "func(v: list<tuple<u32, u32>>)", NULL, done, NULL},
    {0, HOST_FUNC, "mixed", "func(v: list<tuple<u64, f64, bool, u16>>)", NULL, done, NULL},
};

static const struct host_table table = {interfaces, items, 1, 4, NULL, NULL};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *reserve(void)
{
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "calls: %s: %s\n", what, why);
    exit(1);
}

struct bench {
    struct vm *vm;
    struct fiber *fiber;
    struct cm_store *store;
    struct cm_instance *instance;
};

static void run(struct bench *bench, const char *what, struct func *func)
{
    fiber_begin(bench->vm, bench->fiber, func);
    if (fiber_run(bench->vm, bench->fiber) != FIBER_DONE)
        fail(what, vm_trap(bench->vm)->text);
}

static struct bench open_bench(struct bytes bytes)
{
    static const struct vm_limits limits = {.memory_bytes = 1 << 24,
                                            .table_elements = 1000,
                                            .stack_bytes = 1 << 20,
                                            .heap_bytes = 1 << 26,
                                            .fuel = UINT64_MAX,
                                            .instances = 10,
                                            .memories = 10,
                                            .tables = 10};
    static struct region image, scratch;
    struct err err = {0};
    struct bench bench = {0};
    image = region_of(reserve(), SIZE);
    scratch = region_of(reserve(), SIZE);
    struct cm_types *types = cm_types_new(&image, types_new(&image));
    const struct component *component = component_read(bytes, bytes.at, types, &scratch, &err);
    if (!component)
        fail("reading", err.text);
    bench.vm = vm_new(types->core, &image, reserve(), SIZE, &limits);
    bench.store = cm_store_new(bench.vm, types);
    bench.fiber = fiber_new(bench.vm);
    const struct cm_linker linker = {.store = bench.store,
                                     .scratch = &scratch,
                                     .host = cm_host_new(bench.store, &scratch, &table)};
    bench.instance = cm_link(&linker, component, NULL, &err);
    if (!bench.instance)
        fail("linking", err.text);
    run(&bench, "instantiating", cm_instance_initializer(bench.instance));
    return bench;
}

static double time_row(struct bench *bench, size_t row)
{
    uint32_t count = rows[row].calls;
    struct str name = {rows[row].name, strlen(rows[row].name)};
    const struct cm_func *func = cm_export_func(bench->instance, (struct str){0}, name);
    if (!func)
        fail(rows[row].name, "no such export");
    struct cm_call *call = cm_call_new(bench->store, func, &count);
    double start = now();
    run(bench, rows[row].name, cm_call_func(call));
    double time = (now() - start) / count;
    cm_call_free(call);
    return time;
}

/* --- What texts take at least -------------------------------------------------------------------
 */

enum work { COPY, VALIDATE, BOTH };

static const struct {
    const char *what;
    enum work work;
    size_t size;
} least[] = {
    {"memcpy of 1 KiB", COPY, 1024},
    {"is 1 KiB UTF-8?", VALIDATE, 1024},
    {"a copy of 1 KiB that is UTF-8", BOTH, 1024},
    {"memcpy of 64 KiB", COPY, 65536},
    {"is 64 KiB UTF-8?", VALIDATE, 65536},
    {"a copy of 64 KiB that is UTF-8", BOTH, 65536},
    {"memcpy of 8,000 bytes", COPY, 8000},
};

#define LEAST_BYTES 100000000u /* a round */

static double time_least(enum work work, size_t size)
{
    static uint8_t from[1 << 16], to[1 << 16];
    unsigned count = LEAST_BYTES / (unsigned)size;
    double start = now();
    for (unsigned i = 0; i < count; i++) {
        bool valid = true;
        if (work == COPY)
            memcpy(to, from, size);
        else if (work == VALIDATE)
            valid = utf8_valid((struct bytes){from, size});
        else
            valid = utf8_copy((struct bytes){from, size}, to);
        __asm__ volatile("" ::"r"(to), "r"(from), "r"(valid) : "memory");
    }
    return (now() - start) / count;
}

static void print_least(void)
{
    for (size_t row = 0; row < sizeof least / sizeof least[0]; row++) {
        double times[ROUNDS];
        for (unsigned round = 0; round < ROUNDS; round++)
            times[round] = time_least(least[row].work, least[row].size);
        qsort(times, ROUNDS, sizeof(double), by_size);
        printf("%-40s %10.1f %10.1f\n", least[row].what, times[ROUNDS / 2], times[0]);
    }
}

int main(int argc, char **argv)
{
    static double times[ROWS][ROUNDS];
    struct stat stat;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &stat))
        fail("usage", "calls FILE.wasm");
    uint8_t *at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        fail(argv[1], "cannot be read");
    struct bench bench = open_bench((struct bytes){at, (size_t)stat.st_size});
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t row = 0; row < ROWS; row++)
            times[row][round] = time_row(&bench, row);
    for (size_t row = 0; row < ROWS; row++)
        qsort(times[row], ROUNDS, sizeof(double), by_size);
    double loop = times[0][ROUNDS / 2];
    double own = times[1][ROUNDS / 2] - loop;
    printf("%-40s %10s %10s %10s\n", "ns of processor time", "a call", "least", "over own");
    for (size_t row = 0; row < ROWS; row++) {
        double taken = row ? loop : 0;
        double median = times[row][ROUNDS / 2] - taken;
        printf("%-40s %10.1f %10.1f %10.1f\n", rows[row].what, median, times[row][0] - taken,
               median - own);
    }
    print_least();
    return 0;
}
