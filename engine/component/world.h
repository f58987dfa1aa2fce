/* What a component is to the outside, as WIT: its world and the interfaces that it imports and
 * exports (design/mvp/WIT.md). For people and tools; nothing in here decides anything.
 *
 * WIT says less than a component's type can: imported and exported components and core modules have
 * no form there, and are told in comments; exported types of the world itself stand among its
 * imported ones. An interface has one text there: what only its import, or only its export, lacks
 * is told in a comment. */
#ifndef CARREL_COMPONENT_WORLD_H
#define CARREL_COMPONENT_WORLD_H

#include "engine/base/out.h"
#include "engine/component/component.h"
#include "engine/component/name.h"

enum world_side { WORLD_IMPORT, WORLD_EXPORT };

/* A type or function of an interface. */
struct world_item {
    const struct cm_decl *decl;
    struct name name;
    uint32_t interface;
    bool side[2]; /* does the imported interface have it, does the exported one */
    const struct world_interface *used_in; /* the last one that was told to use it (world_wit.c) */
};

/* An interface; the first one is the world itself. */
struct world_interface {
    const struct world *world;
    const struct cm_decl *decl; /* the first import or export of it; NULL: the world */
    struct str name;            /* as it is imported or exported */
    bool has_id;                /* "namespace:package/interface", which others may use */
    bool side[2];               /* is it imported, is it exported */
    uint32_t nitems;
    struct world_item *items; /* types first, as they come; of two of one name, the first */
    /* Places in `items`: types by the serials of their nodes, and of their variables' nodes;
     * methods by their resource. */
    struct symbol_place *types;
    struct symbol_place *members;
    uint32_t ntypes;
    uint32_t nmembers;
};

struct world {
    const struct component *component;
    uint32_t ninterfaces;
    struct world_interface *interfaces;
    uint32_t *number[2];        /* of the interfaces, by their places among imports and exports */
    struct symbol_place *types; /* of all interfaces: places in `all` */
    struct world_item **all;
    uint32_t ntypes;
};

/* Everything is made in `region`. -1 and *err: MEMORY. */
int world_of(const struct component *component, struct region *region, struct world *ret,
             struct err *err);

/* The item that names a type in an interface; NULL: none does. */
const struct world_item *world_type_in(const struct world_interface *in,
                                       const struct cm_type *type);

/* The item of any interface that a type comes from; NULL: it has no name. */
struct world_item *world_type_anywhere(const struct world *world, const struct cm_type *type);

/* Where the type of `item` comes from if it is another one's: of this or another interface. NULL:
 * it is defined here. */
const struct world_item *world_origin(const struct world *world, const struct world_item *item);

/* The world as a document of WIT: `package root:component`, or `root:component2` and so on if the
 * world names that package, with a package for each that it names. -1 and *err: MEMORY. */
int world_wit(const struct world *world, struct region *scratch, struct out *out, struct err *err);

/* The same as members of a JSON object: "imports" and "exports" (names), "world" and "interfaces"
 * (types and functions). */
void world_json(const struct world *world, struct out *out);

/* --- world_type.c --- */

/* Begins a line at `depth` within an interface, one less within the world. */
void world_indent(struct out *out, const struct world_interface *in, unsigned depth);

/* A type as it stands in interface `in`: by its name, or written out. */
void world_type(struct out *out, const struct world_interface *in, const struct cm_type *type);

/* The same, written out also if it has a name: what `record`, `type` and so on define. */
void world_structure(struct out *out, const struct world_interface *in, const struct cm_type *type);

/* "(a: u8) -> u8", without the first `skip` parameters, and without a result if it is
 * `constructor`. */
void world_signature(struct out *out, const struct world_interface *in, const struct cm_type *func,
                     uint32_t skip, bool constructor);

/* A label, behind '%' if it is a keyword. */
void world_label(struct out *out, struct str label);

#endif
