/* The sealed copy of a component. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/component.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char path[] = "/tmp/carrel-test-component-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    if (file < 0)
        return -1;
    for (int i = 0; i < 100000; i++) {
        if (write(file, "0123456789", 10) != 10)
            return -1;
    }
    return close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* What `copy` waits with: as often as it is allowed to, then not any more. */
static int waits_left;

static int wait_a_while(void *data, int file, struct err *err)
{
    (void)data;
    (void)file;
    if (waits_left-- > 0)
        return 0;
    return err_set(err, ERR_TIME, ERR_NOWHERE, "it takes too long");
}

static int copy(const char *from, struct component *ret, struct err *err)
{
    waits_left = INT_MAX;
    return component_copy(from, wait_a_while, NULL, ret, err);
}

/* Nothing waits for the writer of a pipe but `wait`. */
static void a_pipe_is_waited_for_as_long_as_one_wants(void **state)
{
    (void)state;
    char fifo[] = "/tmp/carrel-test-fifo-XXXXXX", in_fifo[64];
    struct component component;
    struct err err = {0};
    assert_non_null(mkdtemp(fifo));
    snprintf(in_fifo, sizeof in_fifo, "%s/f", fifo);
    assert_int_equal(mkfifo(in_fifo, 0600), 0);
    waits_left = 0;
    assert_int_equal(component_copy(in_fifo, wait_a_while, NULL, &component, &err), -1);
    assert_int_equal(err.kind, ERR_TIME);
    /* A writer that says nothing yet: no end of the file, so it is asked again. */
    int both = open(in_fifo, O_RDWR | O_CLOEXEC);
    waits_left = 5;
    err = (struct err){0};
    assert_int_equal(component_copy(in_fifo, wait_a_while, NULL, &component, &err), -1);
    assert_int_equal(err.kind, ERR_TIME);
    assert_int_equal(waits_left, -1);
    close(both);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "bytes", 5), 5);
    close(ends[1]);
    snprintf(in_fifo + strlen(in_fifo) + 1, 20, "/dev/fd/%d", ends[0]);
    err = (struct err){0};
    assert_int_equal(copy(in_fifo + strlen(in_fifo) + 1, &component, &err), 0);
    assert_int_equal(component.size, 5);
    component_close(&component);
    close(ends[0]);
    unlink(in_fifo);
    rmdir(fifo);
}

static void it_is_the_files_bytes_and_digest(void **state)
{
    (void)state;
    struct component component;
    struct err err = {0};
    assert_int_equal(copy(path, &component, &err), 0);
    assert_int_equal(component.size, 1000000);
    static const uint8_t digest[DIGEST_SIZE] = {0xec, 0x21, 0xd6, 0x46, 0x24, 0x22, 0x8a, 0xf3,
                                                0xec, 0xd4, 0xbd, 0xaa, 0x82, 0x39, 0xe3, 0x2e,
                                                0xd9, 0x43, 0xb0, 0x1e, 0x26, 0x93, 0x4c, 0xd5,
                                                0x61, 0x0f, 0xdd, 0xb3, 0x61, 0x42, 0x6d, 0xc6};
    assert_memory_equal(component.digest, digest, sizeof digest);
    const char *bytes = mmap(NULL, 1000000, PROT_READ, MAP_PRIVATE, component.memory, 0);
    assert_true(bytes != MAP_FAILED);
    assert_memory_equal(bytes + 999990, "0123456789", 10);
    munmap((void *)(uintptr_t)bytes, 1000000);
    component_close(&component);
}

static void an_empty_file_has_the_empty_digest(void **state)
{
    (void)state;
    struct component component;
    struct err err = {0};
    static const uint8_t digest[4] = {0xe3, 0xb0, 0xc4, 0x42};
    assert_int_equal(copy("/dev/null", &component, &err), 0);
    assert_int_equal(component.size, 0);
    assert_memory_equal(component.digest, digest, sizeof digest);
    component_close(&component);
}

static void nobody_can_change_it(void **state)
{
    (void)state;
    struct component component;
    struct err err = {0};
    assert_int_equal(copy(path, &component, &err), 0);
    assert_int_equal(write(component.memory, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(component.memory, 0), -1);
    assert_int_equal(ftruncate(component.memory, 2000000), -1);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, component.memory, 0) ==
                MAP_FAILED);
    assert_int_equal(component_check(&component, &err), 0);
    component_close(&component);
    /* What was never sealed does not pass for a component. */
    component.memory = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(component_check(&component, &err), -1);
    assert_int_equal(err.kind, ERR_WALL);
    component_close(&component);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *path, *says;
        enum err_kind kind;
    } cases[] = {
        {"/nowhere/at/all", "cannot be opened: No such file or directory: correct the name",
         ERR_ABSENT},
        {"/proc/self", "a directory without WIT text (*.wit): name a component in it", ERR_ABSENT},
        {"/dev/zero", "is larger than", ERR_LIMIT},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct component component;
        struct err err = {0};
        assert_int_equal(copy(cases[i].path, &component, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_files_bytes_and_digest),
        cmocka_unit_test(an_empty_file_has_the_empty_digest),
        cmocka_unit_test(nobody_can_change_it),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(a_pipe_is_waited_for_as_long_as_one_wants),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
