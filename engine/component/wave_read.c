/* WAVE text as values; see wave.h. What is read is told by the type, so depth is bounded by
 * CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/wave.h"

#include "engine/base/utf.h"
#include "engine/component/name.h"
#include <stdio.h>
#include <stdlib.h>

struct wave {
    struct str text;
    size_t at;
    struct host_scratch *scratch;
    struct err *err;
};

static bool read_value(struct wave *w, const struct cm_type *type, void *to);

static bool wrong(struct wave *w, const char *expected)
{
    struct str rest = {w->text.at + w->at, w->text.len - w->at};
    if (rest.len)
        err_set(w->err, ERR_USAGE, w->at, "expected %s at '" STR_FMT "'", expected, STR_ARG(rest));
    else
        err_set(w->err, ERR_USAGE, w->at, "expected %s at the end", expected);
    return false;
}

static bool full(struct wave *w)
{
    err_set(w->err, ERR_MEMORY, ERR_NOWHERE, "no memory left for a value");
    return false;
}

/* --- Tokens -------------------------------------------------------------------------------------
 */

static char peek_at(const struct wave *w, size_t ahead)
{
    return (char)(w->at + ahead < w->text.len ? w->text.at[w->at + ahead] : 0);
}

/* White space, and comments from "//" to the end of the line. */
static void skip(struct wave *w)
{
    bool comment = false;
    for (; w->at < w->text.len; w->at++) {
        char c = w->text.at[w->at];
        if (c == '\n')
            comment = false;
        else if (c == '/' && peek_at(w, 1) == '/')
            comment = true;
        else if (!comment && c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

static bool take(struct wave *w, char c)
{
    skip(w);
    if (w->at >= w->text.len || w->text.at[w->at] != c)
        return false;
    w->at++;
    return true;
}

static bool expect(struct wave *w, char c)
{
    char text[4] = {'\'', c, '\'', 0};
    return take(w, c) || wrong(w, text);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* The word at hand, without its '%'; it is not taken. */
static struct str word(struct wave *w, bool *ret_escaped)
{
    skip(w);
    *ret_escaped = peek_at(w, 0) == '%';
    size_t from = w->at + *ret_escaped;
    size_t to = from;
    while (to < w->text.len && is_word(w->text.at[to]))
        to++;
    return (struct str){w->text.at + from, to - from};
}

static bool take_keyword(struct wave *w, const char *keyword)
{
    bool escaped;
    struct str is = word(w, &escaped);
    if (escaped || !str_is(is, keyword))
        return false;
    w->at += is.len;
    return true;
}

static bool is_keyword(struct str is)
{
    static const char *const keywords[] = {"true", "false", "some", "none",
                                           "ok",   "err",   "inf",  "nan"};
    for (size_t i = 0; i < countof(keywords); i++)
        if (str_is(is, keywords[i]))
            return true;
    return false;
}

/* A label; of a case, keywords must be escaped. Empty and *err if there is none. */
static struct str take_label(struct wave *w, bool is_case)
{
    bool escaped;
    struct str is = word(w, &escaped);
    if (!name_is_label(is) || (is_case && !escaped && is_keyword(is))) {
        wrong(w, is_case && is_keyword(is) ? "a label ('%' before a keyword)" : "a label");
        return (struct str){0};
    }
    w->at += is.len + escaped;
    return is;
}

/* --- Numbers ------------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number at hand, as JSON has them; empty if there is none. It is not taken. */
static struct str number(struct wave *w)
{
    skip(w);
    size_t n = peek_at(w, 0) == '-';
    size_t whole = n;
    while (is_digit(peek_at(w, n)))
        n++;
    if (n == whole || (n > whole + 1 && peek_at(w, whole) == '0'))
        return (struct str){0};
    if (peek_at(w, n) == '.' && is_digit(peek_at(w, n + 1)))
        for (n++; is_digit(peek_at(w, n));)
            n++;
    if (peek_at(w, n) == 'e' || peek_at(w, n) == 'E') {
        size_t e = n + 1 + (peek_at(w, n + 1) == '-' || peek_at(w, n + 1) == '+');
        if (is_digit(peek_at(w, e)))
            for (n = e; is_digit(peek_at(w, n));)
                n++;
    }
    return (struct str){w->text.at + w->at, n};
}

static bool read_integer(struct wave *w, const struct cm_type *type, void *to)
{
    struct str text = number(w);
    unsigned bits = type->layout.size * 8;
    bool is_signed = cm_shape(type->kind) == SHAPE_SIGNED;
    bool negative = text.len && text.at[0] == '-';
    uint64_t most = is_signed ? (UINT64_C(1) << (bits - 1)) - !negative : UINT64_MAX >> (64 - bits);
    uint64_t value = 0;
    bool good = text.len && (is_signed || !negative);
    for (size_t i = negative; i < text.len && good; i++) {
        unsigned digit = (unsigned)(text.at[i] - '0');
        good = digit <= 9 && value <= (most - digit) / 10;
        value = value * 10 + digit;
    }
    if (!good || value > most)
        return wrong(w, cm_kind_text(type->kind));
    if (negative)
        value = -value;
    memcpy(to, &value, type->layout.size);
    w->at += text.len;
    return true;
}

#define NUMBER_MAX 1100 /* characters: more than any number needs to be told exactly */

static bool read_float(struct wave *w, const struct cm_type *type, void *to)
{
    double value;
    float narrow;
    char copy[NUMBER_MAX];
    struct str text = number(w);
    if (take_keyword(w, "nan")) {
        value = (double)__builtin_nan("");
        narrow = __builtin_nanf("");
    } else if (take_keyword(w, "inf")) {
        value = (double)__builtin_inf();
        narrow = __builtin_inff();
    } else if (take_keyword(w, "-inf")) {
        value = -(double)__builtin_inf();
        narrow = -__builtin_inff();
    } else if (text.len && text.len < sizeof copy) {
        memcpy(copy, text.at, text.len);
        copy[text.len] = 0;
        value = strtod(copy, NULL);
        narrow = strtof(copy, NULL);
        w->at += text.len;
    } else {
        return wrong(w, cm_kind_text(type->kind));
    }
    if (type->kind == CM_F32)
        memcpy(to, &narrow, sizeof narrow);
    else
        memcpy(to, &value, sizeof value);
    return true;
}

static bool read_bool(struct wave *w, uint8_t *to)
{
    to[0] = take_keyword(w, "true");
    return to[0] || take_keyword(w, "false") || wrong(w, "true or false");
}

/* --- Text ---------------------------------------------------------------------------------------
 */

/* "\u{1f30a}" behind the 'u'. */
static bool read_unicode(struct wave *w, uint32_t *ret)
{
    uint32_t scalar = 0;
    unsigned digits = 0;
    size_t open = w->at;
    if (peek_at(w, 0) != '{')
        return wrong(w, "'{'");
    w->at++;
    for (; digits < 7; digits++, w->at++) {
        char c = peek_at(w, 0);
        if (is_digit(c))
            scalar = scalar << 4 | (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            scalar = scalar << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            break;
    }
    if (!digits || digits > 6 || peek_at(w, 0) != '}' || scalar > 0x10ffff ||
        (scalar & 0xfffff800) == 0xd800) {
        w->at = open;
        return wrong(w, "a Unicode scalar value as 1 to 6 hexadecimal digits in braces");
    }
    w->at++;
    *ret = scalar;
    return true;
}

/* One character inside quotes, escaped or not. */
static bool read_character(struct wave *w, uint32_t *ret)
{
    static const char letters[] = "\\\"'trn";
    static const char meant[] = "\\\"'\t\r\n";
    if (w->at >= w->text.len)
        return wrong(w, "a character");
    if (peek_at(w, 0) != '\\') {
        const uint8_t *at = (const uint8_t *)w->text.at + w->at;
        *ret = utf8_next(&at);
        w->at = (size_t)((const char *)at - w->text.at);
        return true;
    }
    char c = peek_at(w, 1);
    const char *letter = c ? strchr(letters, c) : NULL;
    w->at++;
    if (c == 'u') {
        w->at++;
        return read_unicode(w, ret);
    }
    if (!letter)
        return wrong(w, "one of \" ' t r n u{...} or another backslash after a backslash");
    *ret = (uint8_t)meant[letter - letters];
    w->at++;
    return true;
}

static bool read_char(struct wave *w, void *to)
{
    uint32_t scalar;
    skip(w);
    if (peek_at(w, 0) != '\'')
        return wrong(w, "a char in single quotes");
    w->at++;
    if (peek_at(w, 0) == '\'' || peek_at(w, 0) == '\n')
        return wrong(w, "one character");
    if (!read_character(w, &scalar))
        return false;
    if (peek_at(w, 0) != '\'')
        return wrong(w, "a single quote behind one character");
    w->at++;
    memcpy(to, &scalar, sizeof scalar);
    return true;
}

static bool at_triple(const struct wave *w)
{
    return peek_at(w, 0) == '"' && peek_at(w, 1) == '"' && peek_at(w, 2) == '"';
}

/* The value of characters up to where `end` is; there is room, as no escape is shorter than what it
 * means. Lines lose `indent` spaces. */
static bool read_characters(struct wave *w, size_t end, bool lines, size_t indent, char *copy,
                            struct str *ret)
{
    char *to = copy;
    while (w->at < end) {
        bool line_break = lines && peek_at(w, 0) == '\n';
        uint32_t scalar;
        if (!lines && peek_at(w, 0) == '\n')
            return wrong(w, "no line break inside quotes, but \\n");
        if (lines && at_triple(w))
            return wrong(w, "no three double quotes in a row inside a string");
        if (lines && peek_at(w, 0) == '\r' && peek_at(w, 1) == '\n') {
            w->at++;
            continue;
        }
        if (!read_character(w, &scalar))
            return false;
        to += utf8_put((uint8_t *)to, scalar);
        for (size_t i = 0; line_break && i < indent && peek_at(w, 0) != '\n'; i++) {
            if (peek_at(w, 0) != ' ')
                return wrong(w, "the spaces that the last line begins with");
            w->at++;
        }
    }
    *ret = (struct str){copy, (size_t)(to - copy)};
    return true;
}

/* Between triple quotes: the first line break and the last belong to the quotes. */
static bool read_lines(struct wave *w, struct str *ret)
{
    w->at += 3;
    w->at += peek_at(w, 0) == '\r';
    if (peek_at(w, 0) != '\n')
        return wrong(w, "a line break behind three double quotes");
    size_t end = w->at;
    while (end + 3 <= w->text.len && memcmp(w->text.at + end, "\"\"\"", 3) != 0)
        end += w->text.at[end] == '\\' ? 2 : 1;
    if (end + 3 > w->text.len)
        return wrong(w, "three double quotes");
    size_t close = end;
    while (w->text.at[end - 1] == ' ')
        end--;
    if (w->text.at[end - 1] != '\n')
        return wrong(w, "a line break before the closing quotes");
    size_t indent = close - end;
    char *copy = scratch_take(w->scratch, end - w->at + 1);
    if (!copy)
        return full(w);
    /* The first line break, read like any other, takes its line's indent away; it is not part. */
    bool empty = end == w->at + 1;
    size_t last = end - 1 - (end >= 2 && w->text.at[end - 2] == '\r' && !empty);
    if (!empty && !read_characters(w, last, true, indent, copy, ret))
        return false;
    *ret = empty || ret->len == 0 ? (struct str){copy, 0} : (struct str){copy + 1, ret->len - 1};
    w->at = close + 3;
    return true;
}

static bool read_string(struct wave *w, void *to)
{
    struct str s;
    skip(w);
    if (peek_at(w, 0) != '"')
        return wrong(w, "a string in double quotes");
    if (at_triple(w)) {
        if (!read_lines(w, &s))
            return false;
        memcpy(to, &s, sizeof s);
        return true;
    }
    size_t end = ++w->at;
    while (end < w->text.len && w->text.at[end] != '"')
        end += w->text.at[end] == '\\' ? 2 : 1;
    char *copy = end < w->text.len ? scratch_take(w->scratch, end - w->at) : NULL;
    if (end >= w->text.len)
        return wrong(w, "a string with a double quote at its end");
    if (!copy)
        return full(w);
    if (!read_characters(w, end, false, 0, copy, &s))
        return false;
    memcpy(to, &s, sizeof s);
    return expect(w, '"');
}

/* --- Types with parts ---------------------------------------------------------------------------
 */

/* Behind an item: true if another one follows; *ret_end, or *err, if not. */
static bool another(struct wave *w, char end, bool *ret_end)
{
    *ret_end = take(w, end);
    if (*ret_end)
        return false;
    if (!take(w, ','))
        return expect(w, end);
    *ret_end = take(w, end);
    return !*ret_end;
}

struct list {
    uint8_t *at;
    size_t len;
};

static bool read_list(struct wave *w, const struct cm_type *element, void *to)
{
    struct list list = {0};
    size_t each = element->layout.host_size;
    size_t room = 0;
    bool end;
    if (!expect(w, '['))
        return false;
    end = take(w, ']');
    while (!end) {
        if (list.len == room) {
            room = room ? room * 2 : 4;
            uint8_t *at = scratch_take(w->scratch, room * each);
            if (!at)
                return full(w);
            if (list.len)
                memcpy(at, list.at, list.len * each);
            memset(at + list.len * each, 0, (room - list.len) * each);
            list.at = at;
        }
        if (!read_value(w, element, list.at + list.len++ * each))
            return false;
        if (!another(w, ']', &end) && !end)
            return false;
    }
    memcpy(to, &list, sizeof list);
    return true;
}

static bool read_fixed_list(struct wave *w, const struct cm_type *type, uint8_t *to)
{
    uint32_t i = 0;
    bool end;
    if (!expect(w, '['))
        return false;
    end = take(w, ']');
    for (; !end; i++) {
        if (i == type->length)
            return wrong(w, "no more elements");
        if (!read_value(w, type->element, to + (size_t)i * type->element->layout.host_size))
            return false;
        if (!another(w, ']', &end) && !end)
            return false;
    }
    return i == type->length || wrong(w, "more elements before this");
}

static bool read_tuple(struct wave *w, const struct cm_type *type, uint8_t *to)
{
    if (!expect(w, '('))
        return false;
    for (uint32_t i = 0; i < type->nfields; i++) {
        if (i && !expect(w, ','))
            return false;
        if (!read_value(w, type->fields[i].type, to + type->fields[i].host_offset))
            return false;
    }
    take(w, ',');
    return expect(w, ')');
}

static uint32_t field_named(const struct cm_type *type, struct str name)
{
    uint32_t i = 0;
    while (i < type->nfields && !str_eq(type->fields[i].label->text, name))
        i++;
    return i;
}

/* Fields that are not there are options that are none. */
static bool check_fields(struct wave *w, const struct cm_type *type, const uint8_t *seen)
{
    for (uint32_t i = 0; i < type->nfields; i++)
        if (!seen[i] && type->fields[i].type->kind != CM_OPTION) {
            err_set(w->err, ERR_USAGE, w->at, "field '" STR_FMT "' is missing: write it",
                    STR_ARG(type->fields[i].label->text));
            return false;
        }
    return true;
}

static bool read_record(struct wave *w, const struct cm_type *type, uint8_t *to)
{
    uint8_t *seen = scratch_take(w->scratch, type->nfields);
    bool end = false;
    if (!seen)
        return full(w);
    memset(seen, 0, type->nfields);
    if (!expect(w, '{'))
        return false;
    if (take(w, ':')) { /* none of the fields */
        if (!expect(w, '}'))
            return false;
        end = true;
    }
    if (!end && peek_at(w, 0) == '}')
        return wrong(w, "a field, or ':' for none");
    while (!end) {
        size_t at = w->at;
        struct str name = take_label(w, false);
        if (!name.len)
            return false;
        uint32_t i = field_named(type, name);
        if (i == type->nfields || seen[i]++) {
            w->at = at;
            return wrong(w, i == type->nfields ? "a field of this record"
                                               : "a field that was not given yet");
        }
        if (!expect(w, ':') ||
            !read_value(w, type->fields[i].type, to + type->fields[i].host_offset))
            return false;
        if (!another(w, '}', &end) && !end)
            return false;
    }
    return check_fields(w, type, seen);
}

static bool read_flags(struct wave *w, const struct cm_type *type, void *to)
{
    uint32_t bits = 0;
    bool end;
    if (!expect(w, '{'))
        return false;
    end = take(w, '}');
    while (!end) {
        size_t at = w->at;
        struct str name = take_label(w, false);
        if (!name.len)
            return false;
        uint32_t i = 0;
        while (i < type->nlabels && !str_eq(type->labels[i]->text, name))
            i++;
        if (i == type->nlabels || bits >> i & 1) {
            w->at = at;
            return wrong(w, "a flag of this type, each once");
        }
        bits |= UINT32_C(1) << i;
        if (!another(w, '}', &end) && !end)
            return false;
    }
    memcpy(to, &bits, type->layout.size);
    return true;
}

/* --- Variants -----------------------------------------------------------------------------------
 */

/* A case's payload in parentheses, if it has one. */
static bool read_payload(struct wave *w, const struct cm_type *type, uint32_t which, uint8_t *to)
{
    const struct cm_type *payload = type->cases[which].type;
    memcpy(to, &which, type->tag_size);
    if (!payload)
        return true;
    return expect(w, '(') && read_value(w, payload, to + type->host_payload) && expect(w, ')');
}

static bool read_variant(struct wave *w, const struct cm_type *type, uint8_t *to)
{
    skip(w);
    size_t at = w->at;
    struct str name = take_label(w, true);
    if (!name.len)
        return false;
    for (uint32_t i = 0; i < type->ncases; i++)
        if (str_eq(type->cases[i].label->text, name))
            return read_payload(w, type, i, to);
    w->at = at;
    return wrong(w, type->kind == CM_ENUM ? "a case of this enum" : "a case of this variant");
}

/* May a value stand for the option or result that it is in? */
static bool may_be_flat(const struct cm_type *payload)
{
    return payload && payload->kind != CM_OPTION && payload->kind != CM_RESULT;
}

/* An option or result: by its keywords, or as the payload of `flat` alone. */
static bool read_keyworded(struct wave *w, const struct cm_type *type, const char *const words[2],
                           uint32_t flat, uint8_t *to)
{
    const struct cm_type *payload = type->cases[flat].type;
    for (uint32_t i = 0; i < 2; i++)
        if (take_keyword(w, words[i]))
            return read_payload(w, type, i, to);
    if (!may_be_flat(payload))
        return wrong(w, type->kind == CM_OPTION ? "some(...) or none" : "ok or err");
    memcpy(to, &flat, type->tag_size);
    return read_value(w, payload, to + type->host_payload);
}

static bool read_case(struct wave *w, const struct cm_type *type, uint8_t *to)
{
    static const char *const options[2] = {"none", "some"};
    static const char *const results[2] = {"ok", "err"};
    if (type->kind == CM_OPTION)
        return read_keyworded(w, type, options, 1, to);
    if (type->kind == CM_RESULT)
        return read_keyworded(w, type, results, 0, to);
    return read_variant(w, type, to);
}

static bool read_value(struct wave *w, const struct cm_type *type, void *to)
{
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: return read_bool(w, to);
    case SHAPE_SIGNED:
    case SHAPE_UNSIGNED: return read_integer(w, type, to);
    case SHAPE_FLOAT: return read_float(w, type, to);
    case SHAPE_CHAR: return read_char(w, to);
    case SHAPE_STRING: return read_string(w, to);
    case SHAPE_LIST: return read_list(w, type->element, to);
    case SHAPE_FIXED_LIST: return read_fixed_list(w, type, to);
    case SHAPE_RECORD:
        return type->kind == CM_RECORD ? read_record(w, type, to) : read_tuple(w, type, to);
    case SHAPE_VARIANT: return read_case(w, type, to);
    case SHAPE_FLAGS: return read_flags(w, type, to);
    default:
        err_set(w->err, ERR_USAGE, w->at,
                "a value of kind %s cannot be written as text: call another export",
                cm_kind_text(type->kind));
        return false;
    }
}

/* --- Calls --------------------------------------------------------------------------------------
 */

static bool finish(struct wave *w)
{
    skip(w);
    return w->at == w->text.len || wrong(w, "the end");
}

static bool check_text(struct str text, struct err *err)
{
    if (utf8_valid((struct bytes){(const uint8_t *)text.at, text.len}))
        return true;
    err_set(err, ERR_USAGE, ERR_NOWHERE, "the text is not UTF-8: write it in UTF-8");
    return false;
}

int wave_read(const struct cm_type *type, struct str text, void *to, struct host_scratch *scratch,
              struct err *err)
{
    struct wave w = {text, 0, scratch, err};
    return check_text(text, err) && read_value(&w, type, to) && finish(&w) ? 0 : -1;
}

bool wave_call_split(struct str text, struct wave_call *ret)
{
    const char *open = text.len ? memchr(text.at, '(', text.len) : NULL;
    if (!open)
        return false;
    size_t from = 0;
    size_t to = (size_t)(open - text.at);
    while (from < to && text.at[from] == ' ')
        from++;
    while (to > from && text.at[to - 1] == ' ')
        to--;
    ret->name = (struct str){text.at + from, to - from};
    ret->args = (struct str){open, text.len - (size_t)(open - text.at)};
    return true;
}

/* A parameter's name for people, or its number where it has none. */
static const char *param_name(const struct cm_type *func, uint32_t i, char ret[64])
{
    const struct symbol *label = func->params[i].label;
    if (label)
        snprintf(ret, 64, "'" STR_FMT "'", STR_ARG(label->text));
    else
        snprintf(ret, 64, "%u", i + 1);
    return ret;
}

static bool read_args(struct wave *w, const struct cm_type *func, uint8_t *to)
{
    uint32_t i = 0;
    bool end;
    char name[64];
    if (!expect(w, '('))
        return false;
    end = take(w, ')');
    for (; !end; i++) {
        if (i == func->nparams)
            return wrong(w, "no more arguments");
        if (!read_value(w, func->params[i].type, to + func->params[i].host_offset))
            return err_within(w->err, "argument %s", param_name(func, i, name)), false;
        if (!another(w, ')', &end) && !end)
            return false;
    }
    for (; i < func->nparams; i++) /* options at the end may be left out */
        if (func->params[i].type->kind != CM_OPTION) {
            err_set(w->err, ERR_USAGE, ERR_NOWHERE, "argument %s is missing: write it",
                    param_name(func, i, name));
            return false;
        }
    return finish(w);
}

int wave_args_read(const struct cm_type *func, struct str args, void *to,
                   struct host_scratch *scratch, struct err *err)
{
    struct wave w = {args, 0, scratch, err};
    return check_text(args, err) && read_args(&w, func, to) ? 0 : -1;
}
