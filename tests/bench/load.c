/* How long components take to load, and what they can reach: for each file the time that its core
 * modules alone take; that reading the whole component takes; with its demand, as the cell that
 * runs it reads it to link to a trap what is out of reach (`known`); and that with what a reader
 * does before, which goes over the code for its demand alone (`unknown`). Then how many of the
 * functions and drops that it imports are reachable. Processor time, medians of several rounds.
 * `-v` names what is dead. */
#include "engine/component/demand.h"
#include "engine/wasm/notes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS      7
#define REGION_SIZE ((size_t)1 << 33)

static struct region image, scratch;
static bool verbose;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times)
{
    qsort(times, ROUNDS, sizeof *times, by_size);
    return times[ROUNDS / 2];
}

/* Memory that was touched stays, so that no round pays for pages but the first. */
static void reset(struct region *region)
{
    memset(region->base, 0, (size_t)(region->top - region->base));
    region->at = region->top = region->base;
}

struct count {
    unsigned imported;
    unsigned reachable;
};

static void note(void *data, const struct cm_demand *demand)
{
    struct count *count = data;
    count->imported++;
    count->reachable += demand->reachable;
    if (verbose && !demand->reachable)
        printf("    dead: " STR_FMT "%s" STR_FMT "%s\n", STR_ARG(demand->interface),
               demand->interface.len ? "#" : "", STR_ARG(demand->name),
               demand->drop ? " (drop)" : "");
}

static void ignore(void *data, const struct cm_demand *demand)
{
    (void)data;
    (void)demand;
}

static const struct component *read_component(struct bytes bytes, enum module_care care,
                                              double *ret_time)
{
    struct err err = {0};
    reset(&image);
    reset(&scratch);
    double start = now();
    struct cm_types *types = cm_types_new(&image, types_new(&image));
    types->noted = care == CARE_NOTE;
    const struct component *component = (care == CARE_SCAN ? component_scan : component_read)(
        bytes, bytes.at, types, &scratch, &err);
    if (!component)
        fprintf(stderr, "%s at %#llx: %s\n", err_word(err.kind), (unsigned long long)err.offset,
                err.text);
    *ret_time = now() - start;
    return component;
}

/* The same, and finds out what it can reach. */
static const struct component *read_demand(struct bytes bytes, enum module_care care,
                                           double *ret_time)
{
    const struct component *component = read_component(bytes, care, ret_time);
    double start = now();
    cm_demand(component, &scratch, ignore, NULL);
    *ret_time += now() - start;
    return component;
}

static size_t list_modules(const struct component *component, struct bytes *to, size_t room)
{
    size_t count = 0;
    for (uint32_t i = 0; i < component->ndefs; i++) {
        const struct cm_def *def = &component->defs[i];
        if (def->kind == DEF_MODULE && count < room)
            to[count++] = def->module->module->bytes;
        else if (def->kind == DEF_COMPONENT)
            count += list_modules(def->component, to + count, room - count);
    }
    return count;
}

static double time_modules(const struct bytes *modules, size_t count)
{
    struct err err = {0};
    reset(&image);
    reset(&scratch);
    double start = now();
    struct types *types = types_new(&image);
    for (size_t i = 0; i < count; i++)
        module_read(modules[i], modules[i].at, types, &image, &scratch, &err);
    return now() - start;
}

static int measure(const char *path)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat))
        return perror(path), 1;
    const uint8_t *at =
        mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return perror(path), 1;
    struct bytes bytes = {at, (size_t)stat.st_size};
    if (!component_is(bytes))
        return 0;
    double alone[ROUNDS], whole[ROUNDS], known[ROUNDS], reader[ROUNDS];
    struct bytes modules[100];
    size_t nmodules = 0;
    const struct component *component = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        component = read_component(bytes, CARE_VALIDATE, &whole[i]);
        if (!component)
            return 1;
        if (!i)
            nmodules = list_modules(component, modules, 100);
        alone[i] = time_modules(modules, nmodules);
        read_demand(bytes, CARE_SCAN, &reader[i]);
        component = read_demand(bytes, CARE_NOTE, &known[i]);
    }
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (verbose)
        printf("%s\n", name);
    struct count count = {0};
    cm_demand(component, &scratch, note, &count);
    double own = median(alone);
    double plain = median(whole);
    double run = median(known);
    double both = run + median(reader);
    printf(
        "%-28s %9zu bytes  modules %8.3f ms  component %8.3f (%.2f)  known %8.3f (%.2f)  unknown "
        "%8.3f (%.2f)  imported %3u  reachable %3u\n",
        name, bytes.len, own, plain, plain / own, run, run / own, both, both / own, count.imported,
        count.reachable);
    munmap((void *)(uintptr_t)at, bytes.len);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        void *at = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            return perror("mmap"), 1;
        *(i ? &scratch : &image) = region_of(at, REGION_SIZE);
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = true;
        else
            failed |= measure(argv[i]);
    }
    return failed;
}
