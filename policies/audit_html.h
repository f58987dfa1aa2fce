/* Parts of the HTML page that audit_html.c and audit_svg.c share. */
#ifndef CARREL_POLICIES_AUDIT_HTML_H
#define CARREL_POLICIES_AUDIT_HTML_H

#include "policies/audit.h"

/* Text in which nothing is markup. */
void html_escaped(FILE *out, const char *value);

/* The graph of an audit, with its title. */
void html_graph(FILE *out, const struct audit *audit);

#endif
