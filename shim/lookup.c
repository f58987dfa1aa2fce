/* Resolvers and their cells; see lookup.h. */
#include "shim/lookup.h"
#include "shim/moment.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void lookups_start(struct lookups *lookups)
{
    lookups->policy = NULL;
    lookups->active = false;
    lookups->by_stream = false;
    lookups->nothing = (struct component){.memory = -1};
}

void lookups_open(struct lookups *lookups, const struct host *host, const struct policy *policy)
{
    lookups->host = *host;
    lookups->host.cgroups = (struct host_cgroups){0};
    lookups->policy = policy;
}

void lookups_close(struct lookups *lookups)
{
    if (lookups->active)
        cell_close(&lookups->cell);
    lookups->active = false;
    component_close(&lookups->nothing);
}

/* Launches a resolver of lookups->name. */
static int begin(struct lookups *lookups, struct shim *shim, struct err *err)
{
    lookups->arguments[0] = lookups->name;
    hosts_servers("/etc/resolv.conf", &lookups->servers);
    if (getrandom(lookups->seed, sizeof lookups->seed, 0) != (ssize_t)sizeof lookups->seed)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no random seed: %s: see what `carrel doctor` says", strerror(errno));
    if (lookups->nothing.memory < 0 &&
        component_copy("/dev/null", NULL, NULL, &lookups->nothing, err))
        return -1;
    const struct cell_request request = {
        .role = CELL_RESOLVER,
        .host = &lookups->host,
        .policy = lookups->policy,
        .component_size = 0,
        .digest = lookups->nothing.digest,
        .seed = lookups->seed,
        .arguments = {lookups->arguments, 1},
        .nameservers = lookups->servers.at,
        .nameserver_count = lookups->servers.count,
        .by_stream = lookups->by_stream,
    };
    if (cell_plan_make(&request, &lookups->plan, err) ||
        cell_launch(&lookups->cell, shim, &lookups->plan.plan, err))
        return -1;
    if (cell_order(&lookups->cell, &lookups->plan.plan, &lookups->nothing, err)) {
        cell_close(&lookups->cell);
        return -1;
    }
    return 0;
}

void lookups_advance(struct lookups *lookups, struct network *network, struct shim *shim)
{
    /* What is said if the resolver says nothing. */
    static const struct message_resolved nobody = {.error = EAGAIN};
    if (lookups->active && cell_gone(&lookups->cell)) {
        const struct message_resolved *resolved =
            lookups->cell.answered ? &lookups->cell.resolved : &nobody;
        /* What does not fit a datagram is asked for once more, by a resolver with connections. */
        lookups->by_stream = resolved->error == EMSGSIZE && !lookups->by_stream;
        if (!lookups->by_stream)
            network_resolved(network, resolved->error == EMSGSIZE ? &nobody : resolved);
        cell_close(&lookups->cell);
        lookups->active = false;
    }
    const char *name;
    while (!lookups->active && (name = network_lookup(network))) {
        struct err err = {0};
        snprintf(lookups->name, sizeof lookups->name, "%s", name);
        if (lookups->policy && begin(lookups, shim, &err) == 0)
            lookups->active = true;
        else {
            network_resolved(network, &nobody);
            lookups->by_stream = false;
        }
        if (err.kind != ERR_NONE)
            moment_say("carrel: no resolver: %s\n", err.text);
    }
}

void lookups_wait(const struct lookups *lookups, struct pollfd ret[2])
{
    bool active = lookups->active;
    cell_wait(&lookups->cell, active, active && !lookups->cell.ordered, ret);
}

void lookups_act(struct lookups *lookups, const struct pollfd waits[2])
{
    if (lookups->active)
        cell_act(&lookups->cell, waits);
}
