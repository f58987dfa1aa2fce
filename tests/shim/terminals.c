/* A terminal never enters a cell: what the shim pumps, and what it keeps back. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master, slave;
static char screen[1 << 20];
static size_t screen_size;

static int open_terminal(void **state)
{
    (void)state;
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master))
        return -1;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;
    tcgetattr(slave, &mode);
    mode.c_oflag &= ~(tcflag_t)OPOST; /* output as it is */
    mode.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(slave, TCSANOW, &mode);
    screen_size = 0;
    return 0;
}

static int close_terminal(void **state)
{
    (void)state;
    close(slave);
    close(master);
    return 0;
}

/* The shim gets the terminal as its own. */
static void take_terminal(void)
{
    setsid();
    ioctl(0, TIOCSCTTY, 0);
}

/* Reads what is on the screen, for a moment or until the shim ends. */
static bool look(int milliseconds)
{
    struct pollfd wait = {master, POLLIN, 0};
    if (poll(&wait, 1, milliseconds) <= 0)
        return false;
    ssize_t size = read(master, screen + screen_size, sizeof screen - 1 - screen_size);
    if (size > 0)
        screen_size += (size_t)size;
    screen[screen_size] = '\0';
    return size > 0;
}

static bool on_screen(const char *text)
{
    for (int i = 0; i < 100; i++) {
        screen[screen_size] = '\0';
        if (strstr(screen, text))
            return true;
        look(50);
    }
    return false;
}

static void type(const char *text)
{
    assert_int_equal(write(master, text, strlen(text)), strlen(text));
}

static int end(pid_t shim, struct result *result)
{
    int status;
    while (waitpid(shim, &status, WNOHANG) == 0)
        look(10);
    while (look(50))
        ;
    (void)result;
    return status;
}

static pid_t start(const char *script, struct result **ret)
{
    return fixture_start(
        &(struct wish){.script = script, .streams = {slave, slave, slave}, .before = take_terminal},
        ret);
}

static void the_guest_talks_to_it_through_pipes(void **state)
{
    (void)state;
    struct result *result;
    pid_t shim = start("grants\ncat\nprint done\n", &result);
    assert_true(on_screen("0 0 1 -\n1 1 2 -\n2 2 2 -\n")); /* read or write */
    assert_true(on_screen("terminals 7\n"));
    if (fixture_root()) {
        for (int fd = 0; fd < 3; fd++) {
            char path[64], target[64] = "";
            snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)fixture_cell(shim), fd);
            assert_true(readlink(path, target, sizeof target - 1) > 0);
            assert_memory_equal(target, "pipe:", 5);
        }
    }
    type("typed\n");
    assert_true(on_screen("typed\n"));
    type("\x04"); /* the end of input */
    int status = end(shim, result);
    assert_true(on_screen("done\n"));
    assert_true(WIFEXITED(status));
    assert_true(result->outcome.by_guest);
    assert_true(wall_in(result->outcome.walls.standing, WALL_TERMINAL));
}

static void queries_do_not_reach_it(void **state)
{
    (void)state;
    struct result *result;
    pid_t shim = start("print a\x1b[6n\x1b[c\x1b]52;c;?\x07\x1b[31mb\n", &result);
    end(shim, result);
    assert_string_equal(screen, "a\x1b[31mb\n");
}

static void output_and_errors_keep_their_order(void **state)
{
    (void)state;
    char script[8192], expected[4096];
    size_t script_size = 0, expected_size = 0;
    for (int i = 0; i < 100; i++) {
        script_size += (size_t)snprintf(script + script_size, sizeof script - script_size,
                                        "print o%d\nerror e%d\n", i, i);
        expected_size += (size_t)snprintf(expected + expected_size, sizeof expected - expected_size,
                                          "o%d\ne%d\n", i, i);
    }
    struct result *result;
    end(start(script, &result), result);
    assert_string_equal(screen, expected);
}

static void no_output_is_lost(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    static char script[LINES * 128];
    size_t size = 0;
    for (int i = 0; i < LINES; i++)
        size += (size_t)snprintf(script + size, sizeof script - size, "print %0100d\n", i);
    struct result *result;
    end(start(script, &result), result);
    assert_int_equal(screen_size, LINES * 101);
    for (int i = 0; i < LINES; i++)
        assert_int_equal(atoi(screen + i * 101), i);
}

static void the_interrupt_key_ends_both(void **state)
{
    (void)state;
    struct result *result;
    pid_t shim = start("print on\nspin\n", &result);
    assert_true(on_screen("on\n"));
    type("\x03");
    int status = end(shim, result);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_int_equal(kill(result->cell, 0), -1);
}

/* Whoever reads the terminal next must not get what was meant for the guest. */
static void pending_input_is_flushed(void **state)
{
    (void)state;
    struct result *result;
    pid_t shim = start("print on\nspin\n", &result);
    assert_true(on_screen("on\n"));
    kill(shim, SIGSTOP); /* so that it is not pumped */
    type("rm -rf /\n");
    kill(shim, SIGTERM);
    kill(shim, SIGCONT);
    end(shim, result);
    char bytes[64];
    cleanup_close int again = open(ptsname(master), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(read(again, bytes, sizeof bytes), -1);
    assert_int_equal(errno, EAGAIN);
}

/* Whether the shim ends by itself, within five seconds. */
static bool ends_in_time(pid_t shim)
{
    int status;
    for (int i = 0; i < 500; i++) {
        if (waitpid(shim, &status, WNOHANG) == shim)
            return true;
        usleep(10000);
    }
    kill(shim, SIGKILL);
    waitpid(shim, &status, 0);
    return false;
}

/* `lines` of output for a terminal of which nobody reads; how it ended, if it did in time. What is
 * filtered out of them leaves writes of all sizes, for which there is room in part. */
static enum err_kind write_to_nobody(int lines, const char *engine, void (*before)(void))
{
    static char script[400000];
    size_t size = 0;
    for (int i = 0; i < lines; i++)
        size += (size_t)snprintf(script + size, sizeof script - size, "print \x1b[6n%0100d\n", i);
    struct result *result;
    pid_t shim = fixture_start(&(struct wish){.script = script,
                                              .engine = engine,
                                              .streams = {slave, slave, slave},
                                              .timeout = 300000000,
                                              .before = before},
                               &result);
    return ends_in_time(shim) ? result->outcome.why.kind : ERR_NONE;
}

/* A terminal that takes nothing (^S) blocks the guest's output, and nothing else. */
static void a_stopped_terminal_does_not_stop_the_shim(void **state)
{
    (void)state;
    tcflow(slave, TCOOFF);
    enum err_kind kind = write_to_nobody(3000, NULL, take_terminal);
    tcflow(slave, TCOON);
    assert_int_equal(kind, ERR_TIME);
}

/* The guest is done in time; its output, which fits into the pipe, has to arrive in time, too. */
static void the_time_limit_bounds_output_as_well(void **state)
{
    (void)state;
    tcflow(slave, TCOOFF);
    enum err_kind kind = write_to_nobody(20, NULL, take_terminal);
    tcflow(slave, TCOON);
    assert_int_equal(kind, ERR_TIME);
}

static void become_another(void)
{
    take_terminal();
    if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) /* or /proc/self would be root's */
        abort();
}

/* Somebody else's terminal cannot be opened again: writing to it may block, but not for long. */
static void a_terminal_of_somebody_else_does_not_stop_the_shim(void **state)
{
    (void)state;
    if (!fixture_root())
        skip(); /* there is nobody else */
    char place[] = "/tmp/carrel-test-XXXXXX", engine[64], command[512];
    assert_non_null(mkdtemp(place));
    snprintf(engine, sizeof engine, "%s/engine", place);
    snprintf(command, sizeof command, "chmod 755 %s && install -m 755 %s %s", place,
             fixture_engine("engine"), engine);
    assert_int_equal(system(command), 0);
    enum err_kind kind = write_to_nobody(3000, engine, become_another);
    snprintf(command, sizeof command, "rm -r %s", place);
    assert_int_equal(system(command), 0);
    assert_int_equal(kind, ERR_TIME);
}

static void the_terminals_own_mode_is_left_alone(void **state)
{
    (void)state;
    struct termios before = {0}, after = {0};
    int flags = fcntl(slave, F_GETFL);
    tcgetattr(slave, &before);
    struct result *result;
    end(start("print x\n", &result), result);
    tcgetattr(slave, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(fcntl(slave, F_GETFL), flags);
}

#define terminal_test(test) cmocka_unit_test_setup_teardown(test, open_terminal, close_terminal)

int main(void)
{
    const struct CMUnitTest tests[] = {
        terminal_test(the_guest_talks_to_it_through_pipes),
        terminal_test(queries_do_not_reach_it),
        terminal_test(output_and_errors_keep_their_order),
        terminal_test(no_output_is_lost),
        terminal_test(the_interrupt_key_ends_both),
        terminal_test(pending_input_is_flushed),
        terminal_test(a_stopped_terminal_does_not_stop_the_shim),
        terminal_test(the_time_limit_bounds_output_as_well),
        terminal_test(a_terminal_of_somebody_else_does_not_stop_the_shim),
        terminal_test(the_terminals_own_mode_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
