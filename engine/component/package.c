/* Reads WIT text; see package.h. A descent by the grammar of WIT.md whose depth is bounded: types
 * nest to DEPTH_MAX, all else to three levels. Each step takes a token, so time and memory go with
 * the size of the text. */
#include "engine/component/package.h"

#include "engine/base/attr.h"
#include "engine/component/name.h"

#define DEPTH_MAX 64

struct reader {
    struct bytes text;
    size_t at; /* where the current token ends, and the next begins */
    size_t start;
    struct str token; /* the current one; empty at the end */
    struct region *region;
    struct wit_package *package;
    struct wit_path own; /* the package that declarations belong to */
    const struct wit_file *file;
    size_t begun; /* declarations there were before this file */
    bool named;   /* the file has said which package it is of */
    bool nested;
    struct err *err;
};

static int wrong(struct reader *r, const char *expected)
{
    return err_set(r->err, ERR_MALFORMED, r->start, "WIT: expected %s%s" STR_FMT "%s", expected,
                   r->token.len ? ", found '" : ", and the text ends", STR_ARG(r->token),
                   r->token.len ? "'" : "");
}

static int full(struct reader *r)
{
    return err_set(r->err, ERR_MEMORY, r->start, "no memory left for this text");
}

/* --- Tokens -------------------------------------------------------------------------------------
 */

static uint8_t peek(const struct reader *r, size_t ahead)
{
    return r->text.len - r->at > ahead ? r->text.at[r->at + ahead] : 0;
}

/* A block comment, which may hold others. */
static int skip_block(struct reader *r)
{
    size_t depth = 0;
    r->start = r->at;
    do {
        if (r->at >= r->text.len)
            return err_set(r->err, ERR_MALFORMED, r->start, "WIT: a comment without an end");
        bool opens = peek(r, 0) == '/' && peek(r, 1) == '*';
        bool closes = peek(r, 0) == '*' && peek(r, 1) == '/';
        depth += opens;
        depth -= closes;
        r->at += opens || closes ? 2 : 1;
    } while (depth > 0);
    return 0;
}

static int skip(struct reader *r)
{
    for (;;) {
        uint8_t c = peek(r, 0);
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            r->at++;
        } else if (c == '/' && peek(r, 1) == '/') {
            while (r->at < r->text.len && peek(r, 0) != '\n')
                r->at++;
        } else if (c == '/' && peek(r, 1) == '*') {
            if (skip_block(r))
                return -1;
        } else {
            return 0;
        }
    }
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t word_length(const struct reader *r, size_t from)
{
    size_t length = from;
    while (is_letter(peek(r, length)) || (peek(r, length) == '-' && peek(r, length + 1) != '>'))
        length++;
    return length;
}

/* The next token: a word (with its '%'), a text in quotes, "->", or one character. */
static int next(struct reader *r)
{
    if (skip(r))
        return -1;
    size_t length = word_length(r, peek(r, 0) == '%');
    r->start = r->at;
    if (length == 0 && peek(r, 0) == '"') {
        for (length = 1; peek(r, length) && peek(r, length) != '"'; length++)
            ;
        length++;
    } else if (length == 0) {
        length = peek(r, 0) == '-' && peek(r, 1) == '>' ? 2 : 1;
    }
    size_t left = r->text.len - r->at;
    length = length < left ? length : left;
    r->token = (struct str){(const char *)r->text.at + r->at, length};
    r->at += length;
    return 0;
}

static bool is(const struct reader *r, const char *token)
{
    return str_is(r->token, token);
}

/* Goes on behind the token, which has to be this one. */
static int take(struct reader *r, const char *token)
{
    return is(r, token) ? next(r) : wrong(r, token);
}

/* Goes on behind the token if it is this one; *ret says so. */
static int maybe(struct reader *r, const char *token, bool *ret)
{
    *ret = is(r, token);
    return *ret ? next(r) : 0;
}

static int take_id(struct reader *r, struct str *ret)
{
    struct str id = r->token;
    if (id.len && id.at[0] == '%') {
        id.at++;
        id.len--;
    }
    if (!name_is_label(id))
        return wrong(r, "a name");
    *ret = id;
    return next(r);
}

/* What follows '@': up to what no version has. A dot before a brace is no part of it. */
static int take_version(struct reader *r, struct str *ret)
{
    size_t begin = r->start, end = begin;
    const uint8_t *at = r->text.at;
    while (end < r->text.len && (is_letter(at[end]) || strchr("-+.", at[end])) && at[end] &&
           !(at[end] == '.' && end + 1 < r->text.len && at[end + 1] == '{'))
        end++;
    *ret = (struct str){(const char *)at + begin, end - begin};
    if (!name_is_semver(*ret))
        return wrong(r, "a version such as 1.0.0");
    r->at = end;
    return next(r);
}

/* --- Names --------------------------------------------------------------------------------------
 */

/* The text from one place to another, if it is written without spaces; else put together. */
static int join(struct reader *r, struct str space, struct str name, struct str *ret)
{
    if (space.at + space.len + 1 == name.at && space.at[space.len] == ':') {
        *ret = (struct str){space.at, space.len + 1 + name.len};
        return 0;
    }
    char *both = region_array(r->region, char, space.len + 1 + name.len);
    if (!both)
        return full(r);
    memcpy(both, space.at, space.len);
    both[space.len] = ':';
    memcpy(both + space.len + 1, name.at, name.len);
    *ret = (struct str){both, space.len + 1 + name.len};
    return 0;
}

static int maybe_version(struct reader *r, struct str *ret)
{
    bool versioned;
    *ret = (struct str){"", 0};
    if (!is(r, "@"))
        return 0;
    return maybe(r, "@", &versioned) || take_version(r, ret) ? -1 : 0;
}

/* What follows the first id of a path: nothing, or ":PACKAGE/NAME@VERSION". */
static int path_after(struct reader *r, struct str first, struct wit_path *ret)
{
    struct str second;
    bool whole;
    *ret = (struct wit_path){.package = {"", 0}, .name = first, .version = {"", 0}};
    if (maybe(r, ":", &whole) || !whole)
        return whole ? -1 : 0;
    if (take_id(r, &second) || join(r, first, second, &ret->package) || take(r, "/") ||
        take_id(r, &ret->name))
        return -1;
    return maybe_version(r, &ret->version);
}

static int take_path(struct reader *r, struct wit_path *ret)
{
    struct str first;
    return take_id(r, &first) || path_after(r, first, ret) ? -1 : 0;
}

/* --- Types --------------------------------------------------------------------------------------
 */

/* A name, or one with others in angle brackets; a number or `_` may be one of those. */
static int skip_type(struct reader *r, unsigned depth)
{
    bool more;
    if (depth == DEPTH_MAX)
        return err_set(r->err, ERR_LIMIT, r->start, "WIT: types nest deeper than %d", DEPTH_MAX);
    if (!r->token.len || !(is_letter((uint8_t)r->token.at[0]) || r->token.at[0] == '%'))
        return wrong(r, "a type");
    if (next(r) || maybe(r, "<", &more))
        return -1;
    while (more) {
        if (skip_type(r, depth + 1) || maybe(r, ",", &more))
            return -1;
        more = more && !is(r, ">");
        if (!more)
            return take(r, ">");
    }
    return 0;
}

/* "name: type, ..." up to the closing token. */
static int skip_fields(struct reader *r, const char *close)
{
    struct str name;
    bool more = !is(r, close);
    while (more) {
        if (take_id(r, &name) || take(r, ":") || skip_type(r, 0) || maybe(r, ",", &more))
            return -1;
        more = more && !is(r, close);
    }
    return take(r, close);
}

/* "name, name(type), ... }" */
static int skip_cases(struct reader *r)
{
    struct str name;
    bool more = !is(r, "}"), typed;
    while (more) {
        if (take_id(r, &name) || maybe(r, "(", &typed) ||
            (typed && (skip_type(r, 0) || take(r, ")"))) || maybe(r, ",", &more))
            return -1;
        more = more && !is(r, "}");
    }
    return take(r, "}");
}

/* "func(...) -> type" behind its name. */
static int skip_func(struct reader *r)
{
    bool word, result;
    if (maybe(r, "async", &word) || take(r, "func") || take(r, "(") || skip_fields(r, ")") ||
        maybe(r, "->", &result))
        return -1;
    return result ? skip_type(r, 0) : 0;
}

/* "@since(...)", "@unstable(...)", "@deprecated(...)", "@external-id(...)" */
static int skip_gates(struct reader *r)
{
    struct str gate;
    while (is(r, "@")) {
        if (next(r) || take_id(r, &gate) || take(r, "("))
            return -1;
        while (r->token.len && !is(r, ")"))
            if (next(r))
                return -1;
        if (take(r, ")"))
            return -1;
    }
    return 0;
}

/* --- Items --------------------------------------------------------------------------------------
 */

static struct wit_item *add_item(struct reader *r, struct wit_items *to, enum wit_item_kind kind)
{
    struct wit_item *item = region_new(r->region, struct wit_item);
    if (!item) {
        full(r);
        return NULL;
    }
    *item = (struct wit_item){.kind = kind, .name = {"", 0}, .label = {"", 0}, .resource = {"", 0}};
    *to->last = item;
    to->last = &item->next;
    return item;
}

static void items_start(struct wit_items *items)
{
    items->first = NULL;
    items->last = &items->first;
}

/* A function of a resource; `kind` is its annotation. */
static int add_method(struct reader *r, struct wit_items *to, struct str kind, struct str resource,
                      struct str name)
{
    struct wit_item *item = add_item(r, to, WIT_FUNC);
    size_t used = kind.len + resource.len;
    char *whole = item ? region_array(r->region, char, used + 1 + name.len) : NULL;
    if (!whole)
        return full(r);
    memcpy(whole, kind.at, kind.len);
    memcpy(whole + kind.len, resource.at, resource.len);
    if (name.len) {
        whole[used++] = '.';
        memcpy(whole + used, name.at, name.len);
    }
    item->name = (struct str){whole, used + name.len};
    item->label = name;
    item->resource = resource;
    return 0;
}

static int read_method(struct reader *r, struct wit_items *to, struct str resource)
{
    struct str name = {"", 0};
    bool constructs, is_static;
    if (skip_gates(r) || maybe(r, "constructor", &constructs))
        return -1;
    if (constructs) {
        bool result;
        if (take(r, "(") || skip_fields(r, ")") || maybe(r, "->", &result) ||
            (result && skip_type(r, 0)))
            return -1;
        return take(r, ";") ||
                       add_method(r, to, str_of("[constructor]"), resource, (struct str){"", 0})
                   ? -1
                   : 0;
    }
    if (take_id(r, &name) || take(r, ":") || maybe(r, "static", &is_static) || skip_func(r) ||
        take(r, ";"))
        return -1;
    return add_method(r, to, str_of(is_static ? "[static]" : "[method]"), resource, name);
}

static int read_resource(struct reader *r, struct wit_items *to)
{
    struct wit_item *item = add_item(r, to, WIT_RESOURCE);
    bool empty;
    if (!item || take_id(r, &item->name) || maybe(r, ";", &empty))
        return -1;
    item->label = item->name;
    if (empty)
        return 0;
    if (take(r, "{"))
        return -1;
    while (!is(r, "}"))
        if (read_method(r, to, item->name))
            return -1;
    return next(r);
}

/* "use path.{a, b as c};" behind its keyword. */
static int read_use(struct reader *r, struct wit_items *to)
{
    struct wit_item *item = add_item(r, to, WIT_USE);
    struct str name;
    bool more = true, renamed;
    if (!item || take_path(r, &item->path) || take(r, ".") || take(r, "{"))
        return -1;
    while (more) {
        if (take_id(r, &name) || maybe(r, "as", &renamed) || (renamed && take_id(r, &name)) ||
            maybe(r, ",", &more))
            return -1;
        more = more && !is(r, "}");
    }
    return take(r, "}") || take(r, ";") ? -1 : 0;
}

/* A type's or a `use` item. 0 with *ret false: it is none. */
static int maybe_typedef(struct reader *r, struct wit_items *to, bool *ret)
{
    static const char *const words[] = {"use",  "resource", "record", "flags",
                                        "enum", "variant",  "type"};
    struct str name;
    size_t which = 0;
    while (which < countof(words) && !is(r, words[which]))
        which++;
    /* A function may be called as any of these, behind '%' only. */
    *ret = which < countof(words);
    if (!*ret)
        return 0;
    if (next(r))
        return -1;
    switch (which) {
    case 0: return read_use(r, to);
    case 1: return read_resource(r, to);
    case 2: return take_id(r, &name) || take(r, "{") || skip_fields(r, "}") ? -1 : 0;
    case 6: return take_id(r, &name) || take(r, "=") || skip_type(r, 0) || take(r, ";") ? -1 : 0;
    default: return take_id(r, &name) || take(r, "{") || skip_cases(r) ? -1 : 0;
    }
}

/* The inside of an interface, up to its brace. */
static int read_interface(struct reader *r, struct wit_items *to)
{
    items_start(to);
    while (!is(r, "}")) {
        bool typedefs;
        if (skip_gates(r) || maybe_typedef(r, to, &typedefs))
            return -1;
        if (typedefs)
            continue;
        struct wit_item *item = add_item(r, to, WIT_FUNC);
        if (!item || take_id(r, &item->name) || take(r, ":") || skip_func(r) || take(r, ";"))
            return -1;
        item->label = item->name;
    }
    return next(r);
}

/* --- Worlds -------------------------------------------------------------------------------------
 */

/* "import name: ...;" or "import path;" behind its keyword. */
static int read_extern(struct reader *r, struct wit_items *to, bool exported)
{
    struct wit_item *item = add_item(r, to, WIT_INTERFACE);
    struct str first;
    bool inner;
    if (!item || take_id(r, &first))
        return -1;
    item->exported = exported;
    if (!is(r, ":"))
        return path_after(r, first, &item->path) || take(r, ";") ? -1 : 0;
    struct reader here = *r;
    if (next(r))
        return -1;
    if (is(r, "func") || is(r, "async")) {
        /* A package may be called so, and then a slash follows. */
        struct reader word = *r;
        if (next(r))
            return -1;
        bool function = !is(r, "/");
        *r = word;
        if (function) {
            item->kind = WIT_FUNC;
            item->name = item->label = first;
            return skip_func(r) || take(r, ";") ? -1 : 0;
        }
    }
    if (is(r, "interface")) {
        if (maybe(r, "interface", &inner))
            return -1;
        if (is(r, "{")) {
            item->name = first;
            item->inner = region_new(r->region, struct wit_items);
            if (!item->inner)
                return full(r);
            return next(r) || read_interface(r, item->inner) ? -1 : 0;
        }
    }
    *r = here;
    return path_after(r, first, &item->path) || take(r, ";") ? -1 : 0;
}

static int read_include(struct reader *r, struct wit_items *to)
{
    struct wit_item *item = add_item(r, to, WIT_INCLUDE);
    struct str name;
    bool with, more = true, semicolon;
    if (!item || take_path(r, &item->path) || maybe(r, "with", &with))
        return -1;
    if (!with)
        return take(r, ";");
    if (take(r, "{"))
        return -1;
    while (more) {
        if (take_id(r, &name) || take(r, "as") || take_id(r, &name) || maybe(r, ",", &more))
            return -1;
        more = more && !is(r, "}");
    }
    return take(r, "}") || maybe(r, ";", &semicolon) ? -1 : 0;
}

static int read_world(struct reader *r, struct wit_items *to)
{
    items_start(to);
    while (!is(r, "}")) {
        bool typedefs, word;
        if (skip_gates(r) || maybe_typedef(r, to, &typedefs))
            return -1;
        if (typedefs)
            continue;
        bool imports = is(r, "import"), exports = is(r, "export"), includes = is(r, "include");
        if (!imports && !exports && !includes)
            return wrong(r, "import, export, include, use or a type");
        if (maybe(r,
                  imports   ? "import"
                  : exports ? "export"
                            : "include",
                  &word) ||
            (includes ? read_include(r, to) : read_extern(r, to, exports)))
            return -1;
    }
    return next(r);
}

/* --- Files --------------------------------------------------------------------------------------
 */

static struct wit_decl *add_decl(struct reader *r, enum wit_decl_kind kind)
{
    struct wit_decl *decl = region_new(r->region, struct wit_decl);
    if (!decl) {
        full(r);
        return NULL;
    }
    *decl = (struct wit_decl){.kind = kind,
                              .path = r->own,
                              .nested = r->nested,
                              .foreign = r->file->foreign,
                              .file = r->file->number};
    items_start(&decl->items);
    *r->package->last = decl;
    r->package->last = &decl->next;
    r->package->count++;
    return decl;
}

/* "use path as name;" behind its keyword: a name for this file. */
static int read_alias(struct reader *r)
{
    struct wit_decl *decl = add_decl(r, WIT_DECL_ALIAS);
    bool renamed;
    if (!decl || take_path(r, &decl->alias) || maybe(r, "as", &renamed))
        return -1;
    decl->path.name = decl->alias.name;
    return (renamed && take_id(r, &decl->path.name)) || take(r, ";") ? -1 : 0;
}

static int read_declaration(struct reader *r)
{
    if (skip_gates(r))
        return -1;
    bool world = is(r, "world");
    if (is(r, "use"))
        return next(r) || read_alias(r) ? -1 : 0;
    if (!world && !is(r, "interface"))
        return wrong(r, "package, interface, world or use");
    struct wit_decl *decl = add_decl(r, world ? WIT_DECL_WORLD : WIT_DECL_INTERFACE);
    if (!decl || next(r) || take_id(r, &decl->path.name) || take(r, "{"))
        return -1;
    return world ? read_world(r, &decl->items) : read_interface(r, &decl->items);
}

/* "package a:b@1.0.0" */
static int take_package(struct reader *r)
{
    struct str space = {"", 0}, name = {"", 0};
    return next(r) || take_id(r, &space) || take(r, ":") || take_id(r, &name) ||
                   join(r, space, name, &r->own.package) || maybe_version(r, &r->own.version)
               ? -1
               : 0;
}

/* With a semicolon it is for the whole file, and comes first; with a block for what is in that. */
static int read_package(struct reader *r)
{
    struct wit_path before = r->own;
    size_t start = r->start;
    if (take_package(r))
        return -1;
    if (is(r, ";")) {
        if (r->named || r->package->count > r->begun)
            return err_set(r->err, ERR_MALFORMED, start,
                           "WIT: a file names its package once, before all else");
        r->named = true;
        return next(r);
    }
    if (take(r, "{"))
        return -1;
    r->nested = true;
    while (!is(r, "}"))
        if (read_declaration(r))
            return -1;
    r->nested = false;
    r->own = before;
    return next(r);
}

bool wit_is(struct bytes file)
{
    static const char *const words[] = {"package", "interface", "world", "use", "@"};
    struct err err = {0};
    struct reader r = {.text = file, .err = &err};
    if (next(&r))
        return false;
    for (size_t i = 0; i < countof(words); i++)
        if (is(&r, words[i]))
            return true;
    return false;
}

void wit_package_start(struct wit_package *package)
{
    package->first = NULL;
    package->last = &package->first;
    package->count = 0;
}

int wit_read_file(const struct wit_file *file, struct region *region, struct wit_package *package,
                  struct err *err)
{
    struct reader r = {.text = file->text,
                       .region = region,
                       .package = package,
                       .own = file->own,
                       .file = file,
                       .begun = package->count,
                       .err = err};
    if (next(&r))
        return -1;
    while (r.token.len)
        if (is(&r, "package") ? read_package(&r) : read_declaration(&r))
            return -1;
    return 0;
}

static const struct wit_path no_path = {{"", 0}, {"", 0}, {"", 0}};

int wit_read_package(struct bytes file, struct region *region, struct wit_package *ret,
                     struct err *err)
{
    const struct wit_file alone = {.text = file, .own = no_path};
    wit_package_start(ret);
    return wit_read_file(&alone, region, ret, err);
}

int wit_package_name(struct bytes file, struct region *region, struct wit_path *ret,
                     struct err *err)
{
    struct reader r = {.text = file, .region = region, .own = no_path, .err = err};
    *ret = no_path;
    if (next(&r))
        return -1;
    if (!is(&r, "package"))
        return 0;
    if (take_package(&r))
        return -1;
    if (is(&r, ";"))
        *ret = r.own;
    return 0;
}
