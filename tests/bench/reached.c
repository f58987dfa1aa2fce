/* The functions that a command and its children go through, each once, in the order in which they
 * are reached:
 *
 *   reached SYMBOLS PROGRAM COMMAND [ARG...]
 *
 * Functions of PROGRAM, by the name of its file; SYMBOLS is what `nm -n` prints of it. What a start
 * goes through is then linked close together (start.order): each piece of a program that is touched
 * for the first time costs some microseconds. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTIONS_MOST 65536
#define TRACED_MOST    64
#define STOP           0xcc /* the instruction int3 */

struct function {
    uint64_t at;
    char name[128];
    uint8_t first; /* its first byte */
    bool reached;
};

/* One process: where PROGRAM lies in it, or 0. */
struct traced {
    pid_t pid;
    uint64_t base;
};

static struct function functions[FUNCTIONS_MOST];
static size_t function_count;
static struct traced all[TRACED_MOST];

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void read_symbols(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[512], kind;
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file) && function_count < FUNCTIONS_MOST) {
        struct function *next = &functions[function_count];
        if (sscanf(line, "%lx %c %127s", &next->at, &kind, next->name) == 3 &&
            (kind == 't' || kind == 'T'))
            function_count++;
    }
    fclose(file);
}

static struct traced *traced_of(pid_t pid)
{
    struct traced *empty = NULL;
    for (size_t i = 0; i < TRACED_MOST; i++) {
        if (all[i].pid == pid)
            return &all[i];
        if (!empty && all[i].pid == 0)
            empty = &all[i];
    }
    if (!empty)
        fail("too many processes");
    *empty = (struct traced){.pid = pid};
    return empty;
}

/* Where PROGRAM lies in the process: 0 if it executes something else. */
static uint64_t base_of(pid_t pid, const char *program)
{
    char path[64], line[512];
    uint64_t base = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && base == 0 && fgets(line, sizeof line, file)) {
        const char *slash = strrchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        if (slash && strcmp(slash + 1, program) == 0)
            base = strtoull(line, NULL, 16);
    }
    if (file)
        fclose(file);
    return base;
}

/* Writes a byte of the process: the one that stops it, or what stood there. */
static void put(int memory, uint64_t at, uint8_t byte)
{
    if (pwrite(memory, &byte, 1, (off_t)at) != 1)
        fail("pwrite");
}

static int open_memory(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0)
        fail(path);
    return memory;
}

/* Has the process stop at the first instruction of each function. */
static void watch(const struct traced *traced)
{
    int memory = open_memory(traced->pid);
    for (size_t i = 0; i < function_count; i++) {
        struct function *function = &functions[i];
        uint64_t at = traced->base + function->at;
        if (pread(memory, &function->first, 1, (off_t)at) != 1)
            fail("pread");
        put(memory, at, STOP);
    }
    close(memory);
}

/* The process stopped at a function: that is told once, and it goes on as if nothing had been. */
static bool arrived(const struct traced *traced)
{
    struct user_regs_struct registers;
    if (!traced->base || ptrace(PTRACE_GETREGS, traced->pid, NULL, &registers))
        return false;
    uint64_t at = registers.rip - 1 - traced->base;
    for (size_t i = 0; i < function_count; i++) {
        struct function *function = &functions[i];
        if (function->at != at)
            continue;
        if (!function->reached)
            puts(function->name);
        function->reached = true;
        registers.rip--;
        int memory = open_memory(traced->pid);
        put(memory, registers.rip, function->first);
        close(memory);
        return ptrace(PTRACE_SETREGS, traced->pid, NULL, &registers) == 0;
    }
    return false;
}

static void go_on(struct traced *traced, int status, const char *program)
{
    int number = WSTOPSIG(status), event = status >> 16;
    unsigned long child;
    if (event == PTRACE_EVENT_EXEC) {
        traced->base = base_of(traced->pid, program);
        if (traced->base)
            watch(traced);
    } else if (event && ptrace(PTRACE_GETEVENTMSG, traced->pid, NULL, &child) == 0) {
        traced_of((pid_t)child)->base = traced->base;
    }
    if (event || number == SIGSTOP || (number == SIGTRAP && arrived(traced)))
        number = 0;
    ptrace(PTRACE_CONT, traced->pid, NULL, (long)number);
}

int main(int count, char **arguments)
{
    if (count < 4) {
        fprintf(stderr, "usage: reached SYMBOLS PROGRAM COMMAND [ARG...]\n");
        return 1;
    }
    read_symbols(arguments[1]);
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        raise(SIGSTOP);
        execvp(arguments[3], arguments + 3);
        _exit(127);
    }
    int status;
    if (first < 0 || waitpid(first, &status, 0) < 0)
        fail("fork");
    ptrace(PTRACE_SETOPTIONS, first, NULL,
           PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
               PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, first, NULL, NULL);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        struct traced *traced = traced_of(pid);
        if (WIFSTOPPED(status))
            go_on(traced, status, arguments[2]);
        else
            *traced = (struct traced){0};
    }
    return 0;
}
