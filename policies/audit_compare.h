/* Two questions that pipelines ask: does a component demand more than a policy allows, and can a
 * new version do more than the old one? Both are answered by demand and tables, without running
 * anything. */
#ifndef CARREL_POLICIES_AUDIT_COMPARE_H
#define CARREL_POLICIES_AUDIT_COMPARE_H

#include "policies/audit.h"

/* Prints "FILE: ..." for everything that it demands and its policy does not allow, a line each.
 * Returns how many there are. */
size_t audit_print_excess(const struct audit *audit, FILE *out);

/* Prints what `now` can do and `before` could not ("+ ...") and the other way ("- ..."), each with
 * what all it could be given. Returns how many rights are new. */
size_t audit_print_growth(const struct audit *before, const struct audit *now, FILE *out);

#endif
