/* The rows of policies/wasi.def that are provided, as C functions and as the table that the
 * component layer links from. */
#ifndef CARREL_WASI_TABLE_H
#define CARREL_WASI_TABLE_H

#include "engine/component/host.h"

/* One declaration for each row that is provided: wasi_ID, wasi_drop_ID. */
#define DECLARE_FN_PROVIDED(id) host_fn wasi_##id;
#define DECLARE_FN_LATER(id)
#define DECLARE_DROP_PROVIDED(id) host_drop wasi_drop_##id;
#define DECLARE_DROP_LATER(id)
#define FN(interface, id, name, type, since, gate, capability, rules, state) DECLARE_FN_##state(id)
#define RESOURCE(interface, id, name, capability, rules, state)              DECLARE_DROP_##state(id)
#include "policies/wasi.def"
#undef DECLARE_FN_PROVIDED
#undef DECLARE_FN_LATER
#undef DECLARE_DROP_PROVIDED
#undef DECLARE_DROP_LATER

/* Everything of the table, also what is not provided (without function); `host` is left NULL. */
extern const struct host_table wasi_table;

#endif
