/* Directory grants against an engine that tries to get out: each attack with all walls, and with
 * one wall after the other taken away. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "tests/shim/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_RULES (R(OPEN_READ) | R(OPEN_PATH) | R(CLOSE) | R(STAT) | R(GETDENTS) | R(READLINK))
#define WRITE_RULES                                                                                \
    (READ_RULES | R(OPEN_WRITE) | R(MKDIR) | R(UNLINK) | R(RENAME) | R(LINK) | R(SYMLINK))

static char place[64], grant[128], other[128];

static void path_in(char *ret, size_t size, const char *directory, const char *name)
{
    if (snprintf(ret, size, "%s/%s", directory, name) >= (int)size)
        abort();
}

static void make_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    path_in(path, sizeof path, directory, name);
    cleanup_close int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
}

static void make_link(const char *to, const char *name)
{
    char path[256];
    path_in(path, sizeof path, grant, name);
    assert_int_equal(symlink(to, path), 0);
}

/* place/secret, place/other, and place/grant with a file and links out. */
static int make_place(void **state)
{
    char path[256];
    (void)state;
    snprintf(place, sizeof place, "/tmp/carrel-test-XXXXXX");
    assert_non_null(mkdtemp(place));
    path_in(grant, sizeof grant, place, "grant");
    path_in(other, sizeof other, place, "other");
    path_in(path, sizeof path, grant, "sub");
    assert_int_equal(mkdir(grant, 0755) | mkdir(other, 0755) | mkdir(path, 0755), 0);
    make_file(place, "secret", "secret");
    make_file(grant, "file", "content");
    make_link("/etc/passwd", "absolute");
    make_link("../secret", "relative");
    make_link("file", "inside");
    make_link("/proc/self/root/etc/passwd", "magic");
    assert_int_equal(chmod(place, 0755), 0);
    if (!fixture_root())
        return 0;
    /* Somebody else's directory: the cell is to act as its owner. */
    path_in(path, sizeof path, grant, "file");
    return chown(grant, 12345, 54321) | chown(path, 12345, 54321);
}

static int remove_place(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", place);
    return system(command);
}

static void without_landlock(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind != OPERATION_LANDLOCK && plan->at[i].kind != OPERATION_LANDLOCK_RULE)
            plan->at[kept++] = plan->at[i];
    }
    plan->count = kept;
}

static void set_attributes(struct plan *plan, uint64_t attributes)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind == OPERATION_DIRECTORY)
            plan->at[i].of.directory.attributes = attributes;
    }
}

/* Links are followed, and nothing but Landlock keeps it read-only. */
static void without_attributes(struct plan *plan)
{
    set_attributes(plan, MOUNT_ATTR_NOSUID);
}

static void without_landlock_following(struct plan *plan)
{
    without_landlock(plan);
    set_attributes(plan, MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY);
}

static wall_set missing; /* in the cell that tried last */

/* What a cell with grant 3 (descriptor 4) prints. */
static const char *tries(const char *script, bool read_only, rule_set allowed,
                         void (*change)(struct plan *plan))
{
    static char text[512];
    const struct policy_directory directories[] = {{grant, "/g", read_only}, {other, "/o", false}};
    snprintf(text, sizeof text, "%s\n", script);
    const struct result *result = fixture_run(&(struct wish){.script = text,
                                                             .directories = directories,
                                                             .directory_count = 2,
                                                             .rules = allowed,
                                                             .change = change});
    missing = result->outcome.walls.missing;
    if (!result->outcome.by_guest)
        return result->outcome.signal == SIGSYS ? "SIGSYS" : result->outcome.why.text;
    return result->output;
}

static void assert_result(const char *script, bool read_only, void (*change)(struct plan *plan),
                          int expected)
{
    const char *printed = tries(script, read_only, WRITE_RULES, change);
    int got = -atoi(printed);
    /* Where ids cannot be mapped, that the cell is a stranger may be found first. */
    if (wall_in(missing, WALL_IDMAP) && (expected == EROFS || expected == EACCES) &&
        (got == EACCES || got == EPERM))
        return;
    if (got != expected)
        fail_msg("%s: %s, expected %d", script, printed, -expected);
}

static void what_is_granted_works(void **state)
{
    (void)state;
    assert_string_equal(tries("call 257 4 @file 0\nread 6", true, READ_RULES, NULL), "6\ncontent");
    assert_string_equal(tries("call 257 4 @file 0\nread 6", false, WRITE_RULES, NULL),
                        "6\ncontent");
}

static void a_new_file_belongs_to_the_directorys_owner(void **state)
{
    (void)state;
    char path[256];
    struct stat status, directory;
    path_in(path, sizeof path, grant, "new");
    const char *printed = tries("call 257 4 @new 65 0644\nwrite 6 hello", false, WRITE_RULES, NULL);
    if (wall_in(missing, WALL_IDMAP))
        skip(); /* this file system cannot: the cell is a stranger there */
    assert_string_equal(printed, "6\n5\n");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(stat(grant, &directory), 0);
    assert_int_equal(status.st_uid, directory.st_uid);
    assert_int_equal(status.st_gid, directory.st_gid);
    assert_int_equal(unlink(path), 0);
}

/* Ways out, for reading: expected errors with all walls, without Landlock, without attributes, and
 * with links followed and no Landlock. 0: it stays inside and finds something there. */
static void nothing_leads_out(void **state)
{
    (void)state;
    static void (*const changes[])(struct plan *) = {NULL, without_landlock, without_attributes,
                                                     without_landlock_following};
    static const struct {
        const char *path;
        int errors[4];
    } ways[] = {
        {"../secret", {ENOENT, ENOENT, ENOENT, ENOENT}},
        {"../../../../../../etc/passwd", {ENOENT, ENOENT, ENOENT, ENOENT}},
        {"sub/../../secret", {ENOENT, ENOENT, ENOENT, ENOENT}},
        {"/etc/passwd", {ENOENT, ENOENT, ENOENT, ENOENT}},
        {"/proc/self/root", {ENOENT, ENOENT, ENOENT, ENOENT}},
        {"absolute", {ELOOP, ELOOP, ENOENT, ENOENT}},
        {"relative", {ELOOP, ELOOP, ENOENT, ENOENT}},
        {"magic", {ELOOP, ELOOP, ENOENT, ENOENT}},
    };
    for (size_t way = 0; way < countof(ways); way++) {
        char script[128];
        snprintf(script, sizeof script, "call 257 4 @%s 0", ways[way].path);
        for (size_t change = 0; change < countof(changes); change++)
            assert_result(script, true, changes[change], ways[way].errors[change]);
    }
    /* The directory above the grant is the grant. */
    assert_string_equal(
        tries("call 257 4 @.. 65536\ncall 257 6 @file 0\nread 7", true, READ_RULES, NULL),
        "6\n7\ncontent");
    assert_string_equal(tries("call 257 4 @.. 65536\ncall 257 6 @secret 0", true, READ_RULES, NULL),
                        "6\n-2\n");
}

/* Changing what is read-only: the mount says EROFS, Landlock EACCES; each alone is enough. */
static void read_only_is_read_only(void **state)
{
    (void)state;
    static const char *const changing[] = {
        "call 257 4 @file 1",          /* open for writing */
        "call 257 4 @file 513",        /* and truncate */
        "call 257 4 @file 512",        /* open for reading and truncate */
        "call 257 4 @new 65 0644",     /* create */
        "call 258 4 @directory 0755",  /* mkdirat */
        "call 263 4 @file 0",          /* unlinkat */
        "call 316 4 @file 4 @moved 0", /* renameat2 */
        "call 265 4 @file 4 @hard 0",  /* linkat */
        "call 266 @file 4 @soft",      /* symlinkat */
    };
    for (size_t i = 0; i < countof(changing); i++) {
        const char *printed = tries(changing[i], true, WRITE_RULES, NULL);
        if (atoi(printed) != -EROFS && atoi(printed) != -EACCES)
            fail_msg("%s: %s", changing[i], printed);
        assert_result(changing[i], true, without_landlock, EROFS);
        assert_result(changing[i], true, without_attributes, EACCES);
        /* The filter of a read-only world has none of them. */
        if (i != 0)
            assert_string_equal(tries(changing[i], true, READ_RULES, NULL), "SIGSYS");
    }
    char path[256];
    path_in(path, sizeof path, grant, "file");
    assert_int_equal(access(path, F_OK), 0);
}

static void two_grants_are_two_mounts(void **state)
{
    (void)state;
    assert_result("call 316 4 @file 5 @file 0", false, NULL, EXDEV);
    assert_result("call 265 4 @file 5 @file 0", false, without_landlock, EXDEV);
    assert_result("call 265 4 @file 5 @file 0", true, without_landlock, EXDEV);
}

static void what_cannot_be_granted_is_said(void **state)
{
    (void)state;
    char path[256];
    path_in(path, sizeof path, place, "secret");
    const struct policy_directory directories[] = {{"/nowhere/at/all", "/g", true},
                                                   {path, "/g", true}};
    const struct result *result = fixture_run(
        &(struct wish){.script = "print no\n", .directories = directories, .directory_count = 1});
    assert_int_equal(result->outcome.why.kind, ERR_ABSENT);
    assert_non_null(strstr(result->outcome.why.text, "/nowhere/at/all: No such file"));
    result = fixture_run(&(struct wish){
        .script = "print no\n", .directories = directories + 1, .directory_count = 1});
    assert_int_equal(result->outcome.why.kind, ERR_ABSENT);
    assert_non_null(strstr(result->outcome.why.text, "Not a directory"));
}

/* A path is judged without links: one that came after that leads nowhere. */
static void a_link_that_came_later_is_not_followed(void **state)
{
    (void)state;
    char link[256], below[300];
    path_in(link, sizeof link, place, "later");
    assert_int_equal(symlink(other, link), 0);
    path_in(below, sizeof below, link, ".");
    const struct policy_directory directories[] = {{link, "/g", true}, {below, "/g", true}};
    for (size_t i = 0; i < countof(directories); i++) {
        const struct result *result = fixture_run(&(struct wish){
            .script = "print no\n", .directories = &directories[i], .directory_count = 1});
        assert_int_equal(result->outcome.why.kind, ERR_ABSENT);
        assert_non_null(strstr(result->outcome.why.text, link));
    }
    assert_int_equal(unlink(link), 0);
}

/* A mount below the granted directory, in a mount namespace of the test's own. */
static void mount_below(void)
{
    char path[256];
    path_in(path, sizeof path, grant, "sub");
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", path, "tmpfs", 0, "mode=777"))
        perror("mount");
    make_file(path, "below", "deep");
}

static void mounts_below_are_granted_the_same_way(void **state)
{
    (void)state;
    if (!fixture_root())
        skip(); /* it takes a mount */
    const struct policy_directory directory = {grant, "/g", true};
    const struct result *result = fixture_run(
        &(struct wish){.script = "call 257 4 @sub/below 0\nread 5\ncall 257 4 @sub/new 65 0644\n",
                       .directories = &directory,
                       .directory_count = 1,
                       .rules = WRITE_RULES,
                       .change = without_landlock,
                       .before = mount_below});
    assert_string_equal(result->outcome.why.text, "");
    assert_string_equal(result->output, "5\ndeep-30\n");
}

/* --- Standard streams --------------------------------------------------------------------------
 */

static void a_directory_is_no_standard_input(void **state)
{
    (void)state;
    cleanup_close int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct result *result = fixture_run(&(struct wish){
        .script = "cat\nprint end\n", .rules = READ_RULES, .streams = {directory, 0, 0}});
    assert_string_equal(result->output, "end\n"); /* it is /dev/null, whose end comes at once */
}

/* A regular file as a standard stream can be read or written from where it stands, and no more: the
 * calls for files do not reach it, even where directories are granted. */
static void a_file_as_stream_is_a_stream(void **state)
{
    static const char *const scripts[] = {
        "call 17 0 @x 1 0",             /* pread64 */
        "call 262 0 @ @x 4096",         /* newfstatat */
        "call 18 1 @x 1 0",             /* pwrite64 */
        "call 77 1 0",                  /* ftruncate */
        "call 285 1 0 0 4096",          /* fallocate */
        "call 280 1 0 0 0",             /* utimensat */
        "call 74 1",                    /* fsync */
        "call 3 0\ncall 257 4 @file 0", /* close, to be given its number */
    };
    const rule_set with =
        WRITE_RULES | R(PREAD) | R(PWRITE) | R(FTRUNCATE) | R(ALLOCATE) | R(UTIMENS) | R(FSYNC);
    char path[256];
    (void)state;
    path_in(path, sizeof path, grant, "file");
    cleanup_close int input = open(path, O_RDONLY | O_CLOEXEC);
    path_in(path, sizeof path, place, "stream");
    for (size_t i = 0; i < countof(scripts); i++) {
        make_file(place, "stream", "kept");
        cleanup_close int output = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        const struct policy_directory directory = {grant, "/", false};
        const struct result *result = fixture_run(&(struct wish){.script = scripts[i],
                                                                 .rules = with,
                                                                 .directories = &directory,
                                                                 .directory_count = 1,
                                                                 .streams = {input, output, 0}});
        assert_int_equal(result->outcome.signal, SIGSYS);
        char bytes[64] = "";
        cleanup_close int again = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(again, bytes, sizeof bytes), 4);
        assert_string_equal(bytes, "kept");
    }
}

static void a_stream_goes_one_way(void **state)
{
    (void)state;
    char path[256], bytes[64] = "";
    path_in(path, sizeof path, place, "both");
    make_file(place, "both", "input");
    cleanup_close int both = open(path, O_RDWR | O_CLOEXEC);
    const struct result *result =
        fixture_run(&(struct wish){.script = "cat\nwrite 0 changed\n", .streams = {both, 0, 0}});
    assert_string_equal(result->output, "input-9\n"); /* EBADF */
    assert_int_equal(pread(both, bytes, sizeof bytes, 0), 5);
    /* What is only for writing is no input. */
    cleanup_close int wrong = open(path, O_WRONLY | O_CLOEXEC);
    result = fixture_run(&(struct wish){.script = "cat\nprint end\n", .streams = {wrong, 0, 0}});
    assert_string_equal(result->output, "end\n");
}

/* What one writes after the other to a file that the caller opened lands one after the other. */
static void offsets_are_shared_with_the_caller(void **state)
{
    (void)state;
    char path[256], bytes[64] = "";
    path_in(path, sizeof path, place, "log");
    cleanup_close int log = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(log, "a\n", 2), 2);
    fixture_run(&(struct wish){.script = "print b\n", .streams = {0, log, 0}});
    assert_int_equal(write(log, "c\n", 2), 2);
    cleanup_close int again = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(again, bytes, sizeof bytes), 6);
    assert_string_equal(bytes, "a\nb\nc\n");
}

static void a_pipe_stays_as_blocking_as_it_was(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fixture_run(&(struct wish){.script = "print b\n", .streams = {0, ends[1], 0}});
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_works),
        cmocka_unit_test(a_new_file_belongs_to_the_directorys_owner),
        cmocka_unit_test(nothing_leads_out),
        cmocka_unit_test(read_only_is_read_only),
        cmocka_unit_test(two_grants_are_two_mounts),
        cmocka_unit_test(what_cannot_be_granted_is_said),
        cmocka_unit_test(a_link_that_came_later_is_not_followed),
        cmocka_unit_test(mounts_below_are_granted_the_same_way),
        cmocka_unit_test(a_directory_is_no_standard_input),
        cmocka_unit_test(a_file_as_stream_is_a_stream),
        cmocka_unit_test(a_stream_goes_one_way),
        cmocka_unit_test(offsets_are_shared_with_the_caller),
        cmocka_unit_test(a_pipe_stays_as_blocking_as_it_was),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
