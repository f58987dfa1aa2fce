/* Substitution of types: another resource type for each variable of some, and another node for each
 * named node of some ("all uses of the import are replaced by the actual type", Binary.md). */
#ifndef CARREL_COMPONENT_SUBST_H
#define CARREL_COMPONENT_SUBST_H

#include "engine/component/type.h"

struct cm_subst {
    struct cm_types *types;
    struct region *scratch;
    struct err *err;
    uint32_t stamp;
};

/* Begins a substitution. What to replace is then told by cm_subst_node, and by `to` of variables,
 * which whoever sets it clears again. One substitution is at work at a time. */
struct cm_subst cm_subst_begin(struct cm_types *types, struct region *scratch, struct err *err);

/* `node` itself is replaced by `to`, wherever it stands. */
void cm_subst_node(struct cm_subst *subst, const struct cm_type *node, const struct cm_type *to);

/* The type with everything in it replaced; itself if there was nothing. Named nodes in which
 * something changed become new named nodes. NULL and *err if the region is full or there was too
 * much work. */
const struct cm_type *cm_subst_type(struct cm_subst *subst, const struct cm_type *type);

/* The same for a list of imports or exports. -1 and *err as above. */
int cm_subst_decls(struct cm_subst *subst, const struct cm_decls *decls, struct cm_decls *ret);

#endif
