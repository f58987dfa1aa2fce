/* Subtyping (Explainer.md "Type Checking"): may something of one type stand where another is
 * wanted? Value and function types must be equal, resource types the same; instances may export
 * more, components may import less and export more; core modules follow core import matching. */
#ifndef CARREL_COMPONENT_SUBTYPE_H
#define CARREL_COMPONENT_SUBTYPE_H

#include "engine/component/type.h"

/* 0, or -1 and *err (at ERR_NOWHERE), whose text says what was expected and what was found. */
int cm_subtype(struct cm_types *types, const struct cm_extern *actual,
               const struct cm_extern *wanted, struct err *err);

/* A list of items that are given for a list that is wanted: the imports of a component.
 *
 * First finds out which resource types stand for those that the wanted list binds (variables of
 * `binder`), then checks each item under this reading. The reading stays: ->as[1] of these
 * variables, until cm_close_list is called with the result. */
struct cm_check {
    struct cm_types *types;
    struct err *err;
    struct cm_var *meant[2]; /* variables with a meaning, by side, the last one first */
};

int cm_open_list(struct cm_check *check, const struct cm_decls *given,
                 const struct cm_decls *wanted, uint32_t binder, const char *what);
void cm_close_list(struct cm_check *check);

/* Are two value or function types equal, with the variables of the second one read as ->as[1]? */
int cm_equal_under(struct cm_check *check, const struct cm_type *actual,
                   const struct cm_type *wanted);

/* The same for items of any sort, as one of them may stand for the other. */
int cm_matches_under(struct cm_check *check, const struct cm_extern *actual,
                     const struct cm_extern *wanted);

/* Gives a variable of the wanted side a meaning, until the list is closed. */
void cm_mean(struct cm_check *check, struct cm_var *wanted, const struct cm_var *actual);

#endif
