/* Reads modules, or components, cut short and damaged:
 *
 *   mutate [-n MUTATIONS] [-p PREFIXES] [-s SEED] FILE...
 *
 * Each file is read as it is, cut at every place (at PREFIXES places, if it is longer), and with a
 * few bytes changed, MUTATIONS times. Nothing may crash; made for builds with sanitizers. The
 * digest over all verdicts is the same for every build that validates alike, whatever it is
 * compiled with. Ends with `N passed, N failed`. */
#include "tests/fuzz/mutate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGION_SIZE ((size_t)1 << 32)

static struct region image;
static struct region scratch;
static uint64_t digest = UINT64_C(0xcbf29ce484222325);
static unsigned long reads;
static unsigned long refusals;

static struct region reserve(void)
{
    void *at = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(125);
    }
    return region_of(at, REGION_SIZE);
}

static void mix(const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        digest = (digest ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
}

/* Reads a copy of just this size, so that a sanitizer sees every step over the end. */
static void read_once(const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, at, len);
    region_release(&image, image.base);
    struct err err = {0};
    mutate_read((struct bytes){copy, len}, &image, &scratch, &err);
    mix(&err.kind, sizeof err.kind);
    mix(&err.offset, sizeof err.offset);
    mix(err.text, strlen(err.text));
    reads++;
    refusals += err.kind != ERR_NONE;
    free(copy);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Changes one to eight bytes, half of the time to values that mean something often. */
static void damage(uint8_t *at, size_t len, uint64_t *seed)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x40, 0x0b, 0x60,
                                      0x70, 0x64, 0x63, 0x6e, 0xfb, 0xfc, 0xfd, 0xfe};
    uint64_t count = 1 + random_next(seed) % 8;
    while (count-- > 0) {
        uint8_t *byte = &at[random_next(seed) % len];
        uint64_t choice = random_next(seed);
        if (choice & 1)
            *byte = telling[choice >> 8 & 15];
        else if (choice & 2)
            *byte ^= (uint8_t)(1u << (choice >> 8 & 7));
        else
            *byte = (uint8_t)(choice >> 8);
    }
}

static uint8_t *load(const char *path, size_t *ret_len)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    *ret_len = file && fstat(fileno(file), &status) == 0 ? (size_t)status.st_size : 0;
    uint8_t *at = malloc(*ret_len ? *ret_len : 1);
    if (!file || !at || fread(at, 1, *ret_len, file) != *ret_len) {
        fprintf(stderr, "mutate: cannot read %s\n", path);
        exit(127);
    }
    (void)fclose(file);
    return at;
}

static void work(const char *path, unsigned long prefixes, unsigned long mutations, uint64_t seed)
{
    size_t len;
    uint8_t *whole = load(path, &len);
    uint8_t *damaged = malloc(len ? len : 1);
    if (!damaged)
        abort();
    read_once(whole, len);
    size_t step = prefixes && len > prefixes ? len / prefixes : 1;
    for (size_t cut = 0; cut < len && prefixes; cut += step)
        read_once(whole, cut);
    for (unsigned long i = 0; i < mutations && len; i++) {
        memcpy(damaged, whole, len);
        damage(damaged, len, &seed);
        read_once(damaged, len);
    }
    free(damaged);
    free(whole);
}

int main(int argc, char **argv)
{
    unsigned long prefixes = 5000;
    unsigned long mutations = 1000;
    uint64_t seed = 1;
    for (int option; (option = getopt(argc, argv, "n:p:s:")) != -1;) {
        switch (option) {
        case 'n': mutations = strtoul(optarg, NULL, 10); break;
        case 'p': prefixes = strtoul(optarg, NULL, 10); break;
        case 's': seed = strtoull(optarg, NULL, 10) | 1; break;
        default: return 125;
        }
    }
    image = reserve();
    scratch = reserve();
    for (int i = optind; i < argc; i++)
        work(argv[i], prefixes, mutations, seed * 2654435761u + (uint64_t)i);
    printf("%lu reads, %lu refused, digest %016" PRIx64 "\n", reads, refusals, digest);
    printf("%lu passed, 0 failed\n", reads);
    return 0;
}
