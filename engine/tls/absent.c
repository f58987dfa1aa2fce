/* Roles that this program has not. */
#include "engine/cell/role.h"

#include "engine/cell/tell.h"

static void refuse(void)
{
    struct err err = {0};
    err_set(&err, ERR_FAULT, ERR_NOWHERE,
            "carrel-tls speaks TLS and can do nothing else: start carrel-engine for it");
    tell_failure(&err);
}

void role_reader(struct cell *cell)
{
    (void)cell;
    refuse();
}

void role_run(struct cell *cell)
{
    (void)cell;
    refuse();
}

void role_resolver(struct cell *cell)
{
    (void)cell;
    refuse();
}

void role_inspect(struct cell *cell)
{
    (void)cell;
    refuse();
}

void role_serve(struct cell *cell)
{
    (void)cell;
    refuse();
}
