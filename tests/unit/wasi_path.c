/* engine/wasi/path: where paths lead, and where they never do. Every test runs twice: on a plain
 * directory, step by step, and on a mount that follows no links, which is given whole paths. The
 * mount is made in namespaces of the test's own. */
#include "engine/wasi/fs.h"
#include "tests/unit/wasi_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static bool on_mount;

/* The tree of the escape cases: outside.txt beside the granted directory. */
static void open_tree_of_links(struct fixture *f)
{
    struct wasi_directory granted = {
        .fd = -1, .name = str_of("/"), .writable = true, .mutable = true, .no_links = on_mount};
    fixture_open(f, fixture_config(), NULL);
    if (on_mount) {
        const unsigned long no_links = 256; /* MS_NOSYMFOLLOW */
        assert_int_equal(mount(f->path, f->path, NULL, MS_BIND, NULL), 0);
        assert_int_equal(mount(NULL, f->path, NULL, MS_REMOUNT | MS_BIND | no_links, NULL), 0);
        granted.fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(granted.fd >= 0);
        f->root->fd = granted.fd;
        f->root->no_links = true;
    }
    fixture_write_file(f, "outside.txt", "secret\n");
    fixture_write_file(f, "in/ok.txt", "fine\n");
    fixture_mkdir(f, "in/sub");
    fixture_mkdir(f, "in/sub/deep");
    fixture_write_file(f, "in/sub/deep/x.txt", "deep\n");
    fixture_symlink(f, "../outside.txt", "in/evil");
    fixture_symlink(f, "..", "in/evildir");
    fixture_symlink(f, "ok.txt", "in/good");
    fixture_symlink(f, "/etc/passwd", "in/abs");
    fixture_symlink(f, "/etc", "in/absdir");
    fixture_symlink(f, "loop2", "in/loop1");
    fixture_symlink(f, "loop1", "in/loop2");
    fixture_symlink(f, "sub/deep", "in/short");
    fixture_symlink(f, "../ok.txt", "in/sub/up");
    fixture_symlink(f, "../../outside.txt", "in/sub/out");
    fixture_symlink(f, "short/", "in/slash");
    fixture_symlink(f, "new.txt", "in/dangling");
}

static void close_tree(struct fixture *f)
{
    close(f->root->fd);
    if (on_mount)
        umount2(f->path, MNT_DETACH);
    fixture_close(f);
}

/* -1 if it opened, else the error code. */
static int try_open(struct fixture *f, const char *path, int follow, int open_flags, int flags)
{
    int error;
    struct descriptor *descriptor = fixture_try_open(f, path, follow, open_flags, flags, &error);
    if (descriptor)
        fixture_drop(f, descriptor);
    return error;
}

struct row {
    const char *path;
    int follow;
    int expected; /* -1: opens */
};

static const struct row rows[] = {
    {"ok.txt", 0, -1},
    {"./ok.txt", 0, -1},
    {".//.///ok.txt", 0, -1},
    {"sub/../ok.txt", 0, -1},
    {"sub/deep/../../ok.txt", 0, -1},
    {"sub/./deep//x.txt", 0, -1},
    {"good", 1, -1},
    {"good", 0, FS_LOOP},
    {"short/x.txt", 0, -1},
    {"short/../deep/x.txt", 0, -1}, /* `..` of where the link leads, not of where it lies */
    {"short/..", 0, -1},
    {"slash/x.txt", 0, -1},
    {"sub/up", 1, -1},
    {"short/../up", 1, -1},
    {".", 0, -1},
    {"./", 0, -1},
    {"sub", 0, -1},
    {"sub/", 0, -1},
    {"sub/deep/..", 0, -1},
    {"short/", 0, -1}, /* a slash asks for what the link leads to */
    {"", 0, FS_NO_ENTRY},
    {"..", 0, FS_NOT_PERMITTED},
    {"../", 0, FS_NOT_PERMITTED},
    {"../in/ok.txt", 0, FS_NOT_PERMITTED},
    {"../outside.txt", 0, FS_NOT_PERMITTED},
    {"sub/../../outside.txt", 0, FS_NOT_PERMITTED},
    {"sub/../..", 0, FS_NOT_PERMITTED},
    {"/ok.txt", 0, FS_NOT_PERMITTED},
    {"/etc/passwd", 0, FS_NOT_PERMITTED},
    {"/", 0, FS_NOT_PERMITTED},
    {"evil", 1, FS_NOT_PERMITTED},
    {"evil", 0, FS_LOOP},
    {"evil/", 0, FS_NOT_PERMITTED},
    {"evildir/outside.txt", 0, FS_NOT_PERMITTED},
    {"evildir/in/ok.txt", 0, FS_NOT_PERMITTED},
    {"evildir", 1, FS_NOT_PERMITTED},
    {"evildir/", 0, FS_NOT_PERMITTED},
    {"evildir/.", 0, FS_NOT_PERMITTED},
    {"sub/out", 1, FS_NOT_PERMITTED},
    {"short/../out", 1, FS_NOT_PERMITTED},
    {"abs", 1, FS_NOT_PERMITTED},
    {"absdir/passwd", 0, FS_NOT_PERMITTED},
    {"loop1", 1, FS_LOOP},
    {"loop1/x", 0, FS_LOOP},
    {"loop1/", 0, FS_LOOP},
    {"dangling", 1, FS_NO_ENTRY},
    {"ok.txt/", 0, FS_NOT_DIRECTORY},
    {"ok.txt/x", 0, FS_NOT_DIRECTORY},
    {"ok.txt/..", 0, FS_NOT_DIRECTORY},
    {"ok.txt/.", 0, FS_NOT_DIRECTORY},
    {"good/", 0, FS_NOT_DIRECTORY},
    {"good/x", 0, FS_NOT_DIRECTORY},
    {"missing", 0, FS_NO_ENTRY},
    {"missing/..", 0, FS_NO_ENTRY},
    {"missing/../ok.txt", 0, FS_NO_ENTRY},
    {"...", 0, FS_NO_ENTRY},
    {"..ok.txt", 0, FS_NO_ENTRY},
};

static void reading(void **state)
{
    struct fixture f;
    (void)state;
    open_tree_of_links(&f);
    for (size_t i = 0; i < countof(rows); i++) {
        int error = try_open(&f, rows[i].path, rows[i].follow, 0, DESCRIPTOR_READ);
        if (error != rows[i].expected)
            print_error("%s (follow %d, mount %d): %s\n", rows[i].path, rows[i].follow, on_mount,
                        error < 0 ? "opened" : fs_error_name((uint8_t)error));
        assert_int_equal(error, rows[i].expected);
    }
    close_tree(&f);
}

static void odd_bytes(void **state)
{
    struct fixture f;
    char path[WASI_PATH + 10];
    (void)state;
    open_tree_of_links(&f);
    struct open_at args = {f.root, 0, {"ok.txt\0x", 8}, 0, DESCRIPTOR_READ};
    handle_or_code result;
    DO(&f, wasi_descriptor_open_at, &args, &result);
    assert_int_equal(result.tag, HOST_ERR);
    assert_int_equal(result.err, FS_INVALID);
    memset(path, 'a', sizeof path);
    args.path = (struct str){path, sizeof path};
    DO(&f, wasi_descriptor_open_at, &args, &result);
    assert_int_equal(result.err, FS_NAME_TOO_LONG);
    args.path.len = 300;
    DO(&f, wasi_descriptor_open_at, &args, &result);
    assert_int_equal(result.err, FS_NAME_TOO_LONG);
    /* As long as a path may be: dots and slashes to the last byte. */
    memset(path, '/', sizeof path);
    path[0] = '.';
    snprintf(path + WASI_PATH - 1 - 6, 7, "ok.txt");
    args.path.len = WASI_PATH - 1;
    DO(&f, wasi_descriptor_open_at, &args, &result);
    assert_int_equal(result.tag, HOST_OK);
    fixture_drop(&f, result.ok);
    close_tree(&f);
}

/* Creating, changing and removing through links that lead out. */
static void changing(void **state)
{
    struct fixture f;
    struct stat stat;
    char path[160];
    const unsigned rw = DESCRIPTOR_READ | DESCRIPTOR_WRITE;
    (void)state;
    open_tree_of_links(&f);
    assert_int_equal(try_open(&f, "../created", 0, CREATE, rw), FS_NOT_PERMITTED);
    assert_int_equal(try_open(&f, "evildir/created", 0, CREATE, rw), FS_NOT_PERMITTED);
    assert_int_equal(try_open(&f, "evil", 1, CREATE, rw), FS_NOT_PERMITTED);
    assert_int_equal(try_open(&f, "evil", 1, TRUNCATE, rw), FS_NOT_PERMITTED);
    assert_int_equal(try_open(&f, "evil", 1, CREATE | EXCLUSIVE, rw), FS_EXIST);
    assert_int_equal(try_open(&f, "evil", 0, CREATE, rw), FS_LOOP);
    assert_int_equal(try_open(&f, "new/", 0, CREATE, rw), FS_IS_DIRECTORY);
    /* Through a link inside: what it names is made. */
    assert_int_equal(try_open(&f, "dangling", 1, CREATE, rw), -1);
    snprintf(path, sizeof path, "%s/in/new.txt", f.base);
    assert_int_equal(lstat(path, &stat), 0);
    assert_true(S_ISREG(stat.st_mode));

    struct str evil = str_of("evildir/x");
    struct str up = str_of("../x");
    assert_int_equal(fs_create_directory_at(f.root, up), -PATH_OUTSIDE);
    assert_int_equal(fs_create_directory_at(f.root, evil), -PATH_OUTSIDE);
    assert_int_equal(fs_remove_directory_at(f.root, str_of("evildir/two")), -PATH_OUTSIDE);
    assert_int_equal(fs_remove_directory_at(f.root, str_of("evildir")), -ENOTDIR);
    assert_int_equal(fs_unlink_file_at(f.root, str_of("evildir/outside.txt")), -PATH_OUTSIDE);
    assert_int_equal(fs_rename_at(f.root, str_of("ok.txt"), f.root, up), -PATH_OUTSIDE);
    assert_int_equal(fs_rename_at(f.root, str_of("ok.txt"), f.root, evil), -PATH_OUTSIDE);
    assert_int_equal(fs_rename_at(f.root, evil, f.root, str_of("got")), -PATH_OUTSIDE);
    assert_int_equal(
        fs_link_at(f.root, str_of("evildir/outside.txt"), false, f.root, str_of("got")),
        -PATH_OUTSIDE);
    assert_int_equal(fs_link_at(f.root, str_of("evil"), true, f.root, str_of("got")),
                     -PATH_OUTSIDE);
    assert_int_equal(fs_link_at(f.root, str_of("ok.txt"), false, f.root, evil), -PATH_OUTSIDE);
    assert_int_equal(fs_symlink_at(str_of("y"), f.root, evil), -PATH_OUTSIDE);
    assert_int_equal(fs_symlink_at(str_of("/etc"), f.root, str_of("got")), -PATH_OUTSIDE);
    assert_int_equal(fs_link_at(f.root, str_of("ok.txt"), false, f.root, str_of("loop1/x")),
                     -ELOOP);
    assert_int_equal(fs_rename_at(f.root, str_of("ok.txt"), f.root, str_of("loop1/x")), -ELOOP);

    /* Both names through links inside. */
    assert_int_equal(fs_rename_at(f.root, str_of("short/x.txt"), f.root, str_of("short/../y.txt")),
                     0);
    assert_int_equal(fs_link_at(f.root, str_of("good"), true, f.root, str_of("short/hard")), 0);
    assert_int_equal(fs_stat_at(f.root, str_of("sub/y.txt"), false, &stat), 0);
    assert_int_equal(fs_stat_at(f.root, str_of("sub/deep/hard"), false, &stat), 0);
    assert_true(S_ISREG(stat.st_mode) && stat.st_nlink == 2);

    snprintf(path, sizeof path, "%s/outside.txt", f.base);
    assert_int_equal(lstat(path, &stat), 0);
    assert_int_equal(stat.st_size, 7);
    snprintf(path, sizeof path, "%s/created", f.base);
    assert_int_equal(lstat(path, &stat), -1);
    close_tree(&f);
}

/* Chains of links: as many as are allowed, and one more; and text that only grows. */
static void chains(void **state)
{
    struct fixture f;
    char name[32];
    char target[32];
    char blown[1001];
    (void)state;
    open_tree_of_links(&f);
    fixture_symlink(&f, "ok.txt", "in/c0");
    for (int i = 1; i <= WASI_LINKS; i++) {
        snprintf(name, sizeof name, "in/c%d", i);
        snprintf(target, sizeof target, "c%d", i - 1);
        fixture_symlink(&f, target, name);
    }
    snprintf(name, sizeof name, "c%d", WASI_LINKS - 1);
    assert_int_equal(try_open(&f, name, 1, 0, DESCRIPTOR_READ), -1);
    snprintf(name, sizeof name, "c%d", WASI_LINKS);
    assert_int_equal(try_open(&f, name, 1, 0, DESCRIPTOR_READ), FS_LOOP);
    /* Each link repeats itself behind a lot of text. */
    memset(blown, 'a', sizeof blown - 1);
    blown[sizeof blown - 1] = 0;
    memcpy(blown, "sub/../blow/", 12);
    fixture_symlink(&f, blown, "in/blow");
    assert_int_equal(try_open(&f, "blow", 1, 0, DESCRIPTOR_READ), FS_NAME_TOO_LONG);
    close_tree(&f);
}

/* Deep trees and many `..` do not make the walk long without bounds. */
static void storms(void **state)
{
    static char path[WASI_PATH];
    struct fixture f;
    size_t len = 0;
    (void)state;
    open_tree_of_links(&f);
    for (int i = 0; i < 400; i++) {
        memcpy(path + len, "d/", 3);
        len += 2;
        assert_int_equal(fs_create_directory_at(f.root, (struct str){path, len}), 0);
    }
    while (len + 6 < sizeof path) {
        memcpy(path + len, "../d/", 6);
        len += 5;
    }
    uint64_t start = sys_now();
    int error = try_open(&f, path, 0, 0, DESCRIPTOR_READ);
    assert_true(error == -1 || error == FS_LOOP);
    assert_true(sys_now() - start < 2000000000);
    close_tree(&f);
}

/* A name changes between directory and link while it is walked: outside.txt is never reached. */
static void race(void **state)
{
    struct fixture f;
    char swap[2][160];
    (void)state;
    open_tree_of_links(&f);
    fixture_mkdir(&f, "in/swap");
    fixture_write_file(&f, "in/swap/outside.txt", "inside\n");
    fixture_symlink(&f, "..", "in/swaplink");
    snprintf(swap[0], sizeof swap[0], "%s/in/swap", f.base);
    snprintf(swap[1], sizeof swap[1], "%s/in/swaplink", f.base);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (;;)
            renameat2(AT_FDCWD, swap[0], AT_FDCWD, swap[1], RENAME_EXCHANGE);
    int opened = 0;
    for (int i = 0; i < 20000; i++) {
        int error;
        struct descriptor *file =
            fixture_try_open(&f, i & 1 ? "swap/outside.txt" : "swap/../swap/outside.txt", 1, 0,
                             DESCRIPTOR_READ, &error);
        if (!file)
            continue;
        char text[8] = "";
        assert_int_equal(sys_pread(file->fd, text, 7, 0), 7);
        assert_memory_equal(text, "inside\n", 7);
        fixture_drop(&f, file);
        opened++;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(opened > 0);
    close_tree(&f);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading), cmocka_unit_test(odd_bytes), cmocka_unit_test(changing),
        cmocka_unit_test(chains),  cmocka_unit_test(storms),    cmocka_unit_test(race),
    };
    return cmocka_run_group_tests_name(on_mount ? "mount" : "plain", tests, NULL, NULL);
}

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        on_mount = true;
        if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(77);
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
            _exit(77);
        _exit(run_all());
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        print_message("no mount namespace: only the plain directory was tested\n");
    else if (status)
        return 1;
    return run_all();
}
