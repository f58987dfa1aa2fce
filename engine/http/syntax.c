/* The grammar of small things; see syntax.h. */
#include "engine/http/syntax.h"

#include "engine/base/ascii.h"
#include "engine/http/http.h"

#define VISIBLE (HTTP_VALUE | HTTP_TARGET)
#define NUMERIC (VISIBLE | HTTP_TCHAR | HTTP_DIGIT | HTTP_HOST)
#define LETTER  (VISIBLE | HTTP_TCHAR | HTTP_ALPHA | HTTP_HOST)
#define MARK    (VISIBLE | HTTP_TCHAR | HTTP_HOST) /* both in tokens and in names */

const uint8_t http_class[256] = {
    ['\t'] = HTTP_VALUE,
    [' '] = HTTP_VALUE,
    ['"'] = VISIBLE,
    ['#'] = HTTP_VALUE | HTTP_TCHAR,
    ['('] = VISIBLE | HTTP_HOST,
    [')'] = VISIBLE | HTTP_HOST,
    [','] = VISIBLE | HTTP_HOST,
    ['/'] = VISIBLE,
    [':'] = VISIBLE,
    [';'] = VISIBLE | HTTP_HOST,
    ['<'] = VISIBLE,
    ['='] = VISIBLE | HTTP_HOST,
    ['>'] = VISIBLE,
    ['?'] = VISIBLE,
    ['@'] = VISIBLE,
    ['['] = VISIBLE,
    ['\\'] = VISIBLE,
    [']'] = VISIBLE,
    ['{'] = VISIBLE,
    ['}'] = VISIBLE,
    ['^'] = VISIBLE | HTTP_TCHAR,
    ['`'] = VISIBLE | HTTP_TCHAR,
    ['|'] = VISIBLE | HTTP_TCHAR,
    ['!'] = MARK,
    ['$'] = MARK,
    ['%'] = MARK,
    ['&'] = MARK,
    ['\''] = MARK,
    ['*'] = MARK,
    ['+'] = MARK,
    ['-'] = MARK,
    ['.'] = MARK,
    ['_'] = MARK,
    ['~'] = MARK,
    ['0' ... '9'] = NUMERIC,
    ['A' ... 'Z'] = LETTER,
    ['a' ... 'z'] = LETTER,
    [0x80 ... 0xff] = HTTP_VALUE,
};

static unsigned class_of(char c)
{
    return http_class[(uint8_t)c];
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

bool http_all(struct str text, unsigned classes)
{
    for (size_t i = 0; i < text.len; i++)
        if (!(class_of(text.at[i]) & classes))
            return false;
    return true;
}

bool http_is_token(struct str text)
{
    return text.len && http_all(text, HTTP_TCHAR);
}

bool http_is_value(struct str text)
{
    if (text.len && (blank(text.at[0]) || blank(text.at[text.len - 1])))
        return false;
    return http_all(text, HTTP_VALUE);
}

bool http_same(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_small(a.at[i]) != ascii_small(b.at[i]))
            return false;
    return true;
}

bool http_is(struct str text, struct str name)
{
    if (text.len != name.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (ascii_small(text.at[i]) != name.at[i])
            return false;
    return true;
}

bool http_is_path(struct str text)
{
    if (!text.len || str_is(text, "*"))
        return true;
    return (text.at[0] == '/' || text.at[0] == '?') && text.len <= HTTP_MAX_TARGET &&
           http_all(text, HTTP_TARGET);
}

bool http_is_scheme(struct str text)
{
    if (!text.len || !(class_of(text.at[0]) & HTTP_ALPHA))
        return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.at[i];
        if (!(class_of(c) & (HTTP_ALPHA | HTTP_DIGIT)) && c != '+' && c != '-' && c != '.')
            return false;
    }
    return true;
}

/* --- Authorities --------------------------------------------------------------------------------
 */

/* ":8080", ":" or nothing. */
static bool port_read(struct str text, int32_t *ret)
{
    uint64_t port = 0;
    *ret = -1;
    if (text.len <= 1)
        return !text.len || text.at[0] == ':';
    if (text.at[0] != ':' || !http_number((struct str){text.at + 1, text.len - 1}, &port) ||
        port > UINT16_MAX)
        return false;
    *ret = (int32_t)port;
    return true;
}

/* What stands in brackets, and what comes behind them. */
static bool bracketed(struct str text, struct http_authority *ret, struct str *behind)
{
    const char *end = memchr(text.at, ']', text.len);
    if (!end)
        return false;
    ret->literal6 = true;
    ret->host = (struct str){text.at + 1, (size_t)(end - text.at) - 1};
    *behind = (struct str){end + 1, text.len - (size_t)(end + 1 - text.at)};
    for (size_t i = 0; i < ret->host.len; i++) {
        char c = ascii_small(ret->host.at[i]);
        if (!(class_of(c) & HTTP_DIGIT) && !(c >= 'a' && c <= 'f') && c != ':' && c != '.')
            return false;
    }
    return true;
}

bool http_authority_read(struct str text, struct http_authority *ret)
{
    struct str behind;
    *ret = (struct http_authority){.port = -1};
    if (!text.len || text.len > HTTP_MAX_AUTHORITY)
        return false;
    if (text.at[0] == '[')
        return bracketed(text, ret, &behind) && ret->host.len && port_read(behind, &ret->port);
    const char *colon = memchr(text.at, ':', text.len);
    size_t host = colon ? (size_t)(colon - text.at) : text.len;
    ret->host = (struct str){text.at, host};
    behind = (struct str){text.at + host, text.len - host};
    return host && http_all(ret->host, HTTP_HOST) && port_read(behind, &ret->port);
}

/* --- Targets ------------------------------------------------------------------------------------
 */

/* "http://authority/path?query"; a path that is not written is "/". */
static bool absolute_read(struct str text, struct http_target *ret)
{
    struct http_authority parts;
    const char *colon = memchr(text.at, ':', text.len);
    size_t scheme = colon ? (size_t)(colon - text.at) : 0;
    if (!colon || text.len - scheme < 3 || memcmp(colon, "://", 3) != 0)
        return false;
    ret->form = HTTP_ABSOLUTE_FORM;
    ret->scheme = (struct str){text.at, scheme};
    struct str rest = {colon + 3, text.len - scheme - 3};
    size_t end = 0;
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    ret->authority = (struct str){rest.at, end};
    ret->path = (struct str){rest.at + end, rest.len - end};
    if (!ret->path.len)
        ret->path = str_of("/");
    return http_is_scheme(ret->scheme) && http_authority_read(ret->authority, &parts);
}

bool http_target_read(struct str text, bool connect, struct http_target *ret)
{
    struct http_authority parts;
    *ret = (struct http_target){.form = HTTP_ORIGIN_FORM};
    if (!text.len || !http_all(text, HTTP_TARGET))
        return false;
    if (connect) {
        ret->form = HTTP_AUTHORITY_FORM;
        ret->authority = text;
        return http_authority_read(text, &parts) && parts.port >= 0;
    }
    if (text.at[0] == '/' || str_is(text, "*")) {
        ret->form = text.at[0] == '/' ? HTTP_ORIGIN_FORM : HTTP_ASTERISK_FORM;
        ret->path = text;
        return true;
    }
    return absolute_read(text, ret);
}

/* --- Lists and numbers --------------------------------------------------------------------------
 */

bool http_list_next(struct str *rest, struct str *ret)
{
    while (rest->len) {
        const char *comma = memchr(rest->at, ',', rest->len);
        struct str part = {rest->at, comma ? (size_t)(comma - rest->at) : rest->len};
        size_t passed = part.len + (comma != NULL);
        *rest = (struct str){rest->at + passed, rest->len - passed};
        while (part.len && blank(part.at[0]))
            part = (struct str){part.at + 1, part.len - 1};
        while (part.len && blank(part.at[part.len - 1]))
            part.len--;
        *ret = part;
        if (part.len)
            return true;
    }
    return false;
}

bool http_number(struct str text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!text.len || text.len > 19 || !http_all(text, HTTP_DIGIT))
        return false;
    for (size_t i = 0; i < text.len; i++)
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    *ret = value;
    return true;
}
