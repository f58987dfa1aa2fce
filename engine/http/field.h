/* Fields that mean something to the protocol; the rows of field.def. */
#ifndef CARREL_HTTP_FIELD_H
#define CARREL_HTTP_FIELD_H

#include "engine/base/bytes.h"

enum http_known {
    HTTP_FIELD_UNKNOWN,
#define FIELD(name, text, flags) HTTP_FIELD_##name,
#include "engine/http/field.def"
    HTTP_FIELDS_KNOWN
};

/* Which of them has this name, without regard to case. */
enum http_known http_field_known(struct str name);

/* May a component not set it? Also: what is taken out of a message before a component sees it. */
bool http_field_forbidden(enum http_known known);

/* May it stand in a trailer section? */
bool http_field_trails(enum http_known known);

#endif
