/* What a cell that floods its shim costs the shim's other cells: one cell asks forty questions and
 * ends, alone and beside one that asks without end, in turn. The time from its order to its end, in
 * milliseconds: median alone, median beside the flood, and the ratio of the two.
 *
 *   neighbour ENGINE ROUNDS        ENGINE obeys scripts (tests/shim/engine.c) */
#include "policies/cell_plan.h"
#include "shim/host.h"
#include "shim/session.h"
#include "shim/shared.h"
#include "tests/shim/script.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS_MAX 1000

static struct session session;
static struct cell_plan plan;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "neighbour: %s\n", why);
    exit(125);
}

static void make_plan(const char *engine, const struct component *component)
{
    static struct host host;
    static struct verdict verdict;
    static uint8_t seed[32];
    static const struct policy policy = {
        .memory = UINT64_C(1) << 28, .timeout = POLICY_UNLIMITED, .fuel = POLICY_UNLIMITED};
    struct err err = {0};
    verdict.rules = RULES_BASE;
    host_probe(engine, false, &host);
    if (session_open(&session, &err))
        give_up(err.text);
    shared_open(&session.shim, &host);
    const struct cell_request request = {.role = CELL_RUN,
                                         .host = &host,
                                         .policy = &policy,
                                         .verdict = &verdict,
                                         .component_size = component->size,
                                         .digest = component->digest,
                                         .seed = seed};
    if (cell_plan_make(&request, &plan, &err))
        give_up(err.text);
}

static void begin(struct cell *cell, const struct component *component)
{
    struct err err = {0};
    if (cell_launch(cell, &session.shim, &plan.plan, &err) ||
        cell_order(cell, &plan.plan, component, &err))
        give_up(err.text);
}

/* As a shim with many cells does it: whoever asked too often is not listened to for a while. */
static void attend(struct cell *const cells[2])
{
    struct pollfd waits[4];
    uint64_t now = cell_now();
    bool pauses = false;
    for (size_t i = 0; i < 2; i++) {
        bool paused = !cell_gone(cells[i]) && cell_pause(cells[i], now) > 0;
        pauses = pauses || paused;
        waits[2 * i] = (struct pollfd){paused ? -1 : cells[i]->process.socket, POLLIN, 0};
        waits[2 * i + 1] = (struct pollfd){cells[i]->process.pidfd, POLLIN, 0};
    }
    poll(waits, 4, pauses ? 1 : -1);
    for (size_t i = 0; i < 2; i++) {
        if (waits[2 * i].revents)
            cell_receive(cells[i]);
        if (waits[2 * i + 1].revents)
            cell_bury(cells[i]);
    }
}

/* Milliseconds of one cell's life. */
static double live(struct cell *cell, struct cell *other, const struct component *component)
{
    struct cell *const cells[2] = {cell, other};
    uint64_t start = cell_now();
    begin(cell, component);
    while (!cell_gone(cell))
        attend(cells);
    if (!cell->outcome.by_guest)
        give_up(cell->outcome.why.text);
    cell_close(cell);
    return (double)(cell_now() - start) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static double median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

int main(int count, char **arguments)
{
    static struct cell cell, flood;
    static double alone[ROUNDS_MAX], beside[ROUNDS_MAX];
    struct component asks, floods;
    size_t rounds = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    if (rounds == 0 || rounds > ROUNDS_MAX)
        give_up("neighbour ENGINE ROUNDS");
    script_component("ask 40\nexit 0\n", &asks);
    script_component("ask 1000000000\n", &floods);
    make_plan(arguments[1], &asks);
    cell_start(&cell);
    cell_start(&flood);
    for (size_t i = 0; i < rounds; i++) {
        alone[i] = live(&cell, &flood, &asks);
        begin(&flood, &floods);
        beside[i] = live(&cell, &flood, &asks);
        cell_close(&flood);
    }
    double without = median(alone, rounds), with = median(beside, rounds);
    printf("%.3f %.3f %.2f\n", without, with, with / without);
    session_close(&session);
    return 0;
}
