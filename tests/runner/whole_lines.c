/* What the command says on standard error it writes line by line, each with one call: others write
 * to the same place. Standard error is a socket that keeps apart what is written apart.
 *
 *   whole_lines CARREL
 *
 * The last line is `N passed, N failed`. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG                                                                                       \
    "a-name-that-is-longer-than-what-musl-puts-together-by-itself-for-who-has-given-no-place"

/* Each ends before there is a cell. */
static const char *const commands[][4] = {
    {"run", "/nowhere/" LONG ".wasm"},
    {"run", "--" LONG},
    {"run", "--policy", LONG},
    {"audit", "/nowhere/" LONG, "/nowhere/again-" LONG},
};

static size_t passed, failed;

static void check(bool good, const char *what, const char *line)
{
    passed += good;
    failed += !good;
    if (!good)
        printf("FAILED %s: %s\n", what, line);
}

static void try(const char *carrel, const char *const command[4])
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        execl(carrel, carrel, command[0], command[1], command[2], command[3], (char *)NULL);
        _exit(126);
    }
    close(ends[1]);
    char line[16384];
    ssize_t size;
    size_t lines = 0;
    for (; (size = recv(ends[0], line, sizeof line - 1, 0)) > 0; lines++) {
        line[size] = '\0';
        check(line[size - 1] == '\n', "no whole line", line);
    }
    check(pid > 0 && waitpid(pid, NULL, 0) == pid && lines > 0, "nothing was said", command[1]);
    close(ends[0]);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: whole_lines CARREL\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        try(argv[1], commands[i]);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}
