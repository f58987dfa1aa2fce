/* The worlds; see world.h. */
#include "tests/policy/world.h"

#include "engine/base/attr.h"
#include "policies/derive.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define COMMAND "wasi:cli", "wasi:io", "wasi:clocks", "wasi:random"
#define TCP     "wasi:sockets/network", "wasi:sockets/instance-network", "wasi:sockets/tcp"
#define NET     CAPABILITY(NET) | CAPABILITY(NET_TCP)

const struct world worlds[WORLDS] = {
    {"compute", {NULL}, NO_DIRECTORY, 0},
    {"print", {"wasi:cli/stdout", NULL}, NO_DIRECTORY, 0},
    {"command", {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", NULL}, NO_DIRECTORY, 0},
    {"no-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     NO_DIRECTORY,
     0},
    {"ro-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_ONLY,
     0},
    {"rw-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_WRITE,
     0},
    {"no-net", {COMMAND, "wasi:sockets", NULL}, NO_DIRECTORY, 0},
    {"tcp-out", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_CONNECT)},
    {"tcp-in", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_LISTEN)},
    {"tcp",
     {COMMAND, TCP, NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN)},
    {"net",
     {COMMAND, "wasi:sockets", NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN) | CAPABILITY(NET_UDP) |
         CAPABILITY(NET_DNS)},
    /* What `carrel serve` runs: the proxy world, with what toolchains leak into it. */
    {"serve",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", "wasi:http/types",
      NULL},
     NO_DIRECTORY,
     CAPABILITY(HTTP_IN)},
    {"p1", {"wasi_snapshot_preview1", NULL}, NO_DIRECTORY, 0},
    {"p1-ro", {"wasi_snapshot_preview1", NULL}, READ_ONLY, 0},
    {"p1-rw", {"wasi_snapshot_preview1", NULL}, READ_WRITE, 0},
};

static capability_set allowed_with(enum directory directory)
{
    capability_set set = capability_defaults() | CAPABILITY(ENV);
    if (directory != NO_DIRECTORY)
        set |= CAPABILITY(DIR_READ);
    if (directory == READ_WRITE)
        set |= CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE);
    return set;
}

static void reach(struct demand *demand, int row)
{
    demand->head.imported[row / 8] |= (uint8_t)(1u << row % 8);
    demand->head.reachable[row / 8] |= (uint8_t)(1u << row % 8);
}

rule_set world_rules(const struct world *world)
{
    static struct demand demand;
    memset(&demand.head, 0, sizeof demand.head);
    for (int row = 0; row < ROW_COUNT; row++)
        for (int i = 0; world->interfaces[i]; i++)
            if (strncmp(row_infos[row].interface, world->interfaces[i],
                        strlen(world->interfaces[i])) == 0)
                reach(&demand, row);
    if (capability_in(world->net, CAP_HTTP_IN))
        demand.head.facts[0] |= DEMAND_IS_PROXY;
    struct policy policy = {.allowed = allowed_with(world->directory) | world->net};
    struct verdict verdict;
    derive_verdict(&demand, &policy, &verdict);
    return verdict.rules;
}

const struct probe probes[] = {
#define PROBE(call, class, a, b, c, d, e, f) {#call, class, SYS_##call, {a, b, c, d, e, f}},
#include "tests/policy/probe.def"
};

const size_t probe_count = countof(probes);
