/* The life of a cell; see DESIGN §3. Until the order comes, every cell does the same. */
#include "engine/cell/cell.h"
#include "engine/cell/lockdown.h"
#include "engine/cell/order.h"
#include "engine/cell/tell.h"
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static const size_t arena_size = (size_t)1 << PROTOCOL_ARENA_SHIFT;

/* Everything that the cell will ever allocate comes from here: after the lockdown there is no call
 * to ask for more. Pages cost nothing until they are touched. */
static void *reserve(void)
{
    void *arena = mmap(NULL, arena_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        tell_refused(WALL_COUNT, "mmap", errno);
    return arena;
}

_Noreturn void cell_live(void)
{
    static struct order order;
    static struct cell cell;
    /* First of all, because execve made the cell dumpable. */
    uint32_t missing = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? (uint32_t)1 << WALL_DUMPABLE : 0;
    /* A write to a pipe that nobody reads, or to a file at its limit, is an error and no death. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the processes of requests: pidfds tell */
    void *arena = reserve();
    order_receive(arena, arena_size, &order);
    missing = lockdown(&order, arena, arena_size, missing);
    tell_ready(missing);
    order_open(&order, arena, order.head.arena, &cell);
    switch ((enum role)order.head.role) {
    case ROLE_READER: role_reader(&cell); break;
    case ROLE_RUN: role_run(&cell); break;
    case ROLE_SERVE: role_serve(&cell); break;
    case ROLE_RESOLVER: role_resolver(&cell); break;
    case ROLE_TLS: role_tls(&cell); break;
    case ROLE_INSPECT: role_inspect(&cell); break;
    case ROLES: break;
    }
    _exit(0);
}
