/* Parts of an audit's text that its short and its long form share, and facts that all forms tell.
 */
#ifndef CARREL_POLICIES_AUDIT_PARTS_H
#define CARREL_POLICIES_AUDIT_PARTS_H

#include "policies/audit_flow.h"

/* Room for a line of what is given. */
#define AUDIT_GIVEN_SIZE 1024

/* What a way to keep components apart does not hold: rows of isolation.def. */
struct audit_lack {
    const char *word;
    const char *what;
    const char *lacks;
};

enum isolation_mode {
#define ISOLATION(mode, word, shares, lacks) ISOLATION_##mode,
#include "policies/isolation.def"
    ISOLATIONS
};

extern const struct audit_lack isolations[ISOLATIONS];

enum isolation_tier {
#define TIER(name, word, who, lacks) TIER_##name,
#include "policies/isolation.def"
    TIERS
};

extern const struct audit_lack tiers[TIERS];

/* The row of the tier that this plan is for. */
const struct audit_lack *audit_tier(const struct audit *audit);

/* The worlds of world.def that the component fits, their names with commas between; "" if none. */
void audit_worlds(const struct audit *audit, char *ret, size_t size);

/* Of WIT text, which of its worlds the audit is about, as a sentence of printable text; "" if it is
 * about a component. */
void audit_wit_worlds(const struct audit *audit, char *ret, size_t size);

/* How many functions of WASI are imported, and can be called. */
struct audit_counts {
    size_t imported, reached;
};

struct audit_counts audit_count(const struct audit *audit);

/* What a toolchain brought along, by name: "Of 90 functions ... ". False if all that is imported
 * can be called, and then nothing is written. */
bool audit_over_import(const struct audit *audit, char *ret, size_t size);

/* What only some runs have, a line each: directories, rules of the network, variables, limits. *at
 * is 0 for the first; false after the last. */
bool audit_next_given(const struct audit *audit, size_t *at, char ret[AUDIT_GIVEN_SIZE]);

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

/* The walls that are missing, each with the reason and what is missed. */
void audit_print_missing(const struct page *page);

/* What no wall holds: in each way of isolation, and for whoever starts carrel, of which `tier` is
 * the one here. It is the same for all files: page->audit is not looked at. */
void audit_print_lacks(const struct page *page, const struct audit_lack *tier);

/* The short form. */
void audit_print_brief(const struct page *page);

#endif
