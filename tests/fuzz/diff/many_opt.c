/* Preloaded into wasm-opt, makes it carry out many commands and start once: its constructors cost
 * more than most of the modules do that the fuzzer wants. It reads commands from standard input,
 * one a line, arguments between tabs, runs each in a forked child, and prints each one's exit
 * status. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS    64
#define SECONDS 20

typedef int main_function(int argc, char **argv, char **env);
typedef int start_function(main_function *entry, int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

static main_function *real_main;

static void silence(void)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        _exit(126);
    for (int fd = 0; fd <= 2; fd++)
        dup2(null, fd);
    alarm(SECONDS);
}

static int carry_out(char *name, char *line, char **env)
{
    char *args[ARGS + 1] = {name};
    int count = 1;
    for (char *left = line, *arg; (arg = strsep(&left, "\t\n")) && *arg && count < ARGS;)
        args[count++] = arg;
    pid_t child = fork();
    if (child == 0) {
        silence();
        _exit(real_main(count, args, env));
    }
    int status;
    return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

static int serve(int argc, char **argv, char **env)
{
    char *line = NULL;
    size_t size = 0;
    (void)argc;
    while (getline(&line, &size, stdin) > 0) {
        printf("%d\n", carry_out(argv[0], line, env));
        fflush(stdout);
    }
    free(line);
    return 0;
}

__attribute__((visibility("default"))) int
__libc_start_main(main_function *entry, int argc, char **argv, void (*init)(void),
                  void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

/* What the C library's start calls is found here first. */
int __libc_start_main(main_function *entry, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *start = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    if (!start)
        _exit(127);
    real_main = entry;
    return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
