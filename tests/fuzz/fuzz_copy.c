/* The server that gives each request a process: its loop, its connections and the processes that it
 * knows, with a kernel that is played here. The input says what happens: connections come, bytes
 * come, clients hang up, processes end or cannot be made, time passes. Held: every descriptor is
 * closed once, and what a process may still have open is named for events no more; there are never
 * too many processes; nobody is forgotten, so the server ends when it is told to. */
#include "engine/serve/copy.h"
#include "engine/wasi/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define MEMORY ((size_t)1 << 20)

enum {
    LISTENER = 4,
    EVENTS,
    LEAVE,
    WATCH,
    LINE,
    FIRST = 10, /* descriptors that come and go */
    FILES = 256,
    TEXT = 200,
    REQUESTS = 3,
    WAITS_MOST = 100000
};

/* A descriptor: a connection, or a process's. */
struct file {
    bool open;
    bool copy;
    bool named;  /* for events */
    bool shared; /* a process was made since it was named, and may have it open */
    bool fresh;  /* something has happened since it was told of */
    bool over;   /* the client has hung up, or the process has ended */
    uint64_t data;
    size_t len; /* bytes that came; behind the text: filler */
    uint8_t text[TEXT];
};

static struct file files[FILES];
static struct {
    const uint8_t *at;
    size_t left;
} input;
static uint64_t now;
static unsigned coming[2]; /* connections that nobody has taken yet, at each listener */
static int refusal;        /* of the next process; 0: it is made */
static bool lines;         /* each process has a line of its own */
static bool leave_told, leave_named;
static unsigned waits;

static uint8_t next(void)
{
    if (!input.left)
        return 0;
    input.left--;
    return *input.at++;
}

static struct file *file_of(int fd)
{
    if (fd < FIRST || fd >= FIRST + FILES || !files[fd - FIRST].open)
        abort();
    return &files[fd - FIRST];
}

static int file_new(bool copy)
{
    for (int i = 0; i < FILES; i++)
        if (!files[i].open) {
            files[i] = (struct file){.open = true, .copy = copy};
            return FIRST + i;
        }
    return -EMFILE;
}

/* --- The kernel ---------------------------------------------------------------------------------
 */

int sys_close(int fd)
{
    struct file *file = file_of(fd);
    if (file->named && (file->copy || file->shared))
        abort(); /* events would tell of a descriptor that is another one by now */
    file->open = false;
    return 0;
}

int sys_accept(int listener)
{
    unsigned *there = &coming[listener == WATCH];
    if (!*there)
        return -EAGAIN;
    int fd = file_new(false);
    if (fd >= 0)
        --*there;
    return fd;
}

int64_t sys_peek(int fd, void *to, size_t len)
{
    struct file *file = file_of(fd);
    if (!file->len)
        return file->over ? 0 : -EAGAIN;
    len = len < file->len ? len : file->len;
    memset(to, 'a', len);
    memcpy(to, file->text, len < TEXT ? len : TEXT);
    return (int64_t)len;
}

int sys_watch(int events, int op, int fd, struct epoll_event *event)
{
    if (events != EVENTS)
        abort();
    if (fd == LISTENER || fd == WATCH)
        return 0;
    if (fd == LEAVE) {
        leave_named = op == EPOLL_CTL_ADD;
        return 0;
    }
    struct file *file = file_of(fd);
    if (file->named == (op == EPOLL_CTL_ADD))
        abort();
    file->named = op == EPOLL_CTL_ADD;
    file->shared = false;
    file->fresh = true;
    file->data = event->data.u64;
    return 0;
}

int sys_copy(int *ret_pidfd)
{
    int error = refusal;
    refusal = 0;
    if (error)
        return -error;
    int alive = 0;
    for (int i = 0; i < FILES; i++) {
        files[i].shared = files[i].shared || files[i].named;
        alive += files[i].open && files[i].copy;
    }
    if (alive >= REQUESTS + SERVE_COPIES_BESIDE)
        abort();
    *ret_pidfd = file_new(true);
    return *ret_pidfd < 0 ? *ret_pidfd : 1;
}

int sys_end_copy(int pidfd)
{
    file_of(pidfd)->over = true;
    return 0;
}

uint64_t sys_now(void)
{
    return now;
}

struct timespec sys_real_time(void)
{
    return (struct timespec){.tv_sec = (time_t)(now / 1000000000)};
}

int ask_line(struct wasi *wasi, int *ret_fd)
{
    (void)wasi;
    *ret_fd = LINE;
    if (!lines)
        return 0;
    *ret_fd = file_new(false);
    return *ret_fd < 0 ? *ret_fd : 0;
}

/* One thing happens. */
static void happen(void)
{
    static const int refusals[] = {EAGAIN, ENOMEM, EMFILE, EPERM};
    uint8_t what = next(), which = next();
    struct file *file = &files[which % FILES];
    switch (what % 8) {
    case 0:
    case 1: coming[what & 1 && which % 4 == 0]++; break;
    case 2:
    case 3: /* a few bytes, or many */
        for (unsigned count = what / 8; count; count--, file->len++) {
            uint8_t byte = next();
            if (file->len < TEXT)
                file->text[file->len] = byte;
        }
        file->len += what & 1 ? (size_t)next() << 9 : 0;
        file->fresh = true;
        break;
    case 4: file->over = file->fresh = true; break;
    case 5: now += (uint64_t)which << (what / 8); break; /* to two minutes */
    case 6: refusal = refusals[which % 4]; break;
    default: leave_told = which == 0xff; break;
    }
}

static void tell(struct epoll_event *event, struct file *file)
{
    *event = (struct epoll_event){.data = {.u64 = file->data}};
    if (file->copy)
        event->events = EPOLLIN;
    else
        event->events =
            EPOLLOUT | (file->len || file->over ? EPOLLIN : 0) | (file->over ? EPOLLRDHUP : 0);
    file->fresh = false;
}

int sys_wait(int events, struct epoll_event *ret, int room, int timeout)
{
    int count = 0;
    if (events != EVENTS || ++waits > WAITS_MOST)
        abort();
    bool over = !input.left;
    if (over)
        leave_told = true;
    else
        happen();
    for (unsigned i = 0; i < 2 && count < room; i++)
        if (coming[i] && !over)
            ret[count++] = (struct epoll_event){
                EPOLLIN, {.u64 = (uint64_t)(i ? WATCH : LISTENER) << 2 | EVENT_LISTENER}};
    if (leave_told && leave_named && count < room)
        ret[count++] = (struct epoll_event){EPOLLIN, {.u64 = EVENT_LEAVE}};
    for (int i = 0; i < FILES && count < room; i++) {
        struct file *file = &files[i];
        file->over = file->over || (over && file->copy);
        if (file->open && file->named && (file->copy ? file->over : file->fresh))
            tell(&ret[count++], file);
    }
    if (count == 0 && over && timeout < 0)
        abort(); /* it would wait for ever */
    if (count == 0 && timeout > 0)
        now += (uint64_t)timeout * 1000000;
    return count;
}

/* --- What only a process for a request does, and none is made here -------------------------------
 */

int64_t sys_read(int fd, void *to, size_t len)
{
    (void)fd, (void)to, (void)len;
    abort();
}

int64_t sys_write(int fd, const void *from, size_t len)
{
    (void)fd, (void)from, (void)len;
    abort();
}

int sys_shutdown(int fd, int how)
{
    (void)fd, (void)how;
    abort();
}

int sys_narrow(const void *filter)
{
    (void)filter;
    abort();
}

int sys_close_all(unsigned first, unsigned last)
{
    (void)first, (void)last;
    abort();
}

int sys_own_line(int line)
{
    (void)line;
    abort();
}

_Noreturn void sys_end(void)
{
    abort();
}

void poll_set_clear(struct poll_set *set)
{
    (void)set;
    abort();
}

bool poll_set_add(struct poll_set *set, struct heap *heap, int fd, short events)
{
    (void)set, (void)heap, (void)fd, (void)events;
    abort();
}

void poll_set_run(struct poll_set *set, uint64_t timeout)
{
    (void)set, (void)timeout;
    abort();
}

void seat_take(struct server *server, struct conn *conn)
{
    (void)server, (void)conn;
    abort();
}

void seat_run(struct server *server, struct seat *seat)
{
    (void)server, (void)seat;
    abort();
}

void seat_stop(struct server *server, struct seat *seat, unsigned status)
{
    (void)server, (void)seat, (void)status;
    abort();
}

void seats_wake(struct server *server, int fd)
{
    (void)server, (void)fd;
    abort();
}

void seats_feed(struct server *server)
{
    (void)server;
    abort();
}

int seats_open(struct server *server, struct err *err)
{
    (void)server, (void)err;
    abort();
}

void chacha_seed(struct chacha *chacha, const uint8_t seed[RANDOM_SEED])
{
    (void)chacha, (void)seed;
}

void chacha_bytes(struct chacha *chacha, void *to, size_t len)
{
    (void)chacha;
    memset(to, 0, len);
}

/* --- A server -----------------------------------------------------------------------------------
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct server server;
    static struct wasi wasi;
    static struct seat seat = {.instance.wasi = &wasi};
    static const char narrow[1];
    static uint8_t *memory;
    static const struct serve_config config = {.listener = LISTENER,
                                               .events = EVENTS,
                                               .leave = LEAVE,
                                               .watch = WATCH,
                                               .requests = REQUESTS,
                                               .narrow = narrow,
                                               .time = UINT64_C(30000000000),
                                               .log = -1};
    if (!memory)
        memory = aligned_alloc(ARENA_PAGE, MEMORY);
    if (!memory)
        return 0;
    memset(memory, 0, MEMORY);
    memset(files, 0, sizeof files);
    input.at = data;
    input.left = size;
    now = 1;
    coming[0] = coming[1] = 0;
    refusal = 0;
    leave_told = false;
    leave_named = true;
    waits = 0;
    wasi.network.http = lines = next() & 1;
    server = (struct server){.config = &config, .now = now, .seats = &seat};
    arena_init(&server.arena, memory, MEMORY);
    heap_init(&server.heap, &server.arena, MEMORY);
    struct err err = {0};
    if (copies_open(&server, &err))
        abort();
    size_t used = server.heap.used;
    server_loop(&server);
    for (int i = 0; i < FILES; i++)
        if (files[i].open)
            abort(); /* something was not closed */
    if (server.heap.used != used)
        abort(); /* or not given back */
    return 0;
}
