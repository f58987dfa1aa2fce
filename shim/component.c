/* Copying a component into a sealed memory file, through a buffer that stays in the processor's
 * cache: no page of the copy is ever mapped here. */
#include "shim/component.h"
#include "shim/advice.h"
#include "shim/cleanup.h"
#include "shim/folder.h"
#include "shim/host.h"
#include "shim/walls.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* The plain functions: OpenSSL's newer ones look their algorithms up at run time. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

/* Linux 6.3; Debian's headers are older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

#define CHUNK              131072
#define PAGE               4096
#define SIZE_MAX_COMPONENT (UINT64_C(1) << 30)

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Not executable where the kernel knows how; older kernels do not know the flag. */
static int make_memory(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int memory = memfd_create("component", flags | MFD_NOEXEC_SEAL);
    return memory < 0 && errno == EINVAL ? memfd_create("component", flags) : memory;
}

int component_write(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

/* What to do about a name of which there is no file, by its form alone. */
static const char *advice_on_name(const char *path)
{
    if (strstr(path, "://"))
        return ": carrel fetches nothing: fetch it, and name the file";
    if (strcmp(path, "-") == 0)
        return ": write /dev/stdin for standard input";
    return ": correct the name";
}

static int cannot_open(const char *path, int error, struct err *err)
{
    const char *advice = advice_on(error);
    return err_set(err, *advice ? ERR_FAULT : ERR_ABSENT, ERR_NOWHERE, "cannot be opened: %s%s",
                   strerror(error),
                   *advice                               ? advice
                   : error == ENOENT || error == ENOTDIR ? advice_on_name(path)
                                                         : ": name a file that you may read");
}

static int cannot_read(int error, struct err *err)
{
    return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot be read: %s%s", strerror(error),
                   ": check the disk that it is on");
}

/* The copy counts as a file that is written. */
static int cannot_copy(int error, struct err *err)
{
    uint64_t most = host_limit(RLIMIT_FSIZE);
    if (error == EFBIG && most < UINT64_MAX)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot be copied: files may have %llu bytes here: raise that limit "
                       "(ulimit -f)",
                       (unsigned long long)most);
    return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot be copied: %s: free some memory",
                   strerror(error));
}

/* A copy in the making. */
struct copying {
    struct component *component;
    SHA256_CTX hash;
};

static int take_bytes(void *data, const void *bytes, size_t size, struct err *err)
{
    struct copying *copying = data;
    copying->component->size += (uint64_t)size;
    if (copying->component->size > SIZE_MAX_COMPONENT)
        return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                       "it is larger than %llu bytes: make it smaller, for example with "
                       "wasm-opt -Oz",
                       (unsigned long long)SIZE_MAX_COMPONENT);
    SHA256_Update(&copying->hash, bytes, size);
    return component_write(copying->component->memory, bytes, size) ? cannot_copy(errno, err) : 0;
}

/* What is small is read without a wait before each part: its bytes, its end. A pipe that has
 * nothing yet, or that nobody has opened for writing yet, is waited for. */
static int copy_all(int file, component_wait *wait, void *data, struct copying *copying,
                    struct err *err)
{
    static _Alignas(PAGE) char chunk[CHUNK];
    const uint64_t *copied = &copying->component->size;
    for (bool waits = !wait;; waits = *copied > CHUNK || waits) {
        if (wait && waits && wait(data, file, err))
            return -1;
        ssize_t size = read(file, chunk, sizeof chunk);
        bool nothing = size == 0 && *copied == 0 && !waits;
        if (nothing || (size < 0 && (errno == EINTR || errno == EAGAIN))) {
            waits = true;
            continue;
        }
        if (size < 0 && errno == EISDIR)
            return folder_pack(file, take_bytes, copying, err);
        if (size < 0)
            return cannot_read(errno, err);
        if (size == 0)
            return 0;
        if (take_bytes(copying, chunk, (size_t)size, err))
            return -1;
    }
}

static int copy(int file, component_wait *wait, void *data, struct component *component,
                struct err *err)
{
    struct copying copying = {.component = component};
    SHA256_Init(&copying.hash);
    if (copy_all(file, wait, data, &copying, err))
        return -1;
    SHA256_Final(component->digest, &copying.hash);
    return 0;
}

int component_copy(const char *path, component_wait *wait, void *data, struct component *ret,
                   struct err *err)
{
    /* Opening a pipe otherwise waits for its writer, and nothing could end that. The description is
     * new, so this says nothing to anybody else who has the file open. */
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return cannot_open(path, errno, err);
    struct component component = {.memory = make_memory(), .name = path};
    if (component.memory < 0)
        return walls_refuse(WALL_SEALED_COMPONENT, "memfd_create", errno, err);
    if (copy(file, wait, data, &component, err)) {
        component_close(&component);
        return -1;
    }
    if (fcntl(component.memory, F_ADD_SEALS, SEALS)) {
        walls_refuse(WALL_SEALED_COMPONENT, "F_ADD_SEALS", errno, err);
        component_close(&component);
        return -1;
    }
    *ret = component;
    return 0;
}

int component_check(const struct component *component, struct err *err)
{
    int seals = fcntl(component->memory, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return walls_refuse(WALL_SEALED_COMPONENT, "F_GET_SEALS", seals < 0 ? errno : EPERM, err);
    return 0;
}

void component_close(struct component *component)
{
    if (component->memory >= 0)
        close(take_fd(&component->memory));
}
