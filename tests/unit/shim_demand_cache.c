/* The demand cache: what is kept comes back, for the same component, engine and tables only; and
 * whatever is wrong with an entry or its place makes it as good as absent. As an ordinary user,
 * which root becomes. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/demand_cache.h"
#include "tests/unit/policy_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 54321

static char base[] = "/tmp/carrel-test-XXXXXX";
static char place[64], entry[80], engine[64];
static const uint8_t digest[DIGEST_SIZE] = {0x12, 0x03, 7}, alike[DIGEST_SIZE] = {0x12, 0x03, 8};
static struct demand kept, got;
static bool root;

static void make_file(const char *path, const char *text)
{
    cleanup_close int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
}

static int make_base(void **state)
{
    (void)state;
    root = geteuid() == 0;
    if (!mkdtemp(base) || (root && (chown(base, SOMEBODY, -1) || seteuid(SOMEBODY))))
        return -1;
    snprintf(place, sizeof place, "%s/carrel", base);
    snprintf(entry, sizeof entry, "%s/carrel/312", base);
    snprintf(engine, sizeof engine, "%s/engine", base);
    make_file(engine, "engine");
    fixture_demand(&kept);
    fixture_reach(&kept, ROW_get_stdout);
    fixture_import(&kept, ROW_get_stdin);
    memcpy(kept.bytes, "\0\3abc", 5);
    kept.head.totals[0] = 1;
    kept.names[0] = (struct demand_name){0, {&kept.bytes[2], 3}};
    kept.name_count = 1;
    return setenv("XDG_CACHE_HOME", base, 1);
}

static int remove_base(void **state)
{
    char command[64];
    (void)state;
    if (root && seteuid(0))
        return -1;
    snprintf(command, sizeof command, "rm -r %s", base);
    return system(command);
}

static int keep(void **state)
{
    (void)state;
    demand_cache_put(digest, engine, &kept);
    return 0;
}

static bool is_there(void)
{
    return demand_cache_get(digest, engine, &got);
}

static void what_is_kept_comes_back(void **state)
{
    (void)state;
    struct stat status;
    assert_true(is_there());
    assert_memory_equal(&got.head, &kept.head, sizeof kept.head);
    assert_int_equal(got.name_count, 1);
    assert_true(str_is(got.names[0].text, "abc"));
    assert_int_equal(stat(place, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(entry, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

/* Another component with the same place is not found, and takes it. */
static void a_place_holds_one(void **state)
{
    (void)state;
    assert_false(demand_cache_get(alike, engine, &got));
    demand_cache_put(alike, engine, &kept);
    assert_true(demand_cache_get(alike, engine, &got));
    assert_false(is_there());
}

static void another_engine_reads_anew(void **state)
{
    (void)state;
    make_file(engine, "another engine");
    assert_false(is_there());
    assert_false(demand_cache_get(digest, "/nowhere", &got));
}

/* Every byte counts, and so does every one that is missing or too many. */
static void damage_is_found(void **state)
{
    (void)state;
    char bytes[1024];
    cleanup_close int file = open(entry, O_RDWR | O_CLOEXEC);
    ssize_t size = pread(file, bytes, sizeof bytes, 0);
    assert_true(size > 0);
    for (ssize_t i = 0; i < size; i++) {
        char wrong = (char)(bytes[i] ^ 1);
        assert_int_equal(pwrite(file, &wrong, 1, i), 1);
        assert_false(is_there());
        assert_int_equal(pwrite(file, &bytes[i], 1, i), 1);
    }
    assert_true(is_there());
    for (ssize_t i = size - 1; i >= 0; i -= 7) {
        assert_int_equal(ftruncate(file, i), 0);
        assert_false(is_there());
    }
    assert_int_equal(pwrite(file, bytes, (size_t)size, 0), size);
    assert_true(is_there());
    assert_int_equal(pwrite(file, "", 1, size), 1);
    assert_false(is_there());
}

static void only_what_is_ours_alone_counts(void **state)
{
    (void)state;
    char other[96];
    assert_int_equal(chmod(entry, 0640), 0);
    assert_false(is_there());
    assert_int_equal(chmod(entry, 0600), 0);
    assert_int_equal(chmod(place, 0710), 0);
    assert_false(is_there());
    assert_int_equal(chmod(place, 0700), 0);
    assert_true(is_there());
    snprintf(other, sizeof other, "%s/other", base);
    assert_int_equal(rename(entry, other), 0);
    assert_int_equal(symlink(other, entry), 0);
    assert_false(is_there());
    assert_int_equal(unlink(entry), 0);
    assert_int_equal(mkfifo(entry, 0600), 0);
    assert_false(is_there()); /* and it does not wait */
    assert_int_equal(unlink(entry), 0);
    if (root) {
        assert_int_equal(seteuid(0) | rename(other, entry) | chown(entry, SOMEBODY + 1, -1), 0);
        assert_int_equal(seteuid(SOMEBODY), 0);
        assert_false(is_there());
    }
}

/* There is nowhere to keep it: nothing happens. */
static void without_a_place_nothing_is_kept(void **state)
{
    (void)state;
    assert_int_equal(setenv("XDG_CACHE_HOME", "/nowhere/at/all", 1), 0);
    demand_cache_put(digest, engine, &kept);
    assert_false(is_there());
    assert_int_equal(setenv("XDG_CACHE_HOME", "not/absolute", 1) | unsetenv("HOME"), 0);
    demand_cache_put(digest, engine, &kept);
    assert_false(is_there());
    setenv("XDG_CACHE_HOME", base, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_kept_comes_back, keep),
        cmocka_unit_test_setup(a_place_holds_one, keep),
        cmocka_unit_test_setup(another_engine_reads_anew, keep),
        cmocka_unit_test_setup(damage_is_found, keep),
        cmocka_unit_test_setup(only_what_is_ours_alone_counts, keep),
        cmocka_unit_test_setup(without_a_place_nothing_is_kept, keep),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
