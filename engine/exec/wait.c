/* Fibers that wait for a place in shared memory (threads proposal: memory.atomic.wait and notify).
 *
 * A cell has one thread, so what happens between two operators is atomic, and waiting is blocking a
 * fiber: its operator is carried out again whenever the fiber is run again, and then finds out here
 * whether the wait is over. Who waits is kept in the order in which they came. */
#include "engine/exec/state.h"

#define FOR_EVER UINT64_MAX

static void enqueue(struct vm *vm, struct fiber *fiber)
{
    struct fiber **end = &vm->waiters;
    while (*end)
        end = &(*end)->waiter.next;
    *end = fiber;
}

static void dequeue(struct vm *vm, struct fiber *fiber)
{
    struct fiber **link = &vm->waiters;
    while (*link && *link != fiber)
        link = &(*link)->waiter.next;
    if (*link)
        *link = fiber->waiter.next;
}

void wait_forget(struct vm *vm, struct fiber *fiber)
{
    if (fiber->waiter.memory && !fiber->waiter.notified)
        dequeue(vm, fiber);
    fiber->waiter = (struct waiter){0};
}

/* The moment that lies `timeout` from now. */
static uint64_t moment_after(const struct vm_clock *clock, int64_t timeout)
{
    uint64_t until;
    bool beyond = __builtin_add_overflow(clock->now(clock->data), (uint64_t)timeout, &until);
    return beyond ? FOR_EVER : until;
}

enum wait_answer wait_at(struct vm *vm, const struct linear_memory *memory, uint64_t at, bool same,
                         int64_t timeout)
{
    struct fiber *fiber = vm->fiber;
    const struct vm_clock *clock = &vm->clock;
    struct waiter *waiter = &fiber->waiter;
    if (!waiter->memory) {
        if (!same)
            return WAIT_DIFFERS;
        if (timeout == 0 || (timeout > 0 && !clock->now))
            return WAIT_TIMED_OUT;
        uint64_t until = timeout < 0 ? FOR_EVER : moment_after(clock, timeout);
        *waiter = (struct waiter){.memory = memory, .at = at, .until = until, .root = vm->root};
        enqueue(vm, fiber);
    } else if (waiter->notified) {
        wait_forget(vm, fiber);
        return WAIT_NOTIFIED;
    } else if (waiter->until != FOR_EVER && clock->now(clock->data) >= waiter->until) {
        wait_forget(vm, fiber);
        return WAIT_TIMED_OUT;
    }
    if (waiter->until == FOR_EVER || clock->wake(clock->data, waiter->root, waiter->until))
        return WAIT_BLOCKED;
    wait_forget(vm, fiber);
    return WAIT_NO_MEMORY;
}

int64_t wait_notify(struct vm *vm, const struct linear_memory *memory, uint64_t at, uint32_t most)
{
    int64_t woken = 0;
    for (struct fiber **link = &vm->waiters; *link && woken < most;) {
        struct fiber *fiber = *link;
        struct waiter *waiter = &fiber->waiter;
        if (waiter->memory != memory || waiter->at != at) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->notified = true;
        if (vm->clock.wake && !vm->clock.wake(vm->clock.data, waiter->root, 0))
            return -1;
        woken++;
    }
    return woken;
}
