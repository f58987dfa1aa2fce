/* The sealed copy of a component. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/component.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static void it_is_the_files_bytes_and_digest(void **state)
{
    (void)state;
    struct component component;
    struct err err = {0};
    assert_int_equal(component_copy(path, &component, &err), 0);
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
    assert_int_equal(component_copy("/dev/null", &component, &err), 0);
    assert_int_equal(component.size, 0);
    assert_memory_equal(component.digest, digest, sizeof digest);
    component_close(&component);
}

static void nobody_can_change_it(void **state)
{
    (void)state;
    struct component component;
    struct err err = {0};
    assert_int_equal(component_copy(path, &component, &err), 0);
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
        {"/nowhere/at/all", "cannot open /nowhere/at/all: No such file", ERR_ABSENT},
        {"/tmp", "cannot read /tmp: Is a directory", ERR_ABSENT},
        {"/dev/zero", "is larger than", ERR_LIMIT},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct component component;
        struct err err = {0};
        assert_int_equal(component_copy(cases[i].path, &component, &err), -1);
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
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
