/* Escaping of hostile text; see printable.h. Pure.
 *
 * Escaped are the general categories Cc, Cf, Zl, Zp, Cs, the tags and variation selectors, and the
 * non-characters (Unicode 15, chapter 4 and UTR #36 "Unicode Security Considerations"). Letters of
 * all scripts stay: names may be in any language. Look-alikes are not this function's business. */
#include "policies/printable.h"

#include "engine/base/attr.h"
#include "engine/base/utf.h"
#include <stdio.h>

/* Inclusive ranges, in order. */
static const struct {
    uint32_t first;
    uint32_t last;
} hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},     {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},     {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x08e2, 0x08e2},   {0x115f, 0x1160},     {0x17b4, 0x17b5},   {0x180b, 0x180f},
    {0x200b, 0x200f},   {0x2028, 0x202e},     {0x2060, 0x206f},   {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},     {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
    {0xfffe, 0xffff},   {0x110bd, 0x110bd},   {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},   {0x1fffe, 0x1ffff}, {0xe0000, 0xe0fff},
    {0xffffe, 0xfffff}, {0x10fffe, 0x10ffff},
};

static bool is_hidden(uint32_t scalar)
{
    for (size_t i = 0; i < countof(hidden) && hidden[i].first <= scalar; i++)
        if (scalar <= hidden[i].last)
            return true;
    return false;
}

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
    else if (is_hidden(scalar))
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
