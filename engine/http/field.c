/* The table of known fields; see field.h. */
#include "engine/http/field.h"

#include "engine/http/syntax.h"

enum { FORBIDDEN = 1, NO_TRAILER = 2 };

static const struct {
    struct str name;
    uint8_t flags;
} rows[HTTP_FIELDS_KNOWN] = {
    {{"", 0}, 0},
#define FIELD(name, text, flags) {{text, sizeof text - 1}, flags},
#include "engine/http/field.def"
};

enum http_known http_field_known(struct str name)
{
    for (unsigned i = 1; i < HTTP_FIELDS_KNOWN; i++)
        if (rows[i].name.len == name.len && http_is(name, rows[i].name))
            return (enum http_known)i;
    return HTTP_FIELD_UNKNOWN;
}

bool http_field_forbidden(enum http_known known)
{
    return rows[known].flags & FORBIDDEN;
}

bool http_field_trails(enum http_known known)
{
    return !(rows[known].flags & NO_TRAILER);
}
