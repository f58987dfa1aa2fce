/* The printers behind audit_output.h. Each begins, adds a file, and ends a document. */
#ifndef CARREL_POLICIES_AUDIT_FORMS_H
#define CARREL_POLICIES_AUDIT_FORMS_H

#include "policies/audit_output.h"
#include "policies/audit_parts.h"

/* Of the forms that are trees: the empty document, and one file more in it. */
json_object *audit_json_begin(void);
void audit_json_add(json_object *document, const struct audit *audit);
/* One that could not be audited. */
void audit_json_fail(json_object *document, const char *file, const struct err *err);
json_object *audit_sarif_begin(void);
void audit_sarif_add(json_object *document, const struct audit *audit);
void audit_sarif_fail(json_object *document, const char *file, const struct err *err);
json_object *audit_cyclonedx_begin(void);
void audit_cyclonedx_add(json_object *document, const struct audit *audit);
json_object *audit_seccomp_begin(void);
void audit_seccomp_add(json_object *document, const struct audit *audit);

/* Of those that are text. `number` counts the files of the document. */
void audit_html_begin(struct audit_html *page, FILE *out);
void audit_html_add(struct audit_html *page, const struct audit *audit);
void audit_html_fail(struct audit_html *page, const char *file, const struct err *err);
int audit_html_end(struct audit_html *page); /* -1: there was no room for it */
void audit_dot_begin(FILE *out);
void audit_dot_add(FILE *out, const struct audit *audit, size_t number);
void audit_dot_end(FILE *out);
void audit_systemd_print(FILE *out, const struct audit *audit);

/* --- What they share ----------------------------------------------------------------------------
 */

static inline void put(json_object *to, const char *key, json_object *value)
{
    json_object_object_add(to, key, value);
}

static inline json_object *text(const char *value)
{
    return json_object_new_string(value);
}

/* A name of unknown origin, made printable. */
json_object *audit_foreign(struct str value);

/* A digest of 32 bytes in 64 digits. */
json_object *audit_hex(const uint8_t *digest);

/* "interface#name" of a row, as this component names it. */
json_object *audit_row_id(const struct demand *demand, enum row row);

/* System calls that a static program needs before and besides what it does: NULL ends the list. */
extern const char *const audit_start_calls[];

#endif
