/* What a component can do, and what of it this policy lets it do: the verdict arranged for readers.
 *
 * An audit says nothing of its own: it is made from the demand, the verdict and the plan that a run
 * with the same policy carries out. The printers say nothing that is not in it. */
#ifndef CARREL_POLICIES_AUDIT_H
#define CARREL_POLICIES_AUDIT_H

#include "policies/cell_plan.h"
#include <stdio.h>

/* All of it outlives the audit. */
struct audit_input {
    const char *file;      /* as the operator named it */
    uint64_t size;         /* bytes */
    const uint8_t *digest; /* 32 bytes */
    const struct demand *demand;
    const struct policy *policy;
    const struct verdict *verdict;
    const struct plan *plan; /* of a run */
    wall_set standing;       /* found so for the reader, on this kernel */
    wall_set missing;
    const char *why[WALL_COUNT]; /* of those that are missing, or NULL */
};

/* Rows of one interface that share capability and answer. */
struct audit_group {
    const char *interface;
    enum capability capability;
    enum row_answer answer;
    const uint16_t *rows; /* enum row, in the order of the table */
    size_t count;
};

/* One rule of the filter. */
struct audit_rule {
    enum rule_name rule;
    bool always; /* in every filter */
    size_t count;
    const uint16_t *rows; /* because of these */
};

enum audit_standing {
    AUDIT_STANDS,   /* it was built for the reader and will be for a run */
    AUDIT_MISSING,  /* it could not be built here, which is accepted */
    AUDIT_PLANNED,  /* a run builds it, the reader did not need it */
    AUDIT_UNNEEDED, /* nothing in this run calls for it */
};

struct audit {
    struct audit_input in;
    bool refused;            /* whatever starts it */
    enum derive_start start; /* what would, unless refused */
    struct err refusal;      /* why `carrel run` does not run it, or empty */
    char summary[256];
    size_t group_count;
    struct audit_group groups[ROW_COUNT];
    size_t rule_count;
    struct audit_rule rules[RULE_COUNT];
    enum audit_standing walls[WALL_COUNT];
    uint16_t group_rows[ROW_COUNT];
    uint16_t rule_rows[RULE_COUNT][ROW_COUNT];
};

/* Arranges it. `ret` must not be moved afterwards. */
void audit_make(const struct audit_input *in, struct audit *ret);

/* Would `carrel run` run it? What would start one that is not refused, as a sentence. */
bool audit_runs(const struct audit *audit);
const char *audit_start_sentence(enum derive_start start);

/* The name of an answer: "given", "not given", "never called", "not provided". */
const char *audit_answer_word(enum row_answer answer);

/* Whether the component imports from a core module of that name. */
bool audit_imports(const struct demand *demand, const char *module);

/* The interface of a row as this component names it: the rows of preview 1 are also those of the
 * older `wasi_unstable`. */
const char *audit_interface(const struct demand *demand, enum row row);

/* "stands", "missing", "planned", "not needed". */
const char *audit_standing_word(enum audit_standing standing);

/* How the text is laid out. */
struct audit_style {
    bool colour;
    bool verbose;   /* every row; else folded by package */
    unsigned width; /* columns, at least 60 */
};

/* For people. Names of unknown origin are escaped, whatever `out` is. */
void audit_print_text(const struct audit *audit, const struct audit_style *style, FILE *out);

#endif
