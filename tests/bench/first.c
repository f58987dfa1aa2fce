/* From the start of a server to the first byte of its first answer: the median of some starts, and
 * the fastest, in milliseconds.
 *
 *   first ROUNDS PORT COMMAND...   which serves on 127.0.0.1:PORT, until SIGTERM
 *
 * It asks as soon as somebody listens, and again until then: a client that cannot know. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* 1: answered; 0: nobody listens; -1: somebody does, and says nothing. */
static int ask(uint16_t port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char answer[16];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int answered = 0;
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        answered = write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1 &&
                           read(fd, answer, sizeof answer) > 0
                       ? 1
                       : -1;
    close(fd);
    return answered;
}

/* One start, or a negative number. */
static double start(uint16_t port, char **command)
{
    double began = now();
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
            _exit(127);
        execvp(command[0], command);
        _exit(127);
    }
    if (child < 0)
        return -1;
    int answered = 0;
    while (!answered && waitpid(child, NULL, WNOHANG) == 0) {
        answered = ask(port);
        if (!answered)
            usleep(50);
    }
    double took = now() - began;
    if (!answered)
        return -1; /* it has ended */
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return answered > 0 ? took : -1;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double times[1000];
    size_t rounds = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (rounds < 1 || rounds > sizeof times / sizeof *times) {
        fprintf(stderr, "usage: first ROUNDS PORT COMMAND...\n");
        return 2;
    }
    for (size_t i = 0; i < rounds; i++) {
        times[i] = start((uint16_t)strtoul(argv[2], NULL, 10), argv + 3);
        if (times[i] < 0) {
            fprintf(stderr, "first: %s did not answer\n", argv[3]);
            return 1;
        }
    }
    qsort(times, rounds, sizeof *times, compare);
    printf("%.2f %.2f\n", times[rounds / 2], times[0]);
    return 0;
}
