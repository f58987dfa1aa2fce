/* Parts of an audit's text that its short and its long form share, and facts that all forms tell.
 */
#ifndef CARREL_POLICIES_AUDIT_PARTS_H
#define CARREL_POLICIES_AUDIT_PARTS_H

#include "policies/audit_flow.h"

/* What a way to keep components apart does not hold: rows of isolation.def. */
struct isolation {
    const char *word;
    const char *what;
    const char *lacks;
};

enum isolation_mode {
#define ISOLATION(mode, word, shares, lacks) ISOLATION_##mode,
#include "policies/isolation.def"
    ISOLATIONS
};

extern const struct isolation isolations[ISOLATIONS];

/* The row of the tier that this plan is for. */
const struct isolation *audit_tier(const struct audit *audit);

/* The worlds of world.def that the component fits, their names with commas between; "" if none. */
void audit_worlds(const struct audit *audit, char *ret, size_t size);

/* "component", "core module", "image of a component", "image of a core module". */
const char *audit_kind(const struct demand *demand);

/* The length of an interface's package: "wasi:io" of "wasi:io/streams", all of "wasi_unstable". */
size_t audit_package_length(const char *interface);

/* A function of a row as people say it: "input-stream.read", "drop pollable". */
void audit_row_name(enum row row, char ret[96]);

void audit_print_head(const struct page *page);

/* The title of DEMAND_UNCALLED. */
#define AUDIT_UNCALLED "Imported, not known to carrel, and never called: a trap if it were"

/* The names of a list; nothing if there are none. */
void audit_print_names(const struct page *page, enum demand_list list, const char *title);
void audit_print_walls(const struct page *page);

/* What no wall here holds. */
void audit_print_lacks(const struct page *page);

/* The short form. */
void audit_print_brief(const struct page *page);

#endif
