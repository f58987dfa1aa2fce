/* Imports and exports as they are declared: their names, their types, and what both must be
 * (Binary.md "Import and Export Definitions"). */
#ifndef CARREL_COMPONENT_EXTERN_H
#define CARREL_COMPONENT_EXTERN_H

#include "engine/component/scope.h"

/* Reads `nameattributes`. A failure is in the reader. */
void extern_name_read(struct cm_decode *d, struct reader *r, struct cm_decl *decl);

/* Reads `externtype` for an import or export: fresh resource types belong to the innermost scope,
 * an `eq` type is a new named node. A failure is in the reader. */
void extern_type_read(struct cm_decode *d, struct reader *r, enum scope_side side,
                      struct cm_extern *ret);

/* Reads a sort byte, or two: any sort; SORTS, and the reader failed, if it is none. */
enum cm_sort sort_read(struct reader *r);
enum cm_sort core_sort_read(struct reader *r);

/* Checks the name of a declaration, and that it may stand beside those before it; adds it to
 * `names`. `list` tells which resource types have names in this context; NULL: none has. -1 and the
 * reader failed. */
int extern_check_name(struct cm_decode *d, struct reader *r, const uint8_t *at,
                      struct grow_set *names, const struct scope_list *list, uint32_t list_id,
                      const struct cm_decl *decl);

#endif
