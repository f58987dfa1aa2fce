/* What the caller's standard streams are. */
#include "tests/unit/unit.h"

#include "shim/host.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void pipes(void **state)
{
    (void)state;
    int pipe[2];
    for (int flag = 0; flag <= O_NONBLOCK; flag += O_NONBLOCK) {
        assert_int_equal(pipe2(pipe, O_CLOEXEC | flag), 0);
        enum host_stream open = flag ? HOST_UNBLOCKED : HOST_FILE;
        assert_int_equal(host_stream_kind(0, pipe[0]), open);
        assert_int_equal(host_stream_kind(1, pipe[1]), open);
        assert_int_equal(host_stream_kind(1, pipe[0]), HOST_CLOSED);
        assert_int_equal(host_stream_kind(0, pipe[1]), HOST_CLOSED);
        close(pipe[0]);
        close(pipe[1]);
    }
}

/* A file has always room, or none for good. */
static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/carrel-host-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    int only = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    unlink(path);
    assert_int_equal(host_stream_kind(2, only), HOST_FILE);
    assert_int_equal(host_stream_kind(2, file), HOST_BOTH);
    close(file);
    close(only);
    assert_int_equal(host_stream_kind(2, only), HOST_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
