/* The demand cache; see demand_cache.h. An entry is written without a name and then linked to its
 * place, so that nobody reads half of one. */
#include "shim/demand_cache.h"

#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The plain functions: OpenSSL's newer ones look their algorithms up at run time. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#define PLACE_SIZE 512

/* What an entry is about, and its answer's size. The answer follows. */
struct entry {
    char magic[8];
    uint8_t digest[DIGEST_SIZE]; /* of the component */
    uint64_t engine[5];          /* device, inode, size, changes of content and of the inode */
    uint64_t tables;             /* of the rows that an answer numbers: a hash, by the Makefile */
    uint64_t size;
    uint8_t sum[SHA256_DIGEST_LENGTH]; /* of all the above, and of the answer */
};

static const char magic[8] = "demand2";

/* Of the directory: /var/cache/carrel, or carrel in the user's own place for such things. */
static bool find_place(uid_t uid, char ret[PLACE_SIZE])
{
    const char *given = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int size = -1;
    if (uid == 0)
        size = snprintf(ret, PLACE_SIZE, "/var/cache/carrel");
    else if (given && given[0] == '/')
        size = snprintf(ret, PLACE_SIZE, "%s/carrel", given);
    else if (home && home[0] == '/')
        size = snprintf(ret, PLACE_SIZE, "%s/.cache/carrel", home);
    return size > 0 && size < PLACE_SIZE;
}

static bool belongs_to(uid_t uid, int fd, mode_t type)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type && status.st_uid == uid &&
           !(status.st_mode & 077);
}

static int open_place(uid_t uid)
{
    char place[PLACE_SIZE];
    cleanup_close int directory =
        find_place(uid, place) ? open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    return directory >= 0 && belongs_to(uid, directory, S_IFDIR) ? take_fd(&directory) : -1;
}

/* Makes the directory, and the one above it, which an ordinary user may not have yet. */
static void make_place(uid_t uid)
{
    char place[PLACE_SIZE];
    if (!find_place(uid, place) || mkdir(place, 0700) == 0 || errno != ENOENT)
        return;
    char *slash = strrchr(place, '/');
    *slash = '\0';
    mkdir(place, 0700);
    *slash = '/';
    mkdir(place, 0700);
}

/* One of DEMAND_CACHE_ENTRIES names. */
static void name_of(const uint8_t digest[DIGEST_SIZE], char ret[8])
{
    snprintf(ret, 8, "%03x", (digest[0] | digest[1] << 8) % DEMAND_CACHE_ENTRIES);
}

/* All of the entry but its size and its sum. */
static bool begin(const uint8_t digest[DIGEST_SIZE], const char *engine, struct entry *ret)
{
    struct stat status;
    if (stat(engine, &status))
        return false;
    memset(ret, 0, sizeof *ret);
    memcpy(ret->magic, magic, sizeof magic);
    memcpy(ret->digest, digest, DIGEST_SIZE);
    ret->engine[0] = status.st_dev;
    ret->engine[1] = status.st_ino;
    ret->engine[2] = (uint64_t)status.st_size;
    ret->engine[3] =
        (uint64_t)status.st_mtim.tv_sec * 1000000000 + (uint64_t)status.st_mtim.tv_nsec;
    ret->engine[4] =
        (uint64_t)status.st_ctim.tv_sec * 1000000000 + (uint64_t)status.st_ctim.tv_nsec;
    ret->tables = CARREL_TABLES;
    return true;
}

static void sum_up(const struct entry *entry, const uint8_t *answer,
                   uint8_t ret[SHA256_DIGEST_LENGTH])
{
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Update(&hash, entry, offsetof(struct entry, sum));
    SHA256_Update(&hash, answer, entry->size);
    SHA256_Final(ret, &hash);
}

bool demand_cache_get(const uint8_t digest[DIGEST_SIZE], const char *engine, struct demand *ret)
{
    /* Not on the stack, of which every page would be touched. */
    static struct {
        struct entry entry;
        uint8_t answer[DEMAND_ANSWER_MAX + 1]; /* one more, to see that there is no more */
    } read_in;
    struct entry wanted;
    char name[8];
    uint8_t sum[SHA256_DIGEST_LENGTH];
    name_of(digest, name);
    uid_t uid = geteuid();
    cleanup_close int directory = open_place(uid);
    cleanup_close int file =
        directory < 0 ? -1
                      : openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || !belongs_to(uid, file, S_IFREG) || !begin(digest, engine, &wanted))
        return false;
    ssize_t size = read(file, &read_in, sizeof read_in);
    if (size < (ssize_t)sizeof wanted)
        return false;
    wanted.size = (uint64_t)size - sizeof wanted;
    if (wanted.size > DEMAND_ANSWER_MAX ||
        memcmp(&read_in.entry, &wanted, offsetof(struct entry, sum)) != 0)
        return false;
    sum_up(&wanted, read_in.answer, sum);
    if (memcmp(read_in.entry.sum, sum, sizeof sum) != 0)
        return false;
    struct err err = {0};
    return demand_parse((struct bytes){read_in.answer, wanted.size}, ret, &err) == 0;
}

/* The bytes of names as they were answered. */
static size_t names_size(const struct demand *demand)
{
    if (demand->name_count == 0)
        return 0;
    struct str last = demand->names[demand->name_count - 1].text;
    return (size_t)(last.at + last.len - demand->bytes);
}

static bool write_whole(int file, const struct entry *entry, const uint8_t *answer)
{
    return write(file, entry, sizeof *entry) == (ssize_t)sizeof *entry &&
           write(file, answer, entry->size) == (ssize_t)entry->size;
}

void demand_cache_put(const uint8_t digest[DIGEST_SIZE], const char *engine,
                      const struct demand *demand)
{
    struct entry entry;
    uint8_t answer[DEMAND_ANSWER_MAX];
    char name[8], unnamed[32];
    size_t names = names_size(demand);
    if (!begin(digest, engine, &entry) || names > sizeof answer - sizeof demand->head)
        return;
    entry.size = sizeof demand->head + names;
    memcpy(answer, &demand->head, sizeof demand->head);
    memcpy(answer + sizeof demand->head, demand->bytes, names);
    sum_up(&entry, answer, entry.sum);
    uid_t uid = geteuid();
    make_place(uid);
    cleanup_close int directory = open_place(uid);
    if (directory < 0)
        return;
    name_of(digest, name);
    /* Without a name until it is whole: whoever is killed here leaves nothing. A file system that
     * has no such files has no cache. */
    cleanup_close int file = openat(directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (file < 0 || !write_whole(file, &entry, answer))
        return;
    snprintf(unnamed, sizeof unnamed, "/proc/self/fd/%d", file);
    /* Whether it gets its name or not: a cache may be without an entry. */
    bool named = linkat(AT_FDCWD, unnamed, directory, name, AT_SYMLINK_FOLLOW) == 0;
    if (!named && errno == EEXIST && unlinkat(directory, name, 0) == 0)
        named = linkat(AT_FDCWD, unnamed, directory, name, AT_SYMLINK_FOLLOW) == 0;
    (void)named;
}
