/* The loops of tests/bench/io/guest.c as a program of the host's, and the other side of a
 * connection. io nothing | read DIR | write DIR | copy | echo | client | stat DIR | open DIR */
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 65536, COUNT = 200000, PORT = 7919 };
#define SIZE (UINT64_C(1) << 28)

static char block[BLOCK];

static int beneath(int dir, const char *name, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_BENEATH};
    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

static int copy(int in, int out)
{
    for (;;) {
        ssize_t got = read(in, block, sizeof block);
        if (got <= 0)
            return got < 0;
        for (ssize_t done = 0, some; done < got; done += some)
            if ((some = write(out, block + done, (size_t)(got - done))) <= 0)
                return 1;
    }
}

static int socket_to(struct sockaddr_in *ret)
{
    *ret = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int echo(void)
{
    const int one = 1;
    struct sockaddr_in at;
    int fd = socket_to(&at);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1))
        return 1;
    fd = accept(fd, NULL, NULL);
    return copy(fd, fd);
}

/* A child sends, this reads it all back. */
static int client(void)
{
    struct sockaddr_in at;
    int fd = -1;
    for (int i = 0; i < 500; i++) {
        fd = socket_to(&at);
        if (fd < 0)
            return 1;
        if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
            break;
        close(fd);
        usleep(10000);
    }
    if (fork() == 0) {
        for (uint64_t sent = 0; sent < SIZE; sent += BLOCK)
            for (size_t done = 0; done < BLOCK;) {
                ssize_t some = write(fd, block + done, BLOCK - done);
                if (some <= 0)
                    _exit(1);
                done += (size_t)some;
            }
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    uint64_t all = 0;
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        all += (uint64_t)got;
    return all != SIZE;
}

static int storm(int dir, int opens)
{
    struct stat stat;
    if (dir < 0)
        return 1;
    for (int i = 0; i < COUNT; i++) {
        int fd = opens ? beneath(dir, "data", O_RDONLY, 0)
                       : fstatat(dir, "data", &stat, AT_SYMLINK_NOFOLLOW);
        if (fd < 0)
            return 1;
        if (opens)
            close(fd);
    }
    return 0;
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";
    int dir = count > 2 ? open(words[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (strcmp(what, "read") == 0) {
        int fd = beneath(dir, "data", O_RDONLY, 0);
        ssize_t got;
        while ((got = read(fd, block, sizeof block)) > 0)
            ;
        return got < 0;
    }
    if (strcmp(what, "write") == 0) {
        int fd = beneath(dir, "data", O_WRONLY | O_CREAT, 0600);
        for (uint64_t at = 0; at < SIZE; at += BLOCK)
            if (write(fd, block, BLOCK) != BLOCK)
                return 1;
        return 0;
    }
    if (strcmp(what, "copy") == 0 || strcmp(what, "splice") == 0)
        return copy(0, 1);
    if (strcmp(what, "echo") == 0)
        return echo();
    if (strcmp(what, "client") == 0)
        return client();
    if (strcmp(what, "stat") == 0)
        return storm(dir, 0);
    if (strcmp(what, "open") == 0)
        return storm(dir, 1);
    return strcmp(what, "nothing") != 0;
}
