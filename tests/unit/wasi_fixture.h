/* A cell's host state for tests of engine/wasi: a store, pipes for the standard streams, and a
 * directory of its own that is granted. Host functions are called as the component layer calls
 * them, and waited for as the main loop waits. */
#ifndef CARREL_TESTS_UNIT_WASI_FIXTURE_H
#define CARREL_TESTS_UNIT_WASI_FIXTURE_H

#include "engine/component/scratch.h"
#include "engine/wasi/descriptor.h"
#include "engine/wasi/errors.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIXTURE_IMAGE (UINT64_C(1) << 20)
#define FIXTURE_ARENA (UINT64_C(256) << 20)

struct fixture {
    void *image_memory;
    void *arena_memory;
    struct region image;
    struct vm *vm;
    struct cm_store store; /* as far as memory for results needs it */
    struct wasi *wasi;
    struct descriptor *root; /* of the granted directory */
    int in;                  /* our end of standard input, output, error */
    int out;
    int err;
    char base[64]; /* holds "in", which is granted, and what is outside */
    char path[128];
    unsigned blocked; /* how often the last call had to wait */
};

static inline void *fixture_map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static inline void fixture_store(struct fixture *f)
{
    static const struct vm_limits limits = {.memory_bytes = 64 << 20,
                                            .table_elements = 1 << 20,
                                            .stack_bytes = 1 << 20,
                                            .heap_bytes = 128 << 20,
                                            .fuel = UINT64_MAX,
                                            .instances = 100,
                                            .memories = 100,
                                            .tables = 100};
    f->image_memory = fixture_map(FIXTURE_IMAGE);
    f->arena_memory = fixture_map(FIXTURE_ARENA);
    f->image = region_of(f->image_memory, FIXTURE_IMAGE);
    struct types *types = types_new(&f->image);
    assert_non_null(types);
    f->vm = vm_new(types, &f->image, f->arena_memory, FIXTURE_ARENA, &limits);
    assert_non_null(f->vm);
    f->store = (struct cm_store){.vm = f->vm};
}

/* What fixture_open grants; tests change it before. */
static inline struct wasi_config fixture_config(void)
{
    struct wasi_config config = {.clock = true, .random = true, .may_poll = true};
    for (int i = 0; i < 3; i++)
        config.streams[i].kind = WASI_STREAM;
    for (int i = 0; i < RANDOM_SEED; i++)
        config.seed[i] = (uint8_t)(i * 7 + 1);
    return config;
}

/* `directory` may be NULL: then the directory "in" is granted writable. */
static inline void fixture_open(struct fixture *f, struct wasi_config config,
                                const struct wasi_directory *directory)
{
    struct wasi_directory granted = {
        .fd = -1, .name = str_of("/"), .writable = true, .mutable = true};
    int pipes[3][2];
    struct err err = {0};
    signal(SIGPIPE, SIG_IGN);
    fixture_store(f);
    snprintf(f->base, sizeof f->base, "/tmp/carrel-wasi-XXXXXX");
    assert_non_null(mkdtemp(f->base));
    snprintf(f->path, sizeof f->path, "%s/in", f->base);
    assert_int_equal(mkdir(f->path, 0755), 0);
    granted.fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(granted.fd >= 0);
    if (directory) {
        int fd = granted.fd;
        granted = *directory;
        granted.fd = directory->fd >= 0 ? directory->fd : fd;
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
        if (!config.streams[i].fd)
            config.streams[i].fd = pipes[i][i == 0 ? 0 : 1];
    }
    f->in = pipes[0][1];
    f->out = pipes[1][0];
    f->err = pipes[2][0];
    config.directories = &granted;
    config.ndirectories = 1;
    f->wasi = wasi_new(vm_heap(f->vm), &config, &err);
    assert_non_null(f->wasi);
    f->root = f->wasi->preopens[0].descriptor;
}

static inline void fixture_close(struct fixture *f)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", f->base);
    assert_int_equal(system(command), 0);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    munmap(f->image_memory, FIXTURE_IMAGE);
    munmap(f->arena_memory, FIXTURE_ARENA);
}

/* One call of a host function, waiting as often as it wants to. Its memory stays. */
static inline enum host_answer fixture_call(struct fixture *f, host_fn *fn, const void *args,
                                            void *result)
{
    struct host_scratch scratch = {.store = &f->store};
    struct host_call call = {.vm = f->vm, .host = f->wasi, .scratch = &scratch};
    f->blocked = 0;
    for (;;) {
        enum host_answer answer = fn(&call, args, result);
        if (answer != HOST_BLOCKED)
            return answer;
        f->blocked++;
        call.resumed = true;
        assert_true(reactor_wait(&f->wasi->reactor));
        while (reactor_next(&f->wasi->reactor))
            continue;
    }
}

/* The same for functions that must not trap; `result` is a variable. */
#define DO(f, fn, args, result)                                                                    \
    do {                                                                                           \
        memset((result), 0, sizeof *(result));                                                     \
        assert_int_equal(fixture_call((f), (fn), (args), (result)), HOST_DONE);                    \
    } while (0)

/* --- Values in host layout
 * -----------------------------------------------------------------------*/

typedef HOST_RESULT(uint64_t, uint8_t) count_or_code;
typedef HOST_RESULT(void *, uint8_t) handle_or_code;
typedef HOST_RESULT(byte_list, struct stream_error) bytes_or_error;
typedef HOST_RESULT(uint64_t, struct stream_error) count_or_error;

struct unit_or_error {
    uint8_t tag;
    struct stream_error err;
};

struct code_result { /* result<_, error-code> */
    uint8_t tag;
    uint8_t err;
};

struct open_at {
    struct descriptor *self;
    uint8_t path_flags;
    struct str path;
    uint8_t open_flags;
    uint8_t flags;
};

enum { FOLLOW = 1 };
enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };

/* Opens; the error code as a negative number minus one on failure. */
static inline struct descriptor *fixture_try_open(struct fixture *f, const char *path, int follow,
                                                  int open_flags, int flags, int *ret_error)
{
    struct open_at args = {f->root, (uint8_t)follow, str_of(path), (uint8_t)open_flags,
                           (uint8_t)flags};
    handle_or_code result;
    DO(f, wasi_descriptor_open_at, &args, &result);
    *ret_error = result.tag == HOST_OK ? -1 : result.err;
    return result.tag == HOST_OK ? result.ok : NULL;
}

static inline struct descriptor *fixture_open_file(struct fixture *f, const char *path,
                                                   int open_flags, int flags)
{
    int error;
    struct descriptor *file = fixture_try_open(f, path, 0, open_flags, flags, &error);
    assert_int_equal(error, -1);
    return file;
}

static inline void fixture_drop(struct fixture *f, struct descriptor *descriptor)
{
    wasi_drop_descriptor(f->vm, f->wasi, descriptor);
}

/* Makes a file of the host below the fixture's base. */
static inline void fixture_write_file(struct fixture *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->base, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void fixture_symlink(struct fixture *f, const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->base, name);
    assert_int_equal(symlink(target, path), 0);
}

static inline void fixture_mkdir(struct fixture *f, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->base, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

#endif
