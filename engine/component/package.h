/* Packages in WIT text (WIT.md): what a file declares, without the meaning of its types. Enough to
 * know what a world imports and exports. */
#ifndef CARREL_COMPONENT_PACKAGE_H
#define CARREL_COMPONENT_PACKAGE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/region.h"

/* The name of an interface or a world. `package` ("wasi:cli") and `version` are empty if it is one
 * of the same package, or an alias. */
struct wit_path {
    struct str package;
    struct str name;
    struct str version;
};

static inline bool wit_path_same(const struct wit_path *one, const struct wit_path *other)
{
    return str_eq(one->package, other->package) && str_eq(one->name, other->name) &&
           str_eq(one->version, other->version);
}

enum wit_item_kind {
    WIT_FUNC,      /* of an interface; of a world, what it imports or exports */
    WIT_RESOURCE,  /* a resource type */
    WIT_USE,       /* of types of `path` */
    WIT_INTERFACE, /* of a world: `path`, or `inner` under `name` */
    WIT_INCLUDE,   /* of a world: all of the world `path` */
};

struct wit_item {
    enum wit_item_kind kind;
    bool exported;       /* of a world; else it is imported */
    struct str name;     /* of a function "[method]file.read"; of an interface that has none: "" */
    struct str label;    /* of a resource's function: its own name; else as `name` */
    struct str resource; /* that it belongs to, or "" */
    struct wit_path path;
    struct wit_items *inner;
    struct wit_item *next;
};

struct wit_items {
    struct wit_item *first, **last;
};

enum wit_decl_kind { WIT_DECL_INTERFACE, WIT_DECL_WORLD, WIT_DECL_ALIAS };

struct wit_decl {
    enum wit_decl_kind kind;
    struct wit_path path;  /* whole */
    struct wit_path alias; /* of an ALIAS: what it stands for */
    struct wit_items items;
    bool nested;   /* it is of a package within the file, not of the file's own */
    bool foreign;  /* it is of a package that the one in question needs */
    uint32_t file; /* that it is in: an alias is known there only */
    uint32_t seen; /* for whoever walks */
    struct wit_decl *next;
};

struct wit_package {
    struct wit_decl *first, **last;
    size_t count;
};

/* Does the text begin as a WIT file does? */
bool wit_is(struct bytes file);

/* One of several files that are read together. */
struct wit_file {
    struct bytes text;
    struct wit_path own; /* the package that it is of unless it says so; empty: of none */
    uint32_t number;
    bool foreign;
};

/* An empty package. */
void wit_package_start(struct wit_package *package);

/* Adds what a file declares. Everything lives in `region` and points into the text. Errors:
 * MALFORMED, with the offset; MEMORY. Types are read, and not resolved. */
int wit_read_file(const struct wit_file *file, struct region *region, struct wit_package *package,
                  struct err *err);

/* The same of a file alone. */
int wit_read_package(struct bytes file, struct region *region, struct wit_package *ret,
                     struct err *err);

/* The package that a file says it is of; `package` empty if it does not. Errors: as wit_read_file,
 * of what comes before. */
int wit_package_name(struct bytes file, struct region *region, struct wit_path *ret,
                     struct err *err);

#endif
