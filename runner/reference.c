/* Names of images; see reference.h. Pure. */
#include "runner/reference.h"

#include <stddef.h>
#include <string.h>

#define DIGITS   "0123456789"
#define SMALL    "abcdefghijklmnopqrstuvwxyz" DIGITS
#define LETTERS  SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TAG_MOST 128

/* Some of `letters`, and nothing else, with one of `ends` first and last. */
static bool consists(const char *at, const char *end, const char *letters, const char *ends)
{
    return at < end && strspn(at, letters) >= (size_t)(end - at) && strchr(ends, *at) &&
           strchr(ends, end[-1]);
}

/* Where the path begins: the first part is a host if it has a dot or a port, or is localhost. NULL:
 * it would be a host, and is none. */
static const char *path_of(const char *name)
{
    const char *end = strchr(name, '/');
    if (!end ||
        (strcspn(name, ".:") > (size_t)(end - name) && strncmp(name, "localhost/", 10) != 0))
        return name;
    const char *colon = strchr(name, ':');
    if (colon && colon < end && !consists(colon + 1, end, DIGITS, DIGITS))
        return NULL;
    return consists(name, colon && colon < end ? colon : end, LETTERS ".-", LETTERS) ? end + 1
                                                                                     : NULL;
}

bool reference_valid(const char *name)
{
    const char *at = path_of(name);
    if (!at)
        return false;
    const char *tag = strchr(at, ':'), *end = tag ? tag : at + strlen(at);
    if (tag && (strlen(tag + 1) > TAG_MOST ||
                !consists(tag + 1, tag + strlen(tag), LETTERS "_.-", LETTERS "_.-") ||
                strchr(".-", tag[1])))
        return false;
    for (const char *next; at <= end; at = next + 1) {
        next = at + strcspn(at, "/:");
        if (!consists(at, next, SMALL "._-", SMALL))
            return false;
        if (next == end)
            return true;
    }
    return false;
}
