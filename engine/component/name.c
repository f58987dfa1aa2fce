/* The grammar of names; see name.h. */
#include "engine/component/name.h"

#include "engine/base/attr.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str part(struct str text, size_t from, size_t to)
{
    return (struct str){text.at + from, to - from};
}

/* The first place of `c`, or the length. */
static size_t find(struct str text, char c)
{
    const char *at = text.len ? memchr(text.at, c, text.len) : NULL;
    return at ? (size_t)(at - text.at) : text.len;
}

static bool begins(struct str text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.at, with, len) == 0;
}

/* Fragments with hyphens between them, each of lower-case letters or of capitals; the first begins
 * with a letter. `words`: without capitals. */
static bool is_kebab(struct str text, bool words)
{
    bool lower = false;
    bool upper = false;
    size_t start = 0; /* of this fragment */
    if (text.len == 0 || is_digit(text.at[0]))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '-') {
            if (i == start)
                return false;
            lower = upper = false;
            start = i + 1;
            continue;
        }
        lower |= is_lower(c);
        upper |= is_upper(c);
        if (!(is_lower(c) || is_upper(c) || is_digit(c)) || (lower && upper) || (upper && words))
            return false;
    }
    return start < text.len;
}

bool name_is_label(struct str text)
{
    return is_kebab(text, false);
}

/* --- Versions -----------------------------------------------------------------------------------
 */

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.at[i]))
            return false;
    return text.len > 0 && (text.len == 1 || text.at[0] != '0');
}

/* Identifiers with dots between them. Of a pre-release, numbers have no leading zeros. */
static bool is_identifiers(struct str text, bool pre_release)
{
    for (;;) {
        size_t dot = find(text, '.');
        bool digits = true;
        for (size_t i = 0; i < dot; i++) {
            char c = text.at[i];
            if (!(is_lower(c) || is_upper(c) || is_digit(c) || c == '-'))
                return false;
            digits &= is_digit(c);
        }
        if (dot == 0 || (pre_release && digits && !is_number(part(text, 0, dot))))
            return false;
        if (dot == text.len)
            return true;
        text = part(text, dot + 1, text.len);
    }
}

bool name_is_semver(struct str version)
{
    size_t plus = find(version, '+');
    if (plus < version.len && !is_identifiers(part(version, plus + 1, version.len), false))
        return false;
    version.len = plus;
    size_t dash = find(version, '-');
    if (dash < version.len && !is_identifiers(part(version, dash + 1, version.len), true))
        return false;
    version.len = dash;
    for (int i = 0; i < 2; i++) {
        size_t dot = find(version, '.');
        if (dot == version.len || !is_number(part(version, 0, dot)))
            return false;
        version = part(version, dot + 1, version.len);
    }
    return is_number(version);
}

struct str name_track(struct str version)
{
    struct str release = part(version, 0, find(version, '+'));
    if (find(release, '-') < release.len)
        return release;
    size_t major = find(release, '.');
    if (major == release.len || !(major == 1 && release.at[0] == '0'))
        return part(release, 0, major);
    size_t minor = major + 1 + find(part(release, major + 1, release.len), '.');
    if (minor == release.len || !(minor == major + 2 && release.at[major + 1] == '0'))
        return part(release, 0, minor);
    return release;
}

/* --- Extern names -------------------------------------------------------------------------------
 */

/* "resource.member" behind [method] or [static]. */
static enum name_kind parse_member(struct name *name, struct str text, enum name_kind kind,
                                   const char **ret_why)
{
    size_t dot = find(text, '.');
    name->resource = part(text, 0, dot);
    name->member = dot < text.len ? part(text, dot + 1, text.len) : (struct str){0};
    if (name_is_label(name->resource) && name_is_label(name->member))
        return kind;
    *ret_why = "expected two labels in kebab case with a '.' between them";
    return NAME_WRONG;
}

static enum name_kind parse_interface(struct name *name, struct str text, const char **ret_why)
{
    size_t at = find(text, '@');
    name->path = part(text, 0, at);
    size_t colon = find(name->path, ':');
    size_t slash = find(name->path, '/');
    *ret_why = "expected namespace:package/interface, in kebab case";
    if (slash < colon || slash == at || !is_kebab(part(text, 0, colon), true) ||
        !is_kebab(part(text, colon + 1, slash), true) || !name_is_label(part(text, slash + 1, at)))
        return NAME_WRONG;
    if (at == text.len)
        return NAME_INTERFACE;
    name->version = part(text, at + 1, text.len);
    *ret_why = "expected a version as in Semantic Versioning 2.0 behind '@'";
    return name_is_semver(name->version) ? NAME_INTERFACE : NAME_WRONG;
}

/* Names of the component model's drafts that stood for another file, which the host was to find. */
static bool names_dependency(struct str text)
{
    static const char *const words[] = {
        "unlocked-dep=", "locked-dep=", "url=", "relative-url=", "integrity="};
    for (size_t i = 0; i < countof(words); i++)
        if (begins(text, words[i]))
            return true;
    return false;
}

struct name name_parse(struct str text, const char **ret_why)
{
    static const char constructor[] = "[constructor]";
    static const char method[] = "[method]";
    static const char statics[] = "[static]";
    struct name name = {NAME_LABEL, {0}, {0}, {0}, {0}};
    *ret_why = "expected a label in kebab case or an interface name";
    if (names_dependency(text)) {
        name.kind = NAME_WRONG;
        *ret_why = "it stands for another file, as names in drafts of the component model did: "
                   "compose the component with that file";
    } else if (begins(text, constructor)) {
        name.resource = part(text, strlen(constructor), text.len);
        name.kind = name_is_label(name.resource) ? NAME_CONSTRUCTOR : NAME_WRONG;
        *ret_why = "expected a label in kebab case behind [constructor]";
    } else if (begins(text, method)) {
        name.kind = parse_member(&name, part(text, strlen(method), text.len), NAME_METHOD, ret_why);
    } else if (begins(text, statics)) {
        name.kind =
            parse_member(&name, part(text, strlen(statics), text.len), NAME_STATIC, ret_why);
    } else if (find(text, ':') < text.len) {
        name.kind = parse_interface(&name, text, ret_why);
    } else if (!name_is_label(text)) {
        name.kind = NAME_WRONG;
    }
    return name;
}
