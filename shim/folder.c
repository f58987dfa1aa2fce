/* Packing a folder of WIT text; see folder.h. Whoever made the folder may be hostile: every name is
 * opened below it, without links out of it, and has to be a regular file. */
#include "shim/folder.h"

#include "shim/cleanup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 65536
#define BLOCK 512 /* of the archive */

struct packing {
    int folder;
    folder_put *put;
    void *data;
    size_t files;
};

/* --- Names -------------------------------------------------------------------------------------
 */

struct names {
    char **at; /* paths below the folder */
    size_t count;
};

static void cleanup_names_of(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
}

#define cleanup_names __attribute__((cleanup(cleanup_names_of)))

static int no_memory(struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "out of memory for the folder: close something and try again");
}

static int too_many(struct err *err)
{
    return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                   "more than %d files of WIT text in one folder: name one of them alone",
                   FOLDER_FILES);
}

/* Adds "FOLDER/NAME", or NAME alone if `folder` is empty. */
static int add_name(struct names *names, const char *folder, const char *name, struct err *err)
{
    if (names->count == FOLDER_FILES)
        return too_many(err);
    char **grown = reallocarray(names->at, names->count + 1, sizeof *grown);
    if (!grown)
        return no_memory(err);
    names->at = grown;
    if (asprintf(&grown[names->count], "%s%s%s", folder, *folder ? "/" : "", name) < 0)
        return no_memory(err);
    names->count++;
    return 0;
}

static bool is_wit(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".wit") == 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- Opening -----------------------------------------------------------------------------------
 */

static int open_below(const struct packing *p, const char *path, unsigned flags)
{
    struct open_how how = {
        .flags = flags | O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, p->folder, path, &how, sizeof how);
}

static int cannot_open(const char *path, int error, struct err *err)
{
    return err_set(
        err, ERR_ABSENT, ERR_NOWHERE, "%.120s in it cannot be opened: %s%s", path, strerror(error),
        error == EXDEV || error == ELOOP ? ": it is a link out of the folder: put a copy "
                                           "in its place"
                                         : ": put a file there that you may read");
}

/* Adds what is in the folder `path` ("" for the whole one): its files of WIT text and, if asked
 * for, its folders. A folder that is not there has nothing in it. */
static int list(const struct packing *p, const char *path, struct names *files,
                struct names *folders, struct err *err)
{
    int fd = open_below(p, *path ? path : ".", O_DIRECTORY);
    if (fd < 0)
        return errno == ENOENT ? 0 : cannot_open(path, errno, err);
    DIR *open = fdopendir(fd);
    if (!open) {
        close(fd);
        return no_memory(err);
    }
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(open));) {
        struct stat status;
        if (is_wit(entry->d_name))
            failed = add_name(files, path, entry->d_name, err);
        else if (folders && entry->d_name[0] != '.' &&
                 fstatat(dirfd(open), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode))
            failed = add_name(folders, path, entry->d_name, err);
    }
    closedir(open);
    return failed;
}

/* --- The archive -------------------------------------------------------------------------------
 */

/* The head of a file in the archive. False if its name does not fit. */
static bool make_head(const char *path, uint64_t size, char head[BLOCK])
{
    enum { NAME = 0, NAME_SIZE = 100, MODE = 100, UID = 108, GID = 116, SIZE = 124, TIME = 136 };
    enum { SUM = 148, SUM_SIZE = 8, KIND = 156, MAGIC = 257, PREFIX = 345, PREFIX_SIZE = 155 };
    const char *name = path;
    memset(head, 0, BLOCK);
    if (strlen(path) > NAME_SIZE) {
        name = strrchr(path, '/');
        size_t before = name ? (size_t)(name - path) : 0;
        if (!name || before > PREFIX_SIZE || strlen(name + 1) > NAME_SIZE)
            return false;
        name++;
        memcpy(head + PREFIX, path, before);
    }
    memcpy(head + NAME, name, strlen(name));
    snprintf(head + MODE, 8, "%07o", 0644);
    snprintf(head + UID, 8, "%07o", 0);
    snprintf(head + GID, 8, "%07o", 0);
    snprintf(head + SIZE, 12, "%011llo", (unsigned long long)size);
    snprintf(head + TIME, 12, "%011o", 0);
    head[KIND] = '0';
    memcpy(head + MAGIC, "ustar\00000", 8);
    memset(head + SUM, ' ', SUM_SIZE);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)head[i];
    snprintf(head + SUM, SUM_SIZE - 1, "%06o", sum);
    return true;
}

static int put_bytes(const struct packing *p, int file, const char *path, uint64_t size,
                     struct err *err)
{
    static char chunk[CHUNK];
    static const char zeros[BLOCK];
    uint64_t left = size;
    while (left > 0) {
        ssize_t got = read(file, chunk, left < CHUNK ? (size_t)left : CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cannot_open(path, errno, err);
        if (got == 0)
            return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                           "%.120s in it became smaller while it was read: try again", path);
        if (p->put(p->data, chunk, (size_t)got, err))
            return -1;
        left -= (uint64_t)got;
    }
    size_t rest = (size_t)(-size % BLOCK);
    return rest ? p->put(p->data, zeros, rest, err) : 0;
}

static int put_file(struct packing *p, const char *path, struct err *err)
{
    char head[BLOCK];
    struct stat status;
    cleanup_close int file = open_below(p, path, 0);
    if (file < 0 || fstat(file, &status))
        return cannot_open(path, errno, err);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "%.120s in it is no regular file: put WIT text there, or call it otherwise",
                       path);
    if (!make_head(path, (uint64_t)status.st_size, head))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE, "%.120s... in it: make the name shorter",
                       path);
    if (p->files++ == FOLDER_FILES)
        return too_many(err);
    return p->put(p->data, head, BLOCK, err) ||
                   put_bytes(p, file, path, (uint64_t)status.st_size, err)
               ? -1
               : 0;
}

static int put_files(struct packing *p, const struct names *names, struct err *err)
{
    if (names->count)
        qsort(names->at, names->count, sizeof *names->at, by_bytes);
    for (size_t i = 0; i < names->count; i++)
        if (put_file(p, names->at[i], err))
            return -1;
    return 0;
}

int folder_pack(int folder, folder_put *put, void *data, struct err *err)
{
    static const char end[2 * BLOCK];
    struct packing p = {.folder = folder, .put = put, .data = data};
    cleanup_names struct names files = {0};
    cleanup_names struct names needed = {0};
    cleanup_names struct names folders = {0};
    if (list(&p, "", &files, NULL, err))
        return -1;
    if (files.count == 0)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "a directory without WIT text (*.wit): name a component in it");
    if (put_files(&p, &files, err) || list(&p, "deps", &needed, &folders, err) ||
        put_files(&p, &needed, err))
        return -1;
    if (folders.count)
        qsort(folders.at, folders.count, sizeof *folders.at, by_bytes);
    for (size_t i = 0; i < folders.count; i++) {
        cleanup_names struct names within = {0};
        if (list(&p, folders.at[i], &within, NULL, err) || put_files(&p, &within, err))
            return -1;
    }
    return put(data, end, sizeof end, err);
}
