/* Calls that wait for processes, where there is no place for more of them. */
#include "tests/unit/unit.h"

#include "shim/containerd/task.h"
#include <stdlib.h>
#include <string.h>

static struct connections connections;

/* Tasks with a container of one exec. The call that waits for the exec is of nobody any more; those
 * that take all the other places are of one who is there. */
static struct tasks *crowded(bool carried, struct process **ret_exec)
{
    const struct call left = {.slot = 0, .serial = 1}, there = {.slot = 1, .serial = 2};
    struct tasks *tasks = calloc(1, sizeof *tasks);
    assert_non_null(tasks);
    memset(&connections, 0, sizeof connections);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        connections.at[i].fd = -1;
    connections.at[1] = (struct connection){.fd = 0, .serial = 2};
    tasks->connections = &connections;
    tasks->carried = carried;
    struct container *container = tasks_add(tasks);
    assert_non_null(container);
    strcpy(container->id, "c");
    struct process *init = tasks_add_process(tasks, container);
    struct process *exec = tasks_add_process(tasks, container);
    assert_non_null(init);
    assert_non_null(exec);
    strcpy(exec->exec, "e");
    assert_true(tasks_park(tasks, exec, true, left, UINT64_MAX));
    for (size_t i = 1; i < PARKED_MAX; i++)
        assert_true(tasks_park(tasks, init, true, there, UINT64_MAX));
    *ret_exec = exec;
    return tasks;
}

static bool has(const struct tasks *tasks, const struct process *process)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (tasks->processes[i] == process)
            return true;
    }
    return false;
}

static void end(struct tasks *tasks)
{
    connections.at[1].fd = -1; /* nobody hears of it */
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (tasks->processes[i])
            process_drop(tasks, tasks->processes[i]);
    }
    free(tasks);
}

static void a_deserted_exec_ends_however_many_wait(void **state)
{
    (void)state;
    const struct call late = {.slot = 1, .serial = 2};
    struct process *exec;
    struct tasks *tasks = crowded(true, &exec);
    assert_false(tasks_park(tasks, tasks->processes[0], true, late, UINT64_MAX));
    tasks_drop_deserted(tasks);
    assert_false(has(tasks, exec));
    assert_true(tasks_park(tasks, tasks->processes[0], true, late, UINT64_MAX));
    end(tasks);
}

static void an_exec_that_nobody_carries_stays_and_gives_its_place(void **state)
{
    (void)state;
    const struct call late = {.slot = 1, .serial = 2};
    struct process *exec;
    struct tasks *tasks = crowded(false, &exec);
    tasks_drop_deserted(tasks);
    assert_true(has(tasks, exec));
    assert_true(tasks_park(tasks, tasks->processes[0], true, late, UINT64_MAX));
    assert_false(tasks_park(tasks, tasks->processes[0], true, late, UINT64_MAX));
    assert_true(has(tasks, exec));
    end(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deserted_exec_ends_however_many_wait),
        cmocka_unit_test(an_exec_that_nobody_carries_stays_and_gives_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
