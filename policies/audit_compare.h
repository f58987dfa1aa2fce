/* Two questions that pipelines ask: does a component demand more than a policy allows, and can a
 * new version do more than the old one? Both are answered by demand and tables, without running
 * anything, as lines of text or as JSON (packaging/schemas/carrel-compare-1.json). */
#ifndef CARREL_POLICIES_AUDIT_COMPARE_H
#define CARREL_POLICIES_AUDIT_COMPARE_H

#include "policies/audit.h"
#include <json-c/json_types.h>

struct audit_compare {
    FILE *out;
    struct json_object *document; /* NULL: lines of text */
    size_t count;                 /* excesses, or rights that are new */
};

/* `policy` is the file of --check; NULL: two versions are compared. */
void audit_compare_begin(struct audit_compare *compare, const char *policy, bool json, FILE *out);

/* Everything that it demands and its policy does not allow: "FILE: ..." in text. */
void audit_compare_policy(struct audit_compare *compare, const struct audit *audit);

/* What `now` can do and `before` could not ("+ ..." in text) and the other way ("- ..."), each with
 * what all it could be given. */
void audit_compare_versions(struct audit_compare *compare, const struct audit *before,
                            const struct audit *now);

/* Prints what is not printed yet. -1 if that failed. */
int audit_compare_end(struct audit_compare *compare);

#endif
