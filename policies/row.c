/* The rows of wasi.def and p1.def as data, in the order of row.def. */
#include "policies/row.h"

/* The name of the interface that rows of wasi.def call `id`. */
#define INTERFACE(id, name, ...) static const char name_of_##id[] = name;
#include "policies/wasi.def"

static const char preview1[] = "wasi_snapshot_preview1";

const struct row_info row_infos[ROW_COUNT] = {
#define FN(interface, id, name, type, since, gate, cap, rule_set, state)                           \
    [ROW_##id] = {ROW_FUNCTION, name_of_##interface, name, CAP_##cap, rule_set, ROW_##state},
#define RESOURCE(interface, id, name, cap, rule_set, state)                                        \
    [ROW_drop_##id] = {ROW_DROP, name_of_##interface, name, CAP_##cap, rule_set, ROW_##state},
#define EXPORT(interface, id, name, type, since, gate, cap, rules, state)                          \
    [ROW_export_##id] = {ROW_EXPORT, name_of_##interface, name, CAP_##cap, rules, ROW_##state},
#include "policies/wasi.def"
#define P1(name, parameters, results, unstable, cap, rule_set, state)                              \
    [ROW_p1_##name] = {ROW_PREVIEW1, preview1, #name, CAP_##cap, rule_set, ROW_##state},
#include "policies/p1.def"
#undef P1
};
