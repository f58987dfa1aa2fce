/* The rows of p1.def, under their own filters; see rules_fixture.h. */
#include "engine/wasi/p1_call.h"
#include "tests/unit/rules_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* --- Preview 1 ----------------------------------------------------------------------------------
 */

enum { P1_MEMORY = 65536, P1_RESULT = 16, P1_PARTS = 64, P1_DATA = 4096, P1_FILE = 4 };

static struct p1 *p1;
static struct linear_memory memory;
static uint64_t p1_started[2];

/* A module's state, with descriptor 4 the file "f". */
static void p1_begin(struct fixture *f)
{
    static const uint32_t parts[2] = {P1_DATA, 4};
    memory.span.at = fixture_map(P1_MEMORY);
    memory.span.size = P1_MEMORY;
    p1 = p1_new(f->vm, f->wasi);
    struct p1_file file = {.file = file_of(f), .rights = UINT64_MAX};
    uint32_t fd;
    assert_int_equal(p1_file_add(p1, file, &fd), P1_SUCCESS);
    assert_int_equal(fd, P1_FILE);
    memcpy(memory.span.at + P1_PARTS, parts, sizeof parts);
}

static uint16_t p1_call(struct fixture *f, p1_fn *fn, const uint64_t *numbers)
{
    struct native frame = {.locals = p1_started};
    union slot args[10];
    for (int i = 0; i < 10; i++)
        args[i].u64 = numbers[i];
    struct p1_call p1call = {
        .p1 = p1, .wasi = f->wasi, .args = args, .memory = &memory, .frame = &frame};
    for (;;) {
        uint16_t answer = fn(&p1call);
        if (answer != P1_BLOCKED)
            return answer;
        CLAIM(reactor_wait(&f->wasi->reactor));
        while (reactor_next(&f->wasi->reactor))
            continue;
    }
}

#define CALL_P1(f, name, ...) p1_call((f), p1_##name, (const uint64_t[10]){__VA_ARGS__})

/* Puts a path into guest memory; its length. */
static uint64_t put_path(uint32_t at, const char *path)
{
    memcpy(memory.span.at + at, path, strlen(path));
    return strlen(path);
}

/* The two arguments that a path is. */
#define PATH(where, path) (where), put_path(where, path)
enum { P1_PATH = 1024, P1_PATH2 = 2048 };

/* Functions that are called once. */
#define P1_ONCE(name, expected, ...)                                                               \
    static void row_p1_##name(struct fixture *f)                                                   \
    {                                                                                              \
        p1_begin(f);                                                                               \
        walls_up();                                                                                \
        CLAIM(CALL_P1(f, name, __VA_ARGS__) == P1_##expected);                                     \
    }

P1_ONCE(args_get, SUCCESS, P1_DATA, P1_DATA)
P1_ONCE(args_sizes_get, SUCCESS, P1_RESULT, P1_RESULT)
P1_ONCE(environ_get, SUCCESS, P1_DATA, P1_DATA)
P1_ONCE(environ_sizes_get, SUCCESS, P1_RESULT, P1_RESULT)
P1_ONCE(clock_res_get, SUCCESS, 0, P1_RESULT)
P1_ONCE(clock_time_get, SUCCESS, 0, 0, P1_RESULT)
P1_ONCE(fd_advise, SUCCESS, P1_FILE, 0, 4, 0)
P1_ONCE(fd_allocate, SUCCESS, P1_FILE, 0, 20)
P1_ONCE(fd_close, SUCCESS, P1_FILE)
P1_ONCE(fd_datasync, SUCCESS, P1_FILE)
P1_ONCE(fd_fdstat_get, SUCCESS, P1_FILE, P1_DATA)
P1_ONCE(fd_fdstat_set_rights, SUCCESS, P1_FILE, 0, 0)
P1_ONCE(fd_filestat_get, SUCCESS, P1_FILE, P1_DATA)
P1_ONCE(fd_filestat_set_size, SUCCESS, P1_FILE, 5)
P1_ONCE(fd_filestat_set_times, SUCCESS, P1_FILE, 0, 0, 2)
P1_ONCE(fd_pread, SUCCESS, P1_FILE, P1_PARTS, 1, 2, P1_RESULT)
P1_ONCE(fd_prestat_get, SUCCESS, 3, P1_RESULT)
P1_ONCE(fd_prestat_dir_name, SUCCESS, 3, P1_DATA, 1)
P1_ONCE(fd_renumber, SUCCESS, 0, P1_FILE)
P1_ONCE(fd_seek, SUCCESS, P1_FILE, 0, 2, P1_RESULT)
P1_ONCE(fd_sync, SUCCESS, P1_FILE)
P1_ONCE(fd_tell, SUCCESS, P1_FILE, P1_RESULT)
P1_ONCE(proc_raise, NOTSUP, 1)
P1_ONCE(sched_yield, SUCCESS, 0)
P1_ONCE(random_get, SUCCESS, P1_DATA, 100)

static void row_p1_proc_exit(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, proc_exit, 3) == P1_TRAPPED);
}

/* --- Sockets ------------------------------------------------------------------------------------
 */

enum { P1_LISTENER = 5, P1_CONNECTION = 6 };

/* A socket that listens, as descriptor 5: its port. */
static uint16_t p1_listens(struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    p1_begin(f);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CLAIM(bind(fd, (struct sockaddr *)&at, size) == 0 && listen(fd, 8) == 0);
    CLAIM(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    struct descriptor *listener = descriptor_new(f->wasi, fd);
    listener->type = TYPE_SOCKET;
    listener->sequential = listener->never_blocks = true;
    CLAIM(p1_add_listener(p1, listener) == P1_SUCCESS);
    return at.sin_port;
}

/* A peer that has connected: its socket. */
static int p1_peer(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CLAIM(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* A connection, as descriptor 6, with something to receive. */
static void p1_connected(struct fixture *f)
{
    int peer = p1_peer(p1_listens(f));
    CLAIM(write(peer, "0123456789", 10) == 10);
    CLAIM(CALL_P1(f, sock_accept, P1_LISTENER, 0, P1_RESULT) == P1_SUCCESS);
    CLAIM(wasi_ready(f->wasi, p1->files[P1_CONNECTION].file->fd, POLLIN));
}

static void row_p1_sock_accept(struct fixture *f)
{
    uint16_t port = p1_listens(f);
    if (fork() == 0) { /* comes late: there is something to wait for */
        usleep(10000);
        p1_peer(port);
        _exit(0);
    }
    walls_up();
    CLAIM(CALL_P1(f, sock_accept, P1_LISTENER, 0, P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_close, P1_CONNECTION) == P1_SUCCESS);
}

static void row_p1_sock_recv(struct fixture *f)
{
    p1_connected(f);
    walls_up();
    CLAIM(CALL_P1(f, sock_recv, P1_CONNECTION, P1_PARTS, 1, 0, P1_RESULT, P1_RESULT + 8) ==
          P1_SUCCESS);
    CLAIM(CALL_P1(f, sock_recv, P1_CONNECTION, P1_PARTS, 1, 1, P1_RESULT, P1_RESULT + 8) ==
          P1_SUCCESS);
}

static void row_p1_sock_send(struct fixture *f)
{
    p1_connected(f);
    walls_up();
    CLAIM(CALL_P1(f, sock_send, P1_CONNECTION, P1_PARTS, 1, 0, P1_RESULT) == P1_SUCCESS);
}

static void row_p1_sock_shutdown(struct fixture *f)
{
    p1_connected(f);
    walls_up();
    CLAIM(CALL_P1(f, sock_shutdown, P1_CONNECTION, 2) == P1_SUCCESS);
}

/* --- Streams and files --------------------------------------------------------------------------
 */

/* What the flag brings is used by reading. */
static void row_p1_fd_fdstat_set_flags(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, fd_fdstat_set_flags, 0, FDFLAG_NONBLOCK) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_read, 0, P1_PARTS, 1, P1_RESULT) == P1_AGAIN);
}

static void row_p1_fd_read(struct fixture *f)
{
    p1_begin(f);
    feed(f);
    walls_up();
    CLAIM(CALL_P1(f, fd_read, 0, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_read, P1_FILE, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
}

static void row_p1_fd_write(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, fd_write, 1, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_write, P1_FILE, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_fdstat_set_flags, P1_FILE, FDFLAG_APPEND) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_write, P1_FILE, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
}

static void row_p1_fd_readdir(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, fd_readdir, 3, P1_DATA, 30, 0, P1_RESULT) == P1_SUCCESS);
    struct directory *reader = p1->files[3].reader;
    reader->ahead[reader->at + 18] = DT_UNKNOWN; /* a file system that keeps no types */
    CLAIM(CALL_P1(f, fd_readdir, 3, P1_DATA, 30, p1->files[3].cookie, P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, fd_readdir, 3, P1_DATA, 30, 0, P1_RESULT) == P1_SUCCESS); /* anew */
}

/* Functions of one path, called for one through a directory and one through a link. */
static void p1_twice(struct fixture *f, p1_fn *fn, const char *through, const char *link)
{
    p1_begin(f);
    walls_up();
    CLAIM(p1_call(f, fn, (const uint64_t[10]){3, PATH(P1_PATH, through)}) == P1_SUCCESS);
    CLAIM(p1_call(f, fn, (const uint64_t[10]){3, PATH(P1_PATH, link)}) == P1_SUCCESS);
}

static void row_p1_path_create_directory(struct fixture *f)
{
    p1_twice(f, p1_path_create_directory, "d/n", "l/m");
}

static void row_p1_path_remove_directory(struct fixture *f)
{
    fixture_mkdir(f, "in/d/g");
    p1_twice(f, p1_path_remove_directory, "d/g", "l/e");
}

static void row_p1_path_unlink_file(struct fixture *f)
{
    fixture_write_file(f, "in/d/y", "");
    p1_twice(f, p1_path_unlink_file, "d/x", "l/y");
    CLAIM(CALL_P1(f, path_unlink_file, 3, PATH(P1_PATH, "d/")) == P1_ISDIR);
}

static void row_p1_path_filestat_get(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_filestat_get, 3, 1, PATH(P1_PATH, "d/x"), P1_DATA) == P1_SUCCESS);
    CLAIM(CALL_P1(f, path_filestat_get, 3, 1, PATH(P1_PATH, "link"), P1_DATA) == P1_SUCCESS);
}

static void row_p1_path_filestat_set_times(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_filestat_set_times, 3, 1, PATH(P1_PATH, "d/x"), 0, 0, 2) == P1_SUCCESS);
    CLAIM(CALL_P1(f, path_filestat_set_times, 3, 1, PATH(P1_PATH, "link"), 0, 0, 2) == P1_SUCCESS);
}

static void row_p1_path_link(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_link, 3, 1, PATH(P1_PATH, "link"), 3, PATH(P1_PATH2, "d/n")) ==
          P1_SUCCESS);
}

static void row_p1_path_open(struct fixture *f)
{
    p1_begin(f);
    fifo_of(f, DESCRIPTOR_READ);
    walls_up();
    const uint64_t rights = RIGHT(FD_READ);
    CLAIM(CALL_P1(f, path_open, 3, 1, PATH(P1_PATH, "d/x"), 0, rights, 0, 0, P1_RESULT) ==
          P1_SUCCESS);
    CLAIM(CALL_P1(f, path_open, 3, 1, PATH(P1_PATH, "link"), 0, rights, 0, 0, P1_RESULT) ==
          P1_SUCCESS);
    CLAIM(CALL_P1(f, path_open, 3, 1, PATH(P1_PATH, "n"), OPEN_CREATE, RIGHT(FD_WRITE), 0, 0,
                  P1_RESULT) == P1_SUCCESS);
    CLAIM(CALL_P1(f, path_open, 3, 1, PATH(P1_PATH, "fifo"), 0, rights, 0, 0, P1_RESULT) ==
          P1_SUCCESS);
    uint32_t fd;
    memcpy(&fd, memory.span.at + P1_RESULT, sizeof fd);
    CLAIM(CALL_P1(f, fd_read, fd, P1_PARTS, 1, P1_RESULT) == P1_SUCCESS);
    f->wasi->concurrent = true; /* what waiting for a FIFO takes */
    CLAIM(wasi_ready(f->wasi, p1->files[fd].file->fd, POLLIN) == false);
}

static void row_p1_path_readlink(struct fixture *f)
{
    fixture_symlink(f, "x", "in/d/k");
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_readlink, 3, PATH(P1_PATH, "l/k"), P1_DATA, 100, P1_RESULT) ==
          P1_SUCCESS);
    CLAIM(CALL_P1(f, path_readlink, 3, PATH(P1_PATH, "d/e/"), P1_DATA, 100, P1_RESULT) == P1_INVAL);
}

static void row_p1_fd_pwrite(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, fd_pwrite, P1_FILE, P1_PARTS, 1, 2, P1_RESULT) == P1_SUCCESS);
    p1->files[P1_FILE].flags = FDFLAG_APPEND;
    CLAIM(CALL_P1(f, fd_pwrite, P1_FILE, P1_PARTS, 1, 2, P1_RESULT) == P1_SUCCESS);
}

static void row_p1_path_rename(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_rename, 3, PATH(P1_PATH, "d/x"), 3, PATH(P1_PATH2, "l/y")) == P1_SUCCESS);
}

static void row_p1_path_symlink(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_symlink, PATH(P1_PATH, "x"), 3, PATH(P1_PATH2, "l/y")) == P1_SUCCESS);
    CLAIM(CALL_P1(f, path_symlink, PATH(P1_PATH, "x"), 3, PATH(P1_PATH2, "z/")) == P1_NOENT);
}

static void row_p1_poll_oneoff(struct fixture *f)
{
    p1_begin(f);
    feed(f);
    p1_started[0] = sys_now();
    p1_started[1] = p1_timestamp(sys_real_time());
    memory.span.at[P1_DATA + 8] = 1;       /* fd_read of standard input */
    memory.span.at[P1_DATA + 48 + 16] = 1; /* the steady clock, now */
    walls_up();
    CLAIM(CALL_P1(f, poll_oneoff, P1_DATA, 8192, 2, P1_RESULT) == P1_SUCCESS);
    CLAIM(memory.span.at[P1_RESULT] == 2);
}

/* --- All of them --------------------------------------------------------------------------------
 */

static const struct scenario scenarios[] = {
#define P1(name, params, results, unstable, cap, rule_set, state) {ROW_p1_##name, row_p1_##name},
#include "policies/p1.def"
#undef P1
};

/* A read-only grant leaves the rules of writing out, whatever a program that reads asks for. */
static void open_to_read(struct fixture *f)
{
    p1_begin(f);
    walls_up();
    CLAIM(CALL_P1(f, path_open, 3, 1, PATH(P1_PATH, "f"), 0, RIGHT(FD_READ), 0,
                  FDFLAG_APPEND | FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC,
                  P1_RESULT) == P1_SUCCESS);
}

static void reading_needs_no_rule_of_writing(void **state)
{
    const struct scenario scenario = {ROW_p1_path_open, open_to_read};
    (void)state;
    assert_int_equal(
        run(&scenario, RULES_BASE | (row_infos[ROW_p1_path_open].rules & ~R(OPEN_WRITE))), 0);
}

RULES_MAIN(scenarios, cmocka_unit_test(reading_needs_no_rule_of_writing))
