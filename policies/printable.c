/* Escaping of hostile text; see printable.h. Pure. Look-alikes are not this file's business. */
#include "policies/printable.h"

#include "engine/base/attr.h"
#include "engine/base/utf.h"
#include <stdio.h>

/* Takes one scalar from text that need not be well-formed; returns its length, or 0 if the bytes at
 * `at` are no UTF-8. */
static size_t scalar_at(const uint8_t *at, size_t left, uint32_t *ret)
{
    size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    if (len > left || !utf8_valid((struct bytes){at, len}))
        return 0;
    const uint8_t *from = at;
    *ret = utf8_next(&from);
    return len;
}

/* One character as it is to be seen, in `ret`; returns how many bytes of the text it stands for. */
static size_t show(const uint8_t *at, size_t left, char ret[16])
{
    uint32_t scalar = 0;
    size_t len = scalar_at(at, left, &scalar);
    if (len == 0) {
        snprintf(ret, 16, "\\x%02x", *at);
        return 1;
    }
    if (scalar == '\\')
        snprintf(ret, 16, "\\\\");
    else if (scalar == '\n')
        snprintf(ret, 16, "\\n");
    else if (scalar == '\t')
        snprintf(ret, 16, "\\t");
    else if (utf8_hides(scalar))
        snprintf(ret, 16, scalar < 0x80 ? "\\x%02x" : "\\u{%x}", scalar);
    else
        snprintf(ret, 16, "%.*s", (int)len, (const char *)at);
    return len;
}

char *printable(char *to, size_t size, struct str text)
{
    static const char cut[] = "...";
    const uint8_t *at = (const uint8_t *)text.at;
    size_t left = text.len, used = 0;
    size_t room = size - sizeof cut; /* for whole characters, with space for the mark after them */
    size_t fits = 0;                 /* as far as the mark would still fit */
    while (left) {
        char seen[16];
        size_t taken = show(at, left, seen), len = strlen(seen);
        if (used + len >= size) {
            memcpy(to + fits, cut, sizeof cut);
            return to;
        }
        memcpy(to + used, seen, len);
        used += len;
        if (used <= room)
            fits = used;
        at += taken;
        left -= taken;
    }
    to[used] = '\0';
    return to;
}
