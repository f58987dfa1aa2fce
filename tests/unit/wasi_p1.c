/* Preview 1: its functions on a guest memory of the test's own, in both layouts. The WASI test
 * suite runs whole modules; here are the edges: addresses, rights, numbers, the older module. */
#include "engine/wasi/p1_call.h"
#include "tests/unit/wasi_fixture.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MEMORY 262144u

struct guest {
    struct fixture f;
    struct p1 *p1;
    struct linear_memory memory;
    bool unstable;
    unsigned blocked;
    uint64_t *locals; /* what a call keeps while it waits; NULL: when it started */
};

static void guest_open(struct guest *g, struct wasi_config config)
{
    memset(g, 0, sizeof *g);
    fixture_open(&g->f, config, NULL);
    g->p1 = p1_new(g->f.vm, g->f.wasi);
    assert_non_null(g->p1);
    g->memory.span.at = fixture_map(MEMORY);
    g->memory.span.size = MEMORY;
}

static void guest_close(struct guest *g)
{
    munmap(g->memory.span.at, MEMORY);
    fixture_close(&g->f);
}

/* One call, waiting as often as it wants to; 64-bit arguments are passed as such. */
static uint16_t call_p1(struct guest *g, p1_fn *fn, unsigned count, ...)
{
    uint64_t started[2] = {sys_now(), p1_timestamp(sys_real_time())}; /* for poll_oneoff */
    struct native frame = {.locals = g->locals ? g->locals : started};
    union slot args[10];
    va_list list;
    memset(args, 0, sizeof args);
    va_start(list, count);
    for (unsigned i = 0; i < count; i++)
        args[i].u64 = va_arg(list, uint64_t);
    va_end(list);
    struct p1_call call = {.p1 = g->p1,
                           .wasi = g->f.wasi,
                           .args = args,
                           .memory = &g->memory,
                           .frame = &frame,
                           .unstable = g->unstable};
    g->blocked = 0;
    for (;;) {
        uint16_t answer = fn(&call);
        if (answer != P1_BLOCKED)
            return answer;
        g->blocked++;
        assert_true(reactor_wait(&g->f.wasi->reactor));
        while (reactor_next(&g->f.wasi->reactor))
            continue;
    }
}

#define A(x)                ((uint64_t)(x))
#define P1(g, name, n, ...) call_p1((g), p1_##name, (n), __VA_ARGS__)

static uint32_t u32_at(const struct guest *g, uint32_t at)
{
    uint32_t value;
    memcpy(&value, g->memory.span.at + at, sizeof value);
    return value;
}

static uint64_t u64_at(const struct guest *g, uint32_t at)
{
    uint64_t value;
    memcpy(&value, g->memory.span.at + at, sizeof value);
    return value;
}

static void put(struct guest *g, uint32_t at, const void *from, size_t len)
{
    memcpy(g->memory.span.at + at, from, len);
}

static void put_u32(struct guest *g, uint32_t at, uint32_t value)
{
    put(g, at, &value, sizeof value);
}

/* Where tests put things. */
enum { RESULT = 16, PARTS = 64, PATH = 1024, PATH2 = 2048, DATA = 8192, BIG = 65536 };

#define ALL_RIGHTS ((UINT64_C(1) << 30) - 1)

static uint16_t open_path(struct guest *g, uint32_t dir, const char *path, unsigned open_flags,
                          uint64_t rights, unsigned fdflags, uint32_t *ret_fd)
{
    size_t len = strlen(path);
    put(g, PATH, path, len);
    uint16_t error = P1(g, path_open, 9, A(dir), A(1), A(PATH), A(len), A(open_flags), rights, A(0),
                        A(fdflags), A(RESULT));
    *ret_fd = u32_at(g, RESULT);
    return error;
}

static const uint64_t file_rights = RIGHT(FD_READ) | RIGHT(FD_WRITE) | RIGHT(FD_SEEK) |
                                    RIGHT(FD_TELL) | RIGHT(FD_FILESTAT_GET) |
                                    RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_ALLOCATE) |
                                    RIGHT(FD_FILESTAT_SET_SIZE) | RIGHT(POLL_FD_READWRITE);

/* Describes one part of a transfer. */
static void part(struct guest *g, unsigned index, uint32_t at, uint32_t len)
{
    put_u32(g, PARTS + index * 8, at);
    put_u32(g, PARTS + index * 8 + 4, len);
}

static uint16_t write_text(struct guest *g, uint32_t fd, const char *text)
{
    put(g, DATA, text, strlen(text));
    part(g, 0, DATA, (uint32_t)strlen(text));
    return P1(g, fd_write, 4, A(fd), A(PARTS), A(1), A(RESULT));
}

/* ------------------------------------------------------------------------------------------------
 */

static void texts(void **state)
{
    static const struct str arguments[] = {{"prog", 4}, {"two", 3}};
    static const struct wasi_variable environment[] = {{{"A", 1}, {"bc", 2}}};
    struct guest g;
    (void)state;
    struct wasi_config config = fixture_config();
    config.arguments = arguments;
    config.narguments = 2;
    config.environment = environment;
    config.nenvironment = 1;
    guest_open(&g, config);
    assert_int_equal(P1(&g, args_sizes_get, 2, A(0), A(4)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, 0), 2);
    assert_int_equal(u32_at(&g, 4), 9);
    assert_int_equal(P1(&g, args_get, 2, A(PARTS), A(DATA)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, PARTS), DATA);
    assert_int_equal(u32_at(&g, PARTS + 4), DATA + 5);
    assert_memory_equal(g.memory.span.at + DATA, "prog\0two\0", 9);
    assert_int_equal(P1(&g, environ_sizes_get, 2, A(0), A(4)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, 4), 5);
    assert_int_equal(P1(&g, environ_get, 2, A(PARTS), A(DATA)), P1_SUCCESS);
    assert_memory_equal(g.memory.span.at + DATA, "A=bc\0", 5);
    /* The last byte of memory, and one more. */
    assert_int_equal(P1(&g, args_get, 2, A(PARTS), A(MEMORY - 9)), P1_SUCCESS);
    assert_int_equal(P1(&g, args_get, 2, A(PARTS), A(MEMORY - 8)), P1_FAULT);
    assert_int_equal(P1(&g, args_get, 2, A(MEMORY - 4), A(DATA)), P1_FAULT);
    assert_int_equal(P1(&g, args_get, 2, A(UINT32_MAX), A(UINT32_MAX)), P1_FAULT);
    assert_int_equal(P1(&g, args_sizes_get, 2, A(0), A(MEMORY)), P1_FAULT);
    guest_close(&g);
}

static void files(void **state)
{
    struct guest g;
    uint32_t fd;
    (void)state;
    guest_open(&g, fixture_config());
    assert_int_equal(open_path(&g, 3, "f", OPEN_CREATE, file_rights, 0, &fd), P1_SUCCESS);
    assert_int_equal(fd, 4); /* the lowest number that is free */
    assert_int_equal(write_text(&g, fd, "hello "), P1_SUCCESS);
    /* Several parts, an empty one among them. */
    put(&g, DATA, "world!", 6);
    part(&g, 0, DATA, 3);
    part(&g, 1, UINT32_MAX, 0);
    assert_int_equal(P1(&g, fd_write, 4, A(fd), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    part(&g, 0, DATA + 3, 3);
    part(&g, 1, 0, 0);
    assert_int_equal(P1(&g, fd_write, 4, A(fd), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_tell, 2, A(fd), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, RESULT), 12);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(-6), A(1), A(RESULT)), P1_SUCCESS);
    part(&g, 0, BIG, 2);
    part(&g, 1, BIG + 2, 100);
    assert_int_equal(P1(&g, fd_read, 4, A(fd), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 6);
    assert_memory_equal(g.memory.span.at + BIG, "world!", 6);
    assert_int_equal(P1(&g, fd_read, 4, A(fd), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 0);
    assert_int_equal(P1(&g, fd_pread, 5, A(fd), A(PARTS), A(2), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 10);
    /* Seeking: every base, before the start, beyond what there is. */
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(-2), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, RESULT), 10);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(-1), A(0), A(RESULT)), P1_INVAL);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(0), A(3), A(RESULT)), P1_INVAL);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(INT64_MAX), A(1), A(RESULT)), P1_INVAL);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(INT64_MAX), A(0), A(RESULT)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(0), A(0), A(MEMORY)), P1_FAULT);
    /* Parts that do not lie in memory, and too many. */
    part(&g, 0, MEMORY - 1, 2);
    assert_int_equal(P1(&g, fd_write, 4, A(fd), A(PARTS), A(1), A(RESULT)), P1_FAULT);
    assert_int_equal(P1(&g, fd_read, 4, A(fd), A(MEMORY - 4), A(1), A(RESULT)), P1_FAULT);
    assert_int_equal(P1(&g, fd_read, 4, A(fd), A(UINT32_MAX), A(UINT32_MAX), A(RESULT)), P1_INVAL);
    part(&g, 0, DATA, UINT32_MAX);
    assert_int_equal(P1(&g, fd_write, 4, A(fd), A(PARTS), A(1), A(RESULT)), P1_FAULT);
    /* Large ones go through in one call. */
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(0), A(0), A(RESULT)), P1_SUCCESS);
    part(&g, 0, BIG, MEMORY - BIG);
    assert_int_equal(P1(&g, fd_write, 4, A(fd), A(PARTS), A(1), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), MEMORY - BIG);
    assert_int_equal(P1(&g, fd_close, 1, A(fd)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_close, 1, A(fd)), P1_BADF);
    guest_close(&g);
}

static void appending(void **state)
{
    struct guest g;
    uint32_t fd;
    (void)state;
    guest_open(&g, fixture_config());
    fixture_write_file(&g.f, "in/log", "one\n");
    assert_int_equal(open_path(&g, 3, "log", 0, file_rights, FDFLAG_APPEND, &fd), P1_SUCCESS);
    assert_int_equal(write_text(&g, fd, "two\n"), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_tell, 2, A(fd), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, RESULT), 8); /* where the writing ended */
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(0), A(0), A(RESULT)), P1_SUCCESS);
    assert_int_equal(write_text(&g, fd, "three\n"), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_fdstat_set_flags, 2, A(fd), A(0)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(0), A(0), A(RESULT)), P1_SUCCESS);
    assert_int_equal(write_text(&g, fd, "ONE"), P1_SUCCESS);
    part(&g, 0, BIG, 100);
    assert_int_equal(P1(&g, fd_pread, 5, A(fd), A(PARTS), A(1), A(0), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 14);
    assert_memory_equal(g.memory.span.at + BIG, "ONE\ntwo\nthree\n", 14);
    assert_int_equal(P1(&g, fd_fdstat_set_flags, 2, A(fd), A(FDFLAG_SYNC)), P1_NOTSUP);
    assert_int_equal(P1(&g, fd_fdstat_set_flags, 2, A(fd), A(32)), P1_INVAL);
    assert_int_equal(P1(&g, fd_allocate, 3, A(fd), A(0), A(100)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_filestat_get, 2, A(fd), A(DATA)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, DATA + 32), 100);
    assert_int_equal(P1(&g, fd_filestat_set_size, 2, A(fd), A(3)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_filestat_get, 2, A(fd), A(DATA)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, DATA + 32), 3);
    guest_close(&g);
}

/* Rights only shrink; what is missing is said; numbers are reused from the lowest. */
static void rights_and_numbers(void **state)
{
    struct guest g;
    uint32_t fd[4];
    (void)state;
    guest_open(&g, fixture_config());
    fixture_write_file(&g.f, "in/f", "text");
    assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[0]), P1_SUCCESS);
    assert_int_equal(write_text(&g, fd[0], "x"), P1_NOTCAPABLE);
    assert_int_equal(P1(&g, fd_tell, 2, A(fd[0]), A(RESULT)), P1_NOTCAPABLE);
    assert_int_equal(
        P1(&g, fd_fdstat_set_rights, 3, A(fd[0]), RIGHT(FD_READ) | RIGHT(FD_WRITE), A(0)),
        P1_NOTCAPABLE);
    assert_int_equal(P1(&g, fd_fdstat_set_rights, 3, A(fd[0]), A(0), A(0)), P1_SUCCESS);
    part(&g, 0, BIG, 4);
    assert_int_equal(P1(&g, fd_read, 4, A(fd[0]), A(PARTS), A(1), A(RESULT)), P1_NOTCAPABLE);
    assert_int_equal(P1(&g, fd_fdstat_get, 2, A(fd[0]), A(DATA)), P1_SUCCESS);
    assert_int_equal(g.memory.span.at[DATA], 4);
    assert_int_equal(u64_at(&g, DATA + 8), 0);
    /* A directory without the right to make files. */
    assert_int_equal(P1(&g, fd_fdstat_set_rights, 3, A(3), RIGHT(PATH_OPEN), file_rights),
                     P1_SUCCESS);
    assert_int_equal(open_path(&g, 3, "new", OPEN_CREATE, RIGHT(FD_READ), 0, &fd[1]),
                     P1_NOTCAPABLE);
    assert_int_equal(open_path(&g, 3, "f", OPEN_TRUNCATE, RIGHT(FD_READ), 0, &fd[1]),
                     P1_NOTCAPABLE);
    assert_int_equal(open_path(&g, 3, "f", 0, ALL_RIGHTS, 0, &fd[1]), P1_NOTCAPABLE);
    assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[1]), P1_SUCCESS);
    assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[2]), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_close, 1, A(fd[0])), P1_SUCCESS);
    assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[3]), P1_SUCCESS);
    assert_int_equal(fd[3], fd[0]);
    assert_int_equal(P1(&g, fd_renumber, 2, A(fd[1]), A(fd[2])), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_close, 1, A(fd[1])), P1_BADF);
    assert_int_equal(P1(&g, fd_renumber, 2, A(fd[2]), A(fd[2])), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_renumber, 2, A(fd[2]), A(999)), P1_BADF);
    /* Descriptors of the kernel do not leak through renumbering (they did elsewhere). */
    int before = dup(0);
    close(before);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[1]), P1_SUCCESS);
        assert_int_equal(P1(&g, fd_renumber, 2, A(fd[1]), A(fd[2])), P1_SUCCESS);
    }
    int after = dup(0);
    close(after);
    assert_in_range(after, before, before + 1);
    /* A preopened directory may be closed and stays so. */
    assert_int_equal(P1(&g, fd_close, 1, A(3)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_prestat_get, 2, A(3), A(RESULT)), P1_BADF);
    assert_int_equal(open_path(&g, 3, "f", 0, RIGHT(FD_READ), 0, &fd[1]), P1_BADF);
    guest_close(&g);
}

static void paths(void **state)
{
    struct guest g;
    uint32_t fd;
    (void)state;
    guest_open(&g, fixture_config());
    assert_int_equal(P1(&g, fd_prestat_get, 2, A(3), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 0);
    assert_int_equal(u32_at(&g, RESULT + 4), 1);
    assert_int_equal(P1(&g, fd_prestat_dir_name, 3, A(3), A(DATA), A(0)), P1_NAMETOOLONG);
    assert_int_equal(P1(&g, fd_prestat_dir_name, 3, A(3), A(DATA), A(1)), P1_SUCCESS);
    assert_memory_equal(g.memory.span.at + DATA, "/", 1);
    assert_int_equal(P1(&g, fd_prestat_get, 2, A(0), A(RESULT)), P1_BADF);
    put(&g, PATH, "d", 1);
    put(&g, PATH2, "d/l", 3);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(PATH), A(1)), P1_SUCCESS);
    assert_int_equal(P1(&g, path_symlink, 5, A(PATH), A(1), A(3), A(PATH2), A(3)), P1_SUCCESS);
    assert_int_equal(P1(&g, path_readlink, 6, A(3), A(PATH2), A(3), A(DATA), A(100), A(RESULT)),
                     P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 1);
    assert_int_equal(P1(&g, path_readlink, 6, A(3), A(PATH2), A(3), A(DATA), A(0), A(RESULT)),
                     P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 0);
    assert_int_equal(P1(&g, path_filestat_get, 5, A(3), A(0), A(PATH2), A(3), A(DATA)), P1_SUCCESS);
    assert_int_equal(g.memory.span.at[DATA + 16], 7);
    assert_int_equal(P1(&g, path_filestat_get, 5, A(3), A(1), A(PATH2), A(3), A(DATA)), P1_NOENT);
    put(&g, PATH, "e", 1);
    assert_int_equal(P1(&g, path_rename, 6, A(3), A(PATH2), A(3), A(3), A(PATH), A(1)), P1_SUCCESS);
    assert_int_equal(P1(&g, path_link, 7, A(3), A(0), A(PATH), A(1), A(3), A(PATH2), A(3)),
                     P1_SUCCESS);
    assert_int_equal(P1(&g, path_unlink_file, 3, A(3), A(PATH2), A(3)), P1_SUCCESS);
    assert_int_equal(P1(&g, path_remove_directory, 3, A(3), A(PATH2), A(1)), P1_SUCCESS);
    assert_int_equal(
        P1(&g, path_filestat_set_times, 7, A(3), A(0), A(PATH), A(1), A(5000000007), A(0), A(1)),
        P1_SUCCESS);
    assert_int_equal(P1(&g, path_filestat_get, 5, A(3), A(0), A(PATH), A(1), A(DATA)), P1_SUCCESS);
    assert_int_equal(u64_at(&g, DATA + 40), 5000000007);
    assert_int_equal(
        P1(&g, path_filestat_set_times, 7, A(3), A(0), A(PATH), A(1), A(0), A(0), A(3)), P1_INVAL);
    assert_int_equal(
        P1(&g, path_filestat_set_times, 7, A(3), A(0), A(PATH), A(1), A(0), A(0), A(16)), P1_INVAL);
    /* Out, not in memory, not text, not a directory. */
    assert_int_equal(open_path(&g, 3, "../outside", 0, RIGHT(FD_READ), 0, &fd), P1_PERM);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(MEMORY), A(1)), P1_FAULT);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(PATH), A(UINT32_MAX)), P1_FAULT);
    put(&g, PATH, "\xff", 1);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(PATH), A(1)), P1_ILSEQ);
    put(&g, PATH, "a\0b", 3);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(PATH), A(3)), P1_INVAL);
    assert_int_equal(P1(&g, path_create_directory, 3, A(3), A(BIG), A(100000)), P1_NAMETOOLONG);
    assert_int_equal(P1(&g, path_create_directory, 3, A(1), A(PATH), A(1)), P1_NOTDIR);
    assert_int_equal(P1(&g, path_create_directory, 3, A(77), A(PATH), A(1)), P1_BADF);
    guest_close(&g);
}

/* Entries through buffers of every size give the same names, each once; a cookie leads back. */
static void directories(void **state)
{
    enum { MANY = 200 };
    static uint32_t seen[MANY];
    struct guest g;
    char name[40];
    uint32_t fd;
    (void)state;
    guest_open(&g, fixture_config());
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "in/n%d", i);
        fixture_write_file(&g.f, name, "");
    }
    static const uint32_t rooms[] = {40, 64, 100, 1000, 20000};
    for (size_t r = 0; r < countof(rooms); r++) {
        uint64_t cookie = 0;
        uint64_t second = 0;
        uint32_t count = 0;
        memset(seen, 0, sizeof seen);
        for (;;) {
            assert_int_equal(P1(&g, fd_readdir, 5, A(3), A(DATA), A(rooms[r]), cookie, A(RESULT)),
                             P1_SUCCESS);
            uint32_t used = u32_at(&g, RESULT);
            uint32_t at = 0;
            while (used - at >= 24 && used - at - 24 >= u32_at(&g, DATA + at + 16)) {
                uint32_t len = u32_at(&g, DATA + at + 16);
                int number = -1;
                memcpy(name, g.memory.span.at + DATA + at + 24, len);
                name[len] = 0;
                if (sscanf(name, "n%d", &number) == 1)
                    seen[number]++;
                else
                    assert_true(!strcmp(name, ".") || !strcmp(name, ".."));
                if (!strcmp(name, ".."))
                    assert_int_equal(u64_at(&g, DATA + at + 8), 0);
                cookie = u64_at(&g, DATA + at);
                if (++count == 2)
                    second = cookie;
                at += 24 + len;
            }
            if (used < rooms[r])
                break;
        }
        assert_int_equal(count, MANY + 2);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(seen[i], 1);
        assert_int_equal(P1(&g, fd_readdir, 5, A(3), A(DATA), A(20000), second, A(RESULT)),
                         P1_SUCCESS);
        assert_true(u32_at(&g, RESULT) >= MANY * 26);
        assert_int_equal(P1(&g, fd_readdir, 5, A(3), A(DATA), A(20000), A(0x123456789), A(RESULT)),
                         P1_SUCCESS);
        assert_int_equal(u32_at(&g, RESULT), 0); /* nobody's cookie */
    }
    assert_int_equal(P1(&g, fd_readdir, 5, A(3), A(DATA), A(MEMORY), A(0), A(RESULT)), P1_FAULT);
    assert_int_equal(P1(&g, fd_readdir, 5, A(0), A(DATA), A(100), A(0), A(RESULT)), P1_NOTDIR);
    assert_int_equal(open_path(&g, 3, "n1", 0, RIGHT(FD_READ), 0, &fd), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_readdir, 5, A(fd), A(DATA), A(100), A(0), A(RESULT)), P1_NOTDIR);
    assert_int_equal(P1(&g, fd_close, 1, A(3)), P1_SUCCESS); /* its reader too */
    guest_close(&g);
}

static void streams(void **state)
{
    struct guest g;
    char text[64];
    (void)state;
    guest_open(&g, fixture_config());
    /* Parts of a write arrive together. */
    put(&g, DATA, "abcdef", 6);
    part(&g, 0, DATA, 3);
    part(&g, 1, DATA + 3, 3);
    assert_int_equal(P1(&g, fd_write, 4, A(1), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(read(g.f.out, text, sizeof text), 6);
    assert_int_equal(write(g.f.in, "input", 5), 5);
    part(&g, 0, BIG, 0);
    part(&g, 1, BIG, 100);
    assert_int_equal(P1(&g, fd_read, 4, A(0), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 5);
    assert_int_equal(P1(&g, fd_fdstat_set_flags, 2, A(0), A(FDFLAG_NONBLOCK)), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_read, 4, A(0), A(PARTS), A(2), A(RESULT)), P1_AGAIN);
    assert_int_equal(P1(&g, fd_read, 4, A(1), A(PARTS), A(2), A(RESULT)), P1_NOTCAPABLE);
    assert_int_equal(P1(&g, fd_seek, 4, A(0), A(0), A(0), A(RESULT)), P1_SPIPE);
    assert_int_equal(P1(&g, fd_tell, 2, A(1), A(RESULT)), P1_SPIPE);
    assert_int_equal(P1(&g, fd_pread, 5, A(0), A(PARTS), A(1), A(0), A(RESULT)), P1_SPIPE);
    assert_int_equal(P1(&g, fd_filestat_get, 2, A(0), A(DATA)), P1_SUCCESS);
    assert_int_equal(P1(&g, sock_shutdown, 2, A(1), A(1)), P1_NOTSOCK);
    assert_int_equal(P1(&g, sock_accept, 3, A(55), A(0), A(RESULT)), P1_BADF);
    assert_int_equal(P1(&g, sock_recv, 6, A(0), A(PARTS), A(1), A(0), A(RESULT), A(RESULT)),
                     P1_NOTSOCK);
    assert_int_equal(P1(&g, sock_send, 5, A(1), A(PARTS), A(1), A(0), A(RESULT)), P1_NOTSOCK);
    close(g.f.in);
    assert_int_equal(P1(&g, fd_read, 4, A(0), A(PARTS), A(2), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 0);
    close(g.f.out);
    part(&g, 0, DATA, 3);
    assert_int_equal(P1(&g, fd_write, 4, A(1), A(PARTS), A(1), A(RESULT)), P1_PIPE);
    guest_close(&g);
}

/* --- poll_oneoff --------------------------------------------------------------------------------
 */

/* A subscription, in the layout of the module. */
static void subscribe(struct guest *g, unsigned index, uint64_t userdata, uint8_t type,
                      uint32_t clock_or_fd, uint64_t timeout, uint16_t flags)
{
    size_t size = g->unstable ? 56 : 48;
    uint8_t bytes[56] = {0};
    size_t clock = g->unstable ? 24 : 16;
    memcpy(bytes, &userdata, 8);
    bytes[8] = type;
    memcpy(bytes + (type == 0 ? clock : 16), &clock_or_fd, 4);
    memcpy(bytes + clock + 8, &timeout, type == 0 ? 8 : 0);
    memcpy(bytes + clock + 24, &flags, type == 0 ? 2 : 0);
    put(g, (uint32_t)(DATA + index * size), bytes, size);
}

static uint16_t poll_list(struct guest *g, unsigned count)
{
    return P1(g, poll_oneoff, 4, A(DATA), A(BIG), A(count), A(RESULT));
}

static void polling(struct guest *g)
{
    uint64_t start = sys_now();
    subscribe(g, 0, 11, 0, 1, UINT64_C(60000000000), 0);
    subscribe(g, 1, 22, 0, 0, 20000000, 0);
    assert_int_equal(poll_list(g, 2), P1_SUCCESS);
    assert_int_equal(u32_at(g, RESULT), 1);
    assert_int_equal(u64_at(g, BIG), 22);
    assert_int_equal(u32_at(g, BIG + 8), 0); /* no error; a clock */
    assert_in_range(sys_now() - start, 20000000, 2000000000);
    /* Absolute: a time of day, and one of the steady clock. */
    uint64_t real = p1_timestamp(sys_real_time());
    start = sys_now();
    subscribe(g, 0, 1, 0, 0, real + 20000000, 1);
    assert_int_equal(poll_list(g, 1), P1_SUCCESS);
    assert_true(sys_now() - start >= 15000000);
    assert_int_equal(P1(g, clock_time_get, 3, A(1), A(0), A(RESULT)), P1_SUCCESS);
    uint64_t steady = u64_at(g, RESULT);
    start = sys_now();
    subscribe(g, 0, 1, 0, 1, steady + 20000000, 1);
    assert_int_equal(poll_list(g, 1), P1_SUCCESS);
    assert_true(sys_now() - start >= 15000000);
    /* Descriptors: ready, waiting, unknown. */
    subscribe(g, 0, 5, 1, 0, 0, 0);
    subscribe(g, 1, 6, 2, 1, 0, 0);
    subscribe(g, 2, 7, 1, 99, 0, 0);
    assert_int_equal(poll_list(g, 3), P1_SUCCESS);
    assert_int_equal(u32_at(g, RESULT), 2);
    assert_int_equal(u64_at(g, BIG), 6);
    assert_int_equal(u64_at(g, BIG + 32), 7);
    assert_int_equal(u32_at(g, BIG + 40) & 0xffff, P1_BADF);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(g->f.in, "x", 1) != 1);
    }
    subscribe(g, 1, 9, 0, 1, UINT64_C(60000000000), 0);
    assert_int_equal(poll_list(g, 2), P1_SUCCESS);
    assert_int_equal(u32_at(g, RESULT), 1);
    assert_int_equal(u64_at(g, BIG), 5);
    assert_true(g->blocked > 0);
    waitpid(child, NULL, 0);
    /* What cannot be. */
    assert_int_equal(poll_list(g, 0), P1_INVAL);
    assert_int_equal(poll_list(g, WASI_P1_EVENTS + 1), P1_INVAL);
    assert_int_equal(P1(g, poll_oneoff, 4, A(MEMORY - 10), A(BIG), A(1), A(RESULT)), P1_FAULT);
    subscribe(g, 0, 1, 0, 2, 0, 0);
    assert_int_equal(poll_list(g, 1), P1_SUCCESS);
    assert_int_equal(u32_at(g, BIG + 8) & 0xffff, P1_INVAL); /* no such clock */
    subscribe(g, 0, 1, 9, 2, 0, 0);
    assert_int_equal(poll_list(g, 1), P1_SUCCESS);
    assert_int_equal(u32_at(g, BIG + 8) & 0xffff, P1_INVAL); /* no such type */
}

static void polling_now(void **state)
{
    struct guest g;
    (void)state;
    guest_open(&g, fixture_config());
    polling(&g);
    guest_close(&g);
}

/* The older module: other layouts, another order of seek bases. */
static void older_module(void **state)
{
    struct guest g;
    uint32_t fd;
    (void)state;
    guest_open(&g, fixture_config());
    g.unstable = true;
    polling(&g);
    fixture_write_file(&g.f, "in/f", "0123456789");
    assert_int_equal(open_path(&g, 3, "f", 0, file_rights, 0, &fd), P1_SUCCESS);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(-4), A(1), A(RESULT)), P1_SUCCESS); /* end */
    assert_int_equal(u64_at(&g, RESULT), 6);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(1), A(0), A(RESULT)), P1_SUCCESS); /* current */
    assert_int_equal(u64_at(&g, RESULT), 7);
    assert_int_equal(P1(&g, fd_seek, 4, A(fd), A(2), A(2), A(RESULT)), P1_SUCCESS); /* start */
    assert_int_equal(u64_at(&g, RESULT), 2);
    assert_int_equal(P1(&g, fd_filestat_get, 2, A(fd), A(DATA)), P1_SUCCESS);
    assert_int_equal(g.memory.span.at[DATA + 16], 4);
    assert_int_equal(u32_at(&g, DATA + 20), 1);
    assert_int_equal(u64_at(&g, DATA + 24), 10);
    guest_close(&g);
}

/* --- Sockets ------------------------------------------------------------------------------------
 */

/* A listening socket as descriptor 4, behind the directory; ret_port in network order. */
static void listen_open(struct guest *g, uint16_t *ret_port)
{
    static int listener;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    *ret_port = at.sin_port;
    struct wasi_config config = fixture_config();
    config.listeners = &listener;
    config.nlisteners = 1;
    guest_open(g, config);
}

static int peer_of(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* recv(2) on the guest's connection, of two parts of 3 bytes. */
static uint16_t receive(struct guest *g, uint32_t flags)
{
    part(g, 0, DATA, 3);
    part(g, 1, DATA + 3, 3);
    return P1(g, sock_recv, 6, A(5), A(PARTS), A(2), A(flags), A(RESULT), A(RESULT + 4));
}

enum { PEEK = 1, WAITALL = 2 };

static void connections(void **state)
{
    struct guest g;
    uint16_t port;
    char text[16] = "";
    (void)state;
    listen_open(&g, &port);
    assert_int_equal(P1(&g, fd_prestat_get, 2, A(4), A(DATA)), P1_BADF);
    assert_int_equal(P1(&g, fd_read, 4, A(4), A(PARTS), A(1), A(RESULT)), P1_NOTCAPABLE);
    assert_int_equal(P1(&g, sock_accept, 3, A(4), A(FDFLAG_APPEND), A(RESULT)), P1_INVAL);
    assert_int_equal(P1(&g, sock_accept, 3, A(4), A(0), A(MEMORY)), P1_FAULT);
    assert_int_equal(P1(&g, fd_fdstat_set_flags, 2, A(4), A(FDFLAG_NONBLOCK)), P1_SUCCESS);
    assert_int_equal(P1(&g, sock_accept, 3, A(4), A(0), A(RESULT)), P1_AGAIN);
    assert_int_equal(P1(&g, sock_shutdown, 2, A(4), A(1)), P1_NOTCAPABLE);
    int peer = peer_of(port);
    assert_int_equal(P1(&g, sock_accept, 3, A(4), A(FDFLAG_NONBLOCK), A(RESULT)), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 5);
    assert_int_equal(P1(&g, sock_accept, 3, A(5), A(0), A(RESULT)), P1_NOTCAPABLE);
    assert_int_equal(P1(&g, fd_filestat_get, 2, A(5), A(DATA)), P1_SUCCESS);
    assert_int_equal(g.memory.span.at[DATA + 16], 6); /* socket_stream */
    assert_int_equal(receive(&g, 0), P1_AGAIN);
    assert_int_equal(receive(&g, PEEK), P1_AGAIN);
    assert_int_equal(receive(&g, 4), P1_INVAL);
    assert_int_equal(write(peer, "01234567", 8), 8);
    assert_true(wasi_ready(g.f.wasi, g.p1->files[5].file->fd, POLLIN));
    assert_int_equal(receive(&g, PEEK), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 6);
    assert_memory_equal(g.memory.span.at + DATA, "012345", 6);
    assert_int_equal(receive(&g, 0), P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 3); /* one part: a stream gives what it likes */
    assert_int_equal(receive(&g, 0), P1_SUCCESS);
    put(&g, DATA, "abc", 3);
    part(&g, 0, DATA, 3);
    assert_int_equal(P1(&g, sock_send, 5, A(5), A(PARTS), A(1), A(1), A(RESULT)), P1_INVAL);
    assert_int_equal(P1(&g, sock_send, 5, A(5), A(PARTS), A(1), A(0), A(RESULT)), P1_SUCCESS);
    assert_int_equal(P1(&g, sock_shutdown, 2, A(5), A(0)), P1_INVAL);
    assert_int_equal(P1(&g, sock_shutdown, 2, A(5), A(4)), P1_INVAL);
    assert_int_equal(P1(&g, sock_shutdown, 2, A(5), A(2)), P1_SUCCESS);
    assert_int_equal(read(peer, text, sizeof text), 3);
    assert_int_equal(read(peer, text, sizeof text), 0);
    assert_int_equal(P1(&g, sock_send, 5, A(5), A(PARTS), A(1), A(0), A(RESULT)), P1_PIPE);
    assert_int_equal(P1(&g, fd_close, 1, A(5)), P1_SUCCESS);
    assert_int_equal(receive(&g, 0), P1_BADF);
    close(peer);
    guest_close(&g);
}

/* A peer that sends four bytes, two more a moment later, and ends. */
static void receiving_all(void **state)
{
    struct guest g;
    uint16_t port;
    (void)state;
    listen_open(&g, &port);
    pid_t child = fork();
    if (child == 0) {
        int peer = peer_of(port);
        bool sent = write(peer, "0123", 4) == 4;
        usleep(30000);
        sent = sent && write(peer, "45", 2) == 2 && write(peer, "6", 1) == 1;
        _exit(!sent);
    }
    assert_int_equal(P1(&g, sock_accept, 3, A(4), A(0), A(RESULT)), P1_SUCCESS);
    part(&g, 0, DATA, 3);
    part(&g, 1, DATA + 3, 3);
    /* The locals of the frame hold how far it is; a call of its own starts at 0. */
    uint64_t done = 0;
    g.locals = &done;
    assert_int_equal(
        P1(&g, sock_recv, 6, A(5), A(PARTS), A(2), A(WAITALL), A(RESULT), A(RESULT + 4)),
        P1_SUCCESS);
    assert_true(g.blocked >= 1);
    assert_int_equal(u32_at(&g, RESULT), 6);
    assert_memory_equal(g.memory.span.at + DATA, "012345", 6);
    done = 0;
    assert_int_equal(
        P1(&g, sock_recv, 6, A(5), A(PARTS), A(2), A(WAITALL), A(RESULT), A(RESULT + 4)),
        P1_SUCCESS);
    assert_int_equal(u32_at(&g, RESULT), 1);
    waitpid(child, NULL, 0);
    guest_close(&g);
}

/* --- Linking ------------------------------------------------------------------------------------
 */

static void linking(void **state)
{
    struct guest g;
    struct err err = {0};
    (void)state;
    guest_open(&g, fixture_config());
    struct str stable = str_of("wasi_snapshot_preview1");
    struct str unstable = str_of("wasi_unstable");
    assert_true(p1_is_module(stable) && p1_is_module(unstable));
    assert_false(p1_is_module(str_of("env")));
    static const struct {
        const char *name;
        const char *params;
        const char *results;
    } rows[] = {
#undef P1
#define P1(name, params, results, ...) {#name, params, results},
#include "policies/p1.def"
#undef P1
    };
    assert_int_equal(countof(rows), 46);
    for (size_t i = 0; i < countof(rows); i++) {
        struct func *func = p1_func(g.p1, stable, str_of(rows[i].name), &err);
        assert_non_null(func);
        const struct functype *type = types_func(vm_types(g.f.vm), func_type(func));
        assert_int_equal(type->nparams, strlen(rows[i].params));
        assert_int_equal(type->nresults, strlen(rows[i].results));
        for (uint32_t j = 0; j < type->nparams; j++)
            assert_int_equal(type->params[j], rows[i].params[j] == 'I' ? VT_I64 : VT_I32);
    }
    assert_null(p1_func(g.p1, unstable, str_of("sock_accept"), &err));
    assert_int_equal(err.kind, ERR_UNLINKABLE);
    err = (struct err){0};
    assert_null(p1_func(g.p1, stable, str_of("fd_sing"), &err));
    assert_non_null(strstr(err.text, "fd_sing"));
    guest_close(&g);
}

static void the_end(void **state)
{
    struct guest g;
    (void)state;
    guest_open(&g, fixture_config());
    assert_int_equal(call_p1(&g, p1_proc_raise, 1, A(6)), P1_NOTSUP);
    assert_int_equal(call_p1(&g, p1_sched_yield, 0), P1_SUCCESS);
    assert_int_equal(call_p1(&g, p1_random_get, 2, A(DATA), A(64)), P1_SUCCESS);
    uint8_t nothing[64] = {0};
    assert_memory_not_equal(g.memory.span.at + DATA, nothing, 64);
    assert_int_equal(call_p1(&g, p1_random_get, 2, A(MEMORY - 1), A(2)), P1_FAULT);
    assert_int_equal(call_p1(&g, p1_clock_res_get, 2, A(0), A(RESULT)), P1_SUCCESS);
    assert_true(u64_at(&g, RESULT) > 0);
    assert_int_equal(call_p1(&g, p1_clock_res_get, 2, A(2), A(RESULT)), P1_INVAL);
    assert_int_equal(call_p1(&g, p1_clock_time_get, 3, A(3), A(0), A(RESULT)), P1_INVAL);
    assert_int_equal(call_p1(&g, p1_clock_time_get, 3, A(0), A(0), A(RESULT)), P1_SUCCESS);
    assert_in_range(u64_at(&g, RESULT) / 1000000000, time(NULL) - 1, time(NULL) + 1);
    assert_int_equal(call_p1(&g, p1_proc_exit, 1, A(7)), P1_TRAPPED);
    assert_int_equal(vm_trap(g.f.vm)->kind, TRAP_EXIT);
    assert_int_equal(vm_trap(g.f.vm)->code, 7);
    guest_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),         cmocka_unit_test(files),
        cmocka_unit_test(appending),     cmocka_unit_test(rights_and_numbers),
        cmocka_unit_test(paths),         cmocka_unit_test(directories),
        cmocka_unit_test(streams),       cmocka_unit_test(polling_now),
        cmocka_unit_test(older_module),  cmocka_unit_test(linking),
        cmocka_unit_test(the_end),       cmocka_unit_test(connections),
        cmocka_unit_test(receiving_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
