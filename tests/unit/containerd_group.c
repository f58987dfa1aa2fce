/* Where a container's control group is, by what its specification says. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/group.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to; /* NULL: refused */
    } cases[] = {
        {"/default/c1", "/default/c1"},
        {"default/c1", "/default/c1"},
        {"/kubepods/besteffort/pod1/c1", "/kubepods/besteffort/pod1/c1"},
        {"kubepods-burstable-pod1.slice:cri-containerd:c1",
         "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
         "cri-containerd-c1.scope"},
        {"a.slice:p:n", "/a.slice/p-n.scope"},
        {":p:n", "/system.slice/p-n.scope"},
        {"/a/..b/c", "/a/..b/c"},
        {"", NULL},
        {"/", NULL},
        {"/..", NULL},
        {"/a/../../b", NULL},
        {"..", NULL},
        {"a.slice:p:n/../x", NULL},
        {"a:p:n", NULL},
        {".slice:p:n", NULL},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        char path[GROUP_PATH] = "";
        bool given = group_path(cases[i].from, path);
        if (given != (cases[i].to != NULL) || (given && strcmp(path, cases[i].to) != 0))
            fail_msg("%s: %s", cases[i].from, given ? path : "refused");
    }
    char longest[2 * GROUP_PATH], path[GROUP_PATH];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_false(group_path(longest, path));
}

/* Two containers of a namespace come and go: each removes the group above both if it can. */
static void neighbours_do_not_lose_their_parent(void **state)
{
    (void)state;
    enum { NEIGHBOURS = 2, TIMES = 300 };
    const struct group_limits limits = {.pids = 10};
    char space[32], path[GROUP_PATH];
    struct err err = {0};
    pid_t children[NEIGHBOURS];
    snprintf(space, sizeof space, "carrel-test-%d", (int)getpid());
    snprintf(path, sizeof path, "/%s/probe", space);
    if (group_make(path, &limits, &err)) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    group_remove(path, space);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        if ((children[i] = fork()) != 0)
            continue;
        snprintf(path, sizeof path, "/%s/c%zu", space, i);
        for (size_t n = 0; n < TIMES; n++) {
            if (group_make(path, &limits, &err)) {
                fprintf(stderr, "%s\n", err.text);
                _exit(1);
            }
            group_remove(path, space);
        }
        _exit(0);
    }
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths),
                                       cmocka_unit_test(neighbours_do_not_lose_their_parent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
