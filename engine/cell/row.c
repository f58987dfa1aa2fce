/* Rows by name; see answer.h. The names are those of policies/wasi.def and p1.def. */
#include "engine/base/attr.h"
#include "engine/cell/answer.h"
#include "engine/component/name.h"
#include <stdio.h>

enum {
#define INTERFACE(id, name, version, since, gate) INTERFACE_##id,
#include "policies/wasi.def"
};

static const struct {
    const char *path;
    const char *version;
} interfaces[] = {
#define INTERFACE(id, name, version, since, gate) {name, version},
#include "policies/wasi.def"
};

enum row_kind { ROW_FUNCTION, ROW_DROP, ROW_EXPORT };

static const struct named_row {
    uint16_t row;
    uint8_t interface;
    uint8_t kind;
    const char *name;
} rows[] = {
#define FN(interface, id, name, ...)       {ROW_##id, INTERFACE_##interface, ROW_FUNCTION, name},
#define RESOURCE(interface, id, name, ...) {ROW_drop_##id, INTERFACE_##interface, ROW_DROP, name},
#define EXPORT(interface, id, name, ...)   {ROW_export_##id, INTERFACE_##interface, ROW_EXPORT, name},
#include "policies/wasi.def"
};

static bool is_interface(uint8_t interface, struct str path, struct str version)
{
    struct str ours = str_of(interfaces[interface].version);
    return str_is(path, interfaces[interface].path) && version.len &&
           str_eq(name_track(ours), name_track(version));
}

static uint32_t find(enum row_kind kind, struct str path, struct str version, struct str name)
{
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].kind == kind && str_is(name, rows[i].name) &&
            is_interface(rows[i].interface, path, version))
            return rows[i].row;
    return ROW_NONE;
}

static const struct used_interface {
    uint8_t interface;
    const char *path; /* of the one that it uses a type of */
} used[] = {
#define USE(interface, name, path, there) {INTERFACE_##interface, path},
#include "policies/wasi.def"
};

static bool is_named(size_t interface, struct str path, struct str version)
{
    struct str ours = str_of(interfaces[interface].path);
    bool package = path.len > 0 && path.at[path.len - 1] == '/';
    if (package && path.len < ours.len)
        ours.len = path.len;
    return str_eq(ours, path) && version.len &&
           str_eq(name_track(str_of(interfaces[interface].version)), name_track(version));
}

static void answer_rows(struct answer *answer, uint8_t interface, struct str version)
{
    char name[96];
    bool any = false;
    _Static_assert(countof(interfaces) <= countof(answer->told), "room for every interface");
    if (answer->told[interface])
        return;
    answer->told[interface] = true;
    for (size_t i = 0; i < countof(rows); i++) {
        if (rows[i].interface != interface || rows[i].kind == ROW_EXPORT)
            continue;
        answer_row(answer, rows[i].row, true);
        any = true;
    }
    int len =
        snprintf(name, sizeof name, "%s@" STR_FMT, interfaces[interface].path, STR_ARG(version));
    if (any && len > 0)
        answer_name(answer, ANSWER_IMPORT,
                    (struct str){name, (size_t)len < sizeof name ? (size_t)len : sizeof name - 1},
                    (struct str){0});
}

/* Which interfaces each one uses, and itself. Interfaces come after those that they use, so what
 * those use is known before. */
static bool (*closures(void))[countof(interfaces)]
{
    static bool reach[countof(interfaces)][countof(interfaces)];
    if (reach[0][0])
        return reach;
    for (size_t i = 0; i < countof(interfaces); i++) {
        reach[i][i] = true;
        for (size_t u = 0; u < countof(used); u++)
            for (size_t k = 0; used[u].interface == i && k < i; k++)
                for (size_t j = 0; str_is(str_of(used[u].path), interfaces[k].path) && j <= k; j++)
                    reach[i][j] = reach[i][j] || reach[k][j];
    }
    return reach;
}

bool answer_interface(struct answer *answer, struct str path, struct str version, bool uses)
{
    bool(*reach)[countof(interfaces)] = closures();
    bool wanted[countof(interfaces)] = {false}, any = false;
    for (size_t i = 0; i < countof(interfaces); i++) {
        if (!is_named(i, path, version))
            continue;
        any = true;
        for (size_t k = 0; k <= i; k++)
            wanted[k] = wanted[k] || (reach[i][k] && !(uses && k == i));
    }
    for (uint8_t i = 0; any && i < countof(interfaces); i++)
        if (wanted[i])
            answer_rows(answer, i, version);
    return any;
}

uint32_t row_of_function(struct str path, struct str version, struct str name)
{
    return find(ROW_FUNCTION, path, version, name);
}

uint32_t row_of_drop(struct str path, struct str version, struct str resource)
{
    return find(ROW_DROP, path, version, resource);
}

uint32_t row_of_export(struct str path, struct str version)
{
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].kind == ROW_EXPORT && is_interface(rows[i].interface, path, version))
            return rows[i].row;
    return ROW_NONE;
}

struct row_export export_of_row(uint32_t row)
{
    struct row_export found = {.interface = ""};
    for (size_t i = 0; i < countof(rows); i++) {
        if (rows[i].row != row)
            continue;
        snprintf(found.interface, sizeof found.interface, "%s@%s",
                 interfaces[rows[i].interface].path, interfaces[rows[i].interface].version);
        found.name = str_of(rows[i].name);
    }
    return found;
}

enum { UNSTABLE_SAME, UNSTABLE_OTHER, UNSTABLE_NONE };

uint32_t row_of_p1(struct str module, struct str name)
{
    static const struct {
        const char *name;
        uint16_t row;
        uint8_t unstable;
    } functions[] = {
#define P1(name, params, results, unstable, capability, rules, state)                              \
    {#name, ROW_p1_##name, UNSTABLE_##unstable},
#include "policies/p1.def"
#undef P1
    };
    bool unstable = str_is(module, "wasi_unstable");
    if (!unstable && !str_is(module, "wasi_snapshot_preview1"))
        return ROW_NONE;
    for (size_t i = 0; i < countof(functions); i++)
        if (str_is(name, functions[i].name))
            return unstable && functions[i].unstable == UNSTABLE_NONE ? ROW_NONE : functions[i].row;
    return ROW_NONE;
}
