/* The worlds; see world.h. */
#include "tests/policy/world.h"

#include "engine/base/attr.h"
#include "policies/derive.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define COMMAND "wasi:cli", "wasi:io", "wasi:clocks", "wasi:random"
#define TCP     "wasi:sockets/network", "wasi:sockets/instance-network", "wasi:sockets/tcp"
#define SERVED  COMMAND, "wasi:filesystem", "wasi:http/types"
#define NET     CAPABILITY(NET) | CAPABILITY(NET_TCP)

const struct world worlds[WORLDS] = {
    {"compute", {NULL}, NO_DIRECTORY, 0, 0},
    {"print", {"wasi:cli/stdout", NULL}, NO_DIRECTORY, 0, 0},
    {"command", {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", NULL}, NO_DIRECTORY, 0, 0},
    {"no-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     NO_DIRECTORY,
     0,
     0},
    {"ro-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_ONLY,
     0,
     0},
    {"rw-dir",
     {"wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", NULL},
     READ_WRITE,
     0,
     0},
    {"no-net", {COMMAND, "wasi:sockets", NULL}, NO_DIRECTORY, 0, 0},
    {"tcp-out", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_CONNECT), 0},
    {"tcp-in", {COMMAND, TCP, NULL}, NO_DIRECTORY, NET | CAPABILITY(NET_TCP_LISTEN), 0},
    {"tcp",
     {COMMAND, TCP, NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN),
     0},
    {"net",
     {COMMAND, "wasi:sockets", NULL},
     NO_DIRECTORY,
     NET | CAPABILITY(NET_TCP_CONNECT) | CAPABILITY(NET_TCP_LISTEN) | CAPABILITY(NET_UDP) |
         CAPABILITY(NET_DNS),
     0},
    /* What `carrel serve` runs: the proxy world, with what toolchains leak into it. */
    {"serve", {SERVED, NULL}, NO_DIRECTORY, CAPABILITY(HTTP_IN), 0},
    /* The same where each request gets a process; and those that send requests themselves. */
    {"srv-own", {SERVED, NULL}, NO_DIRECTORY, CAPABILITY(HTTP_IN), RULES_COPIES},
    {"srv-out",
     {SERVED, "wasi:http/outgoing-handler", NULL},
     NO_DIRECTORY,
     CAPABILITY(HTTP_IN) | CAPABILITY(HTTP_OUT),
     0},
    {"http",
     {COMMAND, "wasi:http/types", "wasi:http/outgoing-handler", NULL},
     NO_DIRECTORY,
     CAPABILITY(HTTP_OUT),
     0},
    {"p1", {"wasi_snapshot_preview1", NULL}, NO_DIRECTORY, 0, 0},
    {"p1-ro", {"wasi_snapshot_preview1", NULL}, READ_ONLY, 0, 0},
    {"p1-rw", {"wasi_snapshot_preview1", NULL}, READ_WRITE, 0, 0},
    /* Cells that work for others. */
    {"resolve", {NULL}, NO_DIRECTORY, 0, RULES_RESOLVER},
    {"tls", {NULL}, NO_DIRECTORY, 0, RULES_TLS},
    {"tls-in", {NULL}, NO_DIRECTORY, 0, RULES_TLS_FRONT},
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
    return verdict.rules | world->beside;
}

const struct probe probes[] = {
#define PROBE(call, class, a, b, c, d, e, f) {#call, class, SYS_##call, {a, b, c, d, e, f}},
#include "tests/policy/probe.def"
};

const size_t probe_count = countof(probes);
