/* A descent by the grammar of RFC 8259, to JSON_DEPTH_MAX levels; see json_text.h. */
#include "runner/json_text.h"

struct scan {
    struct bytes text;
    size_t at;
    unsigned depth;
};

static const char *value(struct scan *s);

static int peek(const struct scan *s)
{
    return s->at < s->text.len ? s->text.at[s->at] : -1;
}

static void skip_space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (peek(s) != c)
        return false;
    s->at++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static const char *escape(struct scan *s)
{
    int c = peek(s);
    if (c != 'u') {
        if (c < 0 || !memchr("\"\\/bfnrt", c, 8))
            return "expected an escape that JSON has";
        s->at++;
        return NULL;
    }
    s->at++;
    for (int i = 0; i < 4; i++, s->at++)
        if (!is_hex(peek(s)))
            return "expected four hexadecimal digits";
    return NULL;
}

static const char *string(struct scan *s)
{
    skip_space(s);
    if (peek(s) != '"')
        return "expected a text in double quotes";
    s->at++;
    while (peek(s) != '"') {
        if (peek(s) < ' ')
            return "expected the closing double quote";
        const char *wrong = s->text.at[s->at++] == '\\' ? escape(s) : NULL;
        if (wrong)
            return wrong;
    }
    s->at++;
    return NULL;
}

static bool digits(struct scan *s)
{
    size_t from = s->at;
    while (is_digit(peek(s)))
        s->at++;
    return s->at > from;
}

static const char *number(struct scan *s)
{
    static const char wrong[] = "expected a digit";
    s->at += peek(s) == '-';
    bool zero = peek(s) == '0';
    if (zero)
        s->at++;
    else if (!digits(s))
        return wrong;
    if (peek(s) == '.') {
        s->at++;
        if (!digits(s))
            return wrong;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        s->at += peek(s) == '-' || peek(s) == '+';
        if (!digits(s))
            return wrong;
    }
    return NULL;
}

static const char *members(struct scan *s)
{
    if (take(s, '}'))
        return NULL;
    do {
        const char *wrong = string(s);
        if (wrong)
            return wrong;
        if (!take(s, ':'))
            return "expected a colon";
        if ((wrong = value(s)))
            return wrong;
    } while (take(s, ','));
    return take(s, '}') ? NULL : "expected a comma or a closing brace";
}

static const char *elements(struct scan *s)
{
    if (take(s, ']'))
        return NULL;
    do {
        const char *wrong = value(s);
        if (wrong)
            return wrong;
    } while (take(s, ','));
    return take(s, ']') ? NULL : "expected a comma or a closing bracket";
}

static const char *word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (s->text.len - s->at >= length && !memcmp(s->text.at + s->at, words[i], length)) {
            s->at += length;
            return NULL;
        }
    }
    return "expected a value";
}

static const char *value(struct scan *s)
{
    const char *wrong;
    skip_space(s);
    if (s->depth == JSON_DEPTH_MAX)
        return "expected fewer levels";
    s->depth++;
    if (peek(s) == '"')
        wrong = string(s);
    else if (peek(s) == '-' || is_digit(peek(s)))
        wrong = number(s);
    else if (take(s, '{'))
        wrong = members(s);
    else
        wrong = take(s, '[') ? elements(s) : word(s);
    s->depth--;
    return wrong;
}

const char *json_text_wrong(struct bytes text, size_t *ret_at)
{
    struct scan s = {.text = text};
    const char *wrong = value(&s);
    if (!wrong)
        skip_space(&s);
    if (!wrong && s.at < text.len)
        wrong = "expected the end";
    *ret_at = s.at;
    return wrong;
}
