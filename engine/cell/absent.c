/* Roles that the engine has not: another program is executed for them. */
#include "engine/cell/role.h"

#include "engine/cell/tell.h"

void role_tls(struct cell *cell)
{
    struct err err = {0};
    (void)cell;
    err_set(&err, ERR_FAULT, ERR_NOWHERE, "the engine speaks no TLS: start carrel-tls for it");
    tell_failure(&err);
}
