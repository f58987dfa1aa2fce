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
    uint32_t seen; /* for whoever walks */
    struct wit_decl *next;
};

struct wit_package {
    struct wit_decl *first, **last;
    size_t count;
};

/* Does the text begin as a WIT file does? */
bool wit_is(struct bytes file);

/* Reads a file. Everything lives in `region` and points into the text. Errors: MALFORMED, with the
 * offset; MEMORY. Types are read, and not resolved. */
int wit_read_package(struct bytes file, struct region *region, struct wit_package *ret,
                     struct err *err);

#endif
