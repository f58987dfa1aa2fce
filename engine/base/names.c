/* Lists of names; see names.h. */
#include "engine/base/names.h"

#include <stdio.h>
#include <string.h>

void names_add(struct names *names, struct str name)
{
    static const char dots[] = ", ...";
    if (names->full)
        return;
    const char *between = names->used ? ", " : "";
    size_t room = sizeof names->text - sizeof dots - names->used;
    names->full = strlen(between) + name.len > room;
    if (names->full)
        snprintf(names->text + names->used, sizeof dots, "%s...", between);
    else
        names->used += (size_t)snprintf(names->text + names->used, room + 1, "%s%.*s", between,
                                        (int)name.len, name.len ? name.at : "");
}
