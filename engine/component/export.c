/* Finding exported functions; see store.h. */
#include "engine/base/names.h"
#include "engine/component/name.h"
#include "engine/component/store.h"

static const struct cm_decl *decl_named(const struct cm_decls *decls, struct str name)
{
    for (uint32_t i = 0; i < decls->count; i++)
        if (str_eq(decls->at[i].name->text, name))
            return &decls->at[i];
    return NULL;
}

/* An interface of the same path and track. */
static const struct cm_decl *decl_on_track(const struct cm_decls *decls, struct str name)
{
    const char *why;
    struct name wanted = name_parse(name, &why);
    if (wanted.kind != NAME_INTERFACE)
        return NULL;
    for (uint32_t i = 0; i < decls->count; i++) {
        struct name is = name_parse(decls->at[i].name->text, &why);
        if (is.kind == NAME_INTERFACE && str_eq(is.path, wanted.path) &&
            (wanted.version.len == 0 || str_eq(name_track(is.version), name_track(wanted.version))))
            return &decls->at[i];
    }
    return NULL;
}

const struct cm_func *cm_export_func(const struct cm_instance *instance, struct str interface,
                                     struct str name)
{
    const struct cm_exports *exports = &instance->exports;
    if (interface.len) {
        const struct cm_decl *decl = decl_named(exports->names, interface);
        if (!decl)
            decl = decl_on_track(exports->names, interface);
        if (!decl || decl->is.sort != SORT_INSTANCE)
            return NULL;
        exports = exports->items[decl - exports->names->at];
    }
    const struct cm_decl *decl = decl_named(exports->names, name);
    if (!decl || decl->is.sort != SORT_FUNC)
        return NULL;
    return exports->items[decl - exports->names->at];
}

/* --- By what people type ------------------------------------------------------------------------
 */

/* A bare name among the functions of all exported instances: how many there are, and the last. */
static uint32_t search(const struct cm_instance *instance, struct str name,
                       const struct cm_func **ret)
{
    const struct cm_exports *exports = &instance->exports;
    uint32_t found = 0;
    for (uint32_t i = 0; i < exports->names->count; i++) {
        if (exports->names->at[i].is.sort != SORT_INSTANCE)
            continue;
        const struct cm_exports *inner = exports->items[i];
        const struct cm_decl *decl = decl_named(inner->names, name);
        if (!decl || decl->is.sort != SORT_FUNC)
            continue;
        *ret = inner->items[decl - inner->names->at];
        found++;
    }
    return found;
}

/* The functions that it exports, by themselves and in interfaces, as many as fit. */
static void no_function(const struct cm_instance *instance, struct str text, struct err *err)
{
    const struct cm_exports *exports = &instance->exports;
    struct names names = {.used = 0};
    for (uint32_t i = 0; i < exports->names->count; i++) {
        const struct cm_decl *decl = &exports->names->at[i];
        const struct cm_exports *inner = decl->is.sort == SORT_INSTANCE ? exports->items[i] : NULL;
        if (decl->is.sort == SORT_FUNC)
            names_add(&names, decl->name->text);
        for (uint32_t k = 0; inner && k < inner->names->count; k++)
            if (inner->names->at[k].is.sort == SORT_FUNC)
                names_add(&names, inner->names->at[k].name->text);
    }
    err_set(err, ERR_USAGE, ERR_NOWHERE,
            "the component exports no function '" STR_FMT "': it exports %s", STR_ARG(text),
            names.text[0] ? names.text : "none");
}

const struct cm_func *cm_export_typed(const struct cm_instance *instance, struct str text,
                                      struct err *err)
{
    const char *hash = text.len ? memchr(text.at, '#', text.len) : NULL;
    struct str interface = {0};
    struct str name = text;
    if (hash) {
        interface = (struct str){text.at, (size_t)(hash - text.at)};
        name = (struct str){hash + 1, text.len - interface.len - 1};
    }
    const struct cm_func *func = cm_export_func(instance, interface, name);
    uint32_t found = func ? 1 : 0;
    if (!func && !hash)
        found = search(instance, name, &func);
    if (found == 1)
        return func;
    if (found)
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "%u interfaces export a function '" STR_FMT "': write INTERFACE#" STR_FMT, found,
                STR_ARG(name), STR_ARG(name));
    else
        no_function(instance, text, err);
    return NULL;
}
