/* The options of a runtime; see runtime_options.h. */
#include "shim/containerd/runtime_options.h"

#include "engine/base/utf.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MOST  65536 /* bytes of options */
#define TYPE       "runtimeoptions.v1.Options"
#define TYPE_RUNC  "containerd.runc.v1.Options"
#define DIGITS     "0123456789"
#define BARE       DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
#define BLANKS     " \t"
#define WHOLE_MOST 20 /* digits of a number */

/* --- Where they are -------------------------------------------------------------------------- */

static bool ends_with(struct bytes text, const char *end)
{
    size_t length = strlen(end);
    return text.len >= length && memcmp(text.at + text.len - length, end, length) == 0;
}

static char *copy(struct bytes text)
{
    char *at = text.len <= TEXT_MOST ? calloc(1, text.len + 1) : NULL;
    if (at && text.len)
        memcpy(at, text.at, text.len);
    return at;
}

static int cannot_read(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                   "cannot read the options of the runtime in %s: %s: name a file of at most %d "
                   "bytes",
                   path, why, TEXT_MOST);
}

static int read_file(const char *path, char **ret, struct err *err)
{
    struct stat status;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status))
        return cannot_read(path, strerror(errno), err);
    if (!S_ISREG(status.st_mode) || status.st_size > TEXT_MOST)
        return cannot_read(path, "it is no file, or too large", err);
    cleanup_free char *text = calloc(1, (size_t)status.st_size + 1);
    ssize_t size = text ? read(fd, text, (size_t)status.st_size) : -1;
    if (size < 0)
        return cannot_read(path, strerror(errno), err);
    if (strlen(text) != (size_t)size)
        return cannot_read(path, "it is no text", err);
    *ret = text;
    text = NULL;
    return 0;
}

int runtime_options_text(struct bytes bytes, char **ret, bool *ret_other, struct err *err)
{
    struct message_any any;
    struct message_runtime_options options;
    char path[PATH_MAX];
    *ret = NULL;
    *ret_other = false;
    if (!bytes.len)
        return 0;
    if (!message_get(any, bytes, &any))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the options of the runtime are no protocol buffer: send none");
    *ret_other = ends_with(any.type, TYPE_RUNC);
    if (*ret_other || (!any.type.len && !any.value.len))
        return 0;
    if (!ends_with(any.type, TYPE) || !message_get(runtime_options, any.value, &options))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the options of the runtime are of the type '%.*s', which carrel does not "
                       "know: give them as " TYPE ", or none",
                       any.type.len < 80 ? (int)any.type.len : 80,
                       any.type.len ? (const char *)any.type.at : "");
    if (options.path.len && !bytes_copy(options.path, path, sizeof path))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "the path of the runtime's options is too long: give it a shorter one");
    if (options.path.len)
        return read_file(path, ret, err);
    *ret = copy(options.body);
    if (*ret && strlen(*ret) == options.body.len)
        return 0;
    free(*ret);
    *ret = NULL;
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "the options of the runtime are no text, or have more than %d bytes: say less",
                   TEXT_MOST);
}

/* --- TOML ------------------------------------------------------------------------------------ */

struct parsing {
    const char *at;
    unsigned line;
    char *value; /* of the key at hand; as large as the text */
    size_t used;
    struct err *err;
};

static int wrong(const struct parsing *parsing, const char *what)
{
    return err_set(parsing->err, ERR_USAGE, ERR_NOWHERE,
                   "the options of the runtime, line %u: %s: write lines like net = \"all\"",
                   parsing->line, what);
}

static void skip_blanks(struct parsing *parsing)
{
    parsing->at += strspn(parsing->at, BLANKS);
}

/* What an escape stands for; NUL: it is none that is read. */
static char escaped(char letter)
{
    switch (letter) {
    case '"':
    case '\\': return letter;
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    default: return '\0';
    }
}

/* "basic" or 'literal', in one line: added to the value. */
static int take_string(struct parsing *parsing)
{
    const char quote = *parsing->at++;
    for (; *parsing->at && *parsing->at != '\n' && *parsing->at != quote; parsing->at++) {
        char letter = *parsing->at;
        if (quote == '"' && letter == '\\') {
            letter = escaped(*++parsing->at);
            if (!letter)
                return wrong(parsing, "an escape other than \\\" \\\\ \\n \\r \\t");
        } else if ((unsigned char)letter < ' ' && letter != '\t') {
            return wrong(parsing, "a control character in a string");
        }
        parsing->value[parsing->used++] = letter;
    }
    if (*parsing->at != quote)
        return wrong(parsing, "a string without its end");
    parsing->at++;
    return 0;
}

/* The strings of a list become parts of one value. */
static int take_list(struct parsing *parsing)
{
    parsing->at++;
    for (skip_blanks(parsing); *parsing->at != ']'; skip_blanks(parsing)) {
        if (parsing->used)
            parsing->value[parsing->used++] = '\n';
        if (*parsing->at != '"' && *parsing->at != '\'')
            return wrong(parsing, "a list of something else than strings, or in several lines");
        if (take_string(parsing))
            return -1;
        skip_blanks(parsing);
        if (*parsing->at == ',')
            parsing->at++;
        else if (*parsing->at != ']')
            return wrong(parsing, "a list without its end");
    }
    parsing->at++;
    return 0;
}

static int take_value(struct parsing *parsing)
{
    size_t digits = strspn(parsing->at, DIGITS);
    parsing->used = 0;
    if (*parsing->at == '[')
        return take_list(parsing);
    if (*parsing->at == '"' || *parsing->at == '\'')
        return take_string(parsing);
    if (digits == 0 || digits > WHOLE_MOST || (digits > 1 && *parsing->at == '0'))
        return wrong(parsing, "a value that is no string, whole number or list of strings");
    memcpy(parsing->value, parsing->at, digits);
    parsing->used = digits;
    parsing->at += digits;
    return 0;
}

/* KEY = VALUE, up to what follows it in its line. */
static int take_setting(struct parsing *parsing, json_object *ret)
{
    char key[64];
    size_t length = strspn(parsing->at, BARE);
    if (length == 0 || length >= sizeof key)
        return wrong(parsing, "no key of letters, digits, - and _");
    snprintf(key, sizeof key, "%.*s", (int)length, parsing->at);
    parsing->at += length;
    skip_blanks(parsing);
    if (*parsing->at != '=')
        return wrong(parsing, "a key without '='");
    parsing->at++;
    skip_blanks(parsing);
    if (take_value(parsing))
        return -1;
    if (json_object_object_get_ex(ret, key, NULL))
        return wrong(parsing, "a key that is there twice");
    if (!utf8_valid((struct bytes){(const uint8_t *)parsing->value, parsing->used}))
        return wrong(parsing, "a text that is not UTF-8");
    json_object *value = json_object_new_string_len(parsing->value, (int)parsing->used);
    if (value && json_object_object_add(ret, key, value) == 0)
        return 0;
    json_object_put(value);
    return wrong(parsing, "no memory is left for it");
}

static int take_line(struct parsing *parsing, json_object *ret)
{
    skip_blanks(parsing);
    if (*parsing->at && !strchr("#\r\n", *parsing->at)) {
        if (take_setting(parsing, ret))
            return -1;
        skip_blanks(parsing);
    }
    if (*parsing->at == '#')
        parsing->at += strcspn(parsing->at, "\n");
    if (parsing->at[0] == '\r' && parsing->at[1] == '\n')
        parsing->at++;
    if (*parsing->at && *parsing->at != '\n')
        return wrong(parsing, "something behind the value");
    return 0;
}

json_object *runtime_options_parse(const char *text, struct err *err)
{
    char *value = malloc(strlen(text) + 1);
    struct parsing parsing = {.at = text, .line = 1, .value = value, .err = err};
    json_object *ret = value ? json_object_new_object() : NULL;
    bool failed = !ret && wrong(&parsing, "no memory is left for them");
    while (!failed && *parsing.at) {
        failed = take_line(&parsing, ret);
        if (*parsing.at == '\n') {
            parsing.at++;
            parsing.line++;
        }
    }
    free(value);
    if (!failed)
        return ret;
    json_object_put(ret);
    return NULL;
}
