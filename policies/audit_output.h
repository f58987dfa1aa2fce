/* Audits of several files as one document of a given form. */
#ifndef CARREL_POLICIES_AUDIT_OUTPUT_H
#define CARREL_POLICIES_AUDIT_OUTPUT_H

#include "policies/audit.h"
#include <json-c/json.h>

enum audit_format {
#define FORMAT(name, word, files, what) AUDIT_##name,
#include "policies/audit_format.def"
    AUDIT_FORMATS
};

struct audit_lack; /* audit_parts.h */

struct audit_format_info {
    const char *word;
    bool many;
    const char *what;
};

extern const struct audit_format_info audit_formats[AUDIT_FORMATS];

/* A page of HTML in the making: the overview goes out as it comes, and what is below it waits. */
struct audit_html {
    FILE *out;
    FILE *body; /* NULL: there was no room */
    char *text; /* what body wrote */
    size_t size;
    size_t files;
};

/* A document in the making. */
struct audit_output {
    enum audit_format format;
    struct audit_style style; /* of text */
    FILE *out;
    size_t count;      /* files so far */
    json_object *tree; /* of the forms that are JSON */
    struct audit_html html;
    const struct audit_lack *tier; /* of text: the one that its audits are for */
};

/* Begins a document. */
void audit_output_begin(struct audit_output *output, enum audit_format format,
                        const struct audit_style *style, FILE *out);

/* Adds a file. The audit need not live on. */
void audit_output_add(struct audit_output *output, const struct audit *audit);

/* A file that could not be audited, which JSON, SARIF and HTML tell. */
void audit_output_fail(struct audit_output *output, const char *file, const struct err *err);

/* Ends and prints it; a document of no file is one, too, but for text. -1 if it could not be
 * written. */
int audit_output_end(struct audit_output *output);

#endif
