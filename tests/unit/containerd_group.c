/* Where a container's control group is, by what its specification says. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/group.h"
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
