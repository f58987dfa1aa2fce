/* An engine without an interpreter: a reader answers that nothing is imported, a run ends at once,
 * and with an argument tells when it began. */
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include <time.h>

enum {
#define ROW(name) ROW_##name,
#include "policies/row.def"
    DEMAND_ROWS
};
enum {
#define LIST(name, meaning) LIST_##name,
#include "policies/demand.def"
    DEMAND_LISTS
};

struct demand_head {
#define FIELD(type, name, count) type name[count];
#include "policies/demand.def"
};

void role_reader(struct cell *cell)
{
    const struct demand_head head = {.rows = {DEMAND_ROWS}};
    (void)cell;
    tell_demand((struct bytes){(const uint8_t *)&head, sizeof head});
}

void role_resolver(struct cell *cell)
{
    role_run(cell);
}

void role_inspect(struct cell *cell)
{
    role_run(cell);
}

void role_serve(struct cell *cell)
{
    role_run(cell);
}

void role_run(struct cell *cell)
{
    struct timespec now = {0};
    if (cell->argument_count > 0)
        clock_gettime(CLOCK_MONOTONIC, &now);
    tell_exit((uint32_t)((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec));
}
