/* Lockdown; see DESIGN §3, "walls first". Every system call here is checked: a wall that fails is
 * told by name, and the cell goes on only if the order says that it may be missing. */
#include "engine/cell/lockdown.h"
#include "engine/base/arena.h"
#include "engine/cell/tell.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* struct landlock_ruleset_attr as of ABI 6; older kernels take its front. */
struct ruleset {
    uint64_t files;
    uint64_t net;
    uint64_t scopes;
};

struct locking {
    const struct order *order;
    uint32_t missing;
};

/* A wall failed. Comes back only if it may be missing. */
static void failed(struct locking *locking, enum wall wall, const char *call)
{
    if (!(locking->order->head.may_miss >> wall & 1))
        tell_refused(wall, call, errno);
    locking->missing |= (uint32_t)1 << wall;
}

static void cut_arena(struct locking *locking, void *arena, size_t size)
{
    size_t kept = locking->order->head.arena;
    if (kept < locking->order->used || kept % ARENA_PAGE != 0 || kept > size)
        tell_refused(WALL_COUNT, "munmap", EINVAL);
    if (kept < size && munmap((uint8_t *)arena + kept, size - kept))
        tell_refused(WALL_COUNT, "munmap", errno);
}

static void install_landlock(struct locking *locking)
{
    const struct message_order *head = &locking->order->head;
    if (!head->landlocks)
        return;
    const struct ruleset handled = {head->landlock[0], head->landlock[1], head->landlock[2]};
    size_t size = handled.scopes ? sizeof handled : handled.net ? 16 : 8;
    int set = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    if (set < 0) {
        failed(locking, WALL_LANDLOCK, "landlock_create_ruleset");
        return;
    }
    for (uint32_t i = 0; i < head->rules; i++) {
        const struct record_rule *rule = &locking->order->rules[i];
        struct landlock_path_beneath_attr beneath = {.allowed_access = rule->files,
                                                     .parent_fd = (int)rule->descriptor};
        if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
            tell_refused(WALL_LANDLOCK, "landlock_add_rule", errno);
    }
    if (syscall(SYS_landlock_restrict_self, set, 0))
        failed(locking, WALL_LANDLOCK, "landlock_restrict_self");
    close(set);
}

static void install_filter(struct locking *locking)
{
    const struct order *order = locking->order;
    if (order->head.instructions == 0)
        return;
    _Static_assert(sizeof *order->program == sizeof(struct sock_filter), "the kernel's form");
    struct {
        unsigned short count;
        const struct record_instruction *program;
    } filter = {(unsigned short)order->head.instructions, order->program};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
        failed(locking, WALL_SECCOMP, "seccomp");
}

uint32_t lockdown(const struct order *order, void *arena, size_t size, uint32_t missing)
{
    struct locking locking = {order, missing};
    if (missing & ~order->head.may_miss)
        tell_refused((uint32_t)__builtin_ctz(missing & ~order->head.may_miss), "prctl", EINVAL);
    cut_arena(&locking, arena, size);
    install_landlock(&locking);
    install_filter(&locking);
    return locking.missing;
}
