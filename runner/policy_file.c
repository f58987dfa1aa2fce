/* Reads policy files with libyaml's events; see policy_file.h. The form of a file has a fixed
 * depth, so nothing here recurses. Anchors, aliases, tags and second documents are refused: a
 * policy says what it says in one place. Opens the file and nothing else. */
#include "runner/policy_file.h"

#include "policies/digest.h"
#include "runner/json_text.h"
#include "runner/nearest.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    struct policy_file *file;
    struct bytes text;
    size_t component; /* as in a setting, of where we are */
    bool versioned;
    struct err *err;
};

/* --- Errors -------------------------------------------------------------------------------------
 */

static const char *name_of(const struct policy_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return strlen(file->path) > 60 && slash ? slash + 1 : file->path;
}

static int wrong_at(struct reading *r, const yaml_mark_t *mark, const char *format, ...)
    PRINTF(3, 4);
static int wrong_at(struct reading *r, const yaml_mark_t *mark, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(r->err, ERR_USAGE, ERR_NOWHERE, "%s:%zu:%zu: %s", name_of(r->file),
                   mark->line + 1, mark->column + 1, text);
}

#define wrong(r, ...) wrong_at(r, &(r)->event.start_mark, __VA_ARGS__)

static int no_memory(struct reading *r)
{
    return err_set(r->err, ERR_FAULT, ERR_NOWHERE,
                   "out of memory for %s: close something and try again", r->file->path);
}

/* --- Events -------------------------------------------------------------------------------------
 */

static int refuse_cleverness(struct reading *r)
{
    const yaml_event_t *event = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT: return wrong(r, "an alias: write out what it stands for");
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default: break;
    }
    return anchor || tag ? wrong(r, "anchors and tags mean nothing here: leave them out") : 0;
}

/* The line and column of an offset. */
static yaml_mark_t mark_of(const struct reading *r, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < r->text.len && i < offset; i++) {
        uint8_t byte = r->text.at[i];
        mark.line += byte == '\n';
        mark.column = byte == '\n' ? 0 : mark.column + ((byte & 0xc0) != 0x80);
    }
    return mark;
}

static int next(struct reading *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (r->has_event)
        return refuse_cleverness(r);
    if (r->parser.error == YAML_MEMORY_ERROR)
        return no_memory(r);
    yaml_mark_t mark = r->parser.error == YAML_READER_ERROR
                           ? mark_of(r, r->parser.problem_offset) /* it has that only */
                           : r->parser.problem_mark;
    return wrong_at(r, &mark, "not YAML: %s%s%s: correct that place",
                    r->parser.problem ? r->parser.problem : "unreadable",
                    r->parser.context ? " " : "", r->parser.context ? r->parser.context : "");
}

/* The text of the current scalar; NULL after an error. A NUL inside would end it early. */
static const char *scalar(struct reading *r, const char *what)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        wrong(r, "write %s here, and one value only", what);
        return NULL;
    }
    const char *text = (const char *)r->event.data.scalar.value;
    if (strlen(text) == r->event.data.scalar.length)
        return text;
    wrong(r, "a NUL character in %s: take it out", what);
    return NULL;
}

/* --- Words --------------------------------------------------------------------------------------
 */

/* Keys of one mapping that were there already; no mapping has more. */
struct seen {
    const void *words[64];
    size_t count;
};

static int once(struct reading *r, struct seen *seen, const void *word, const char *text)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->words[i] == word)
            return wrong(r, "'%s' is here twice: put both together", text);
    if (seen->count < countof(seen->words))
        seen->words[seen->count++] = word;
    return 0;
}

/* Bytes of a word that is not known that an error shows. */
#define WORD_SHOWN 60

/* Helps with a word that is not known: the nearest one, or all. `words` is a list that NULL ends.
 */
static int unknown(struct reading *r, const char *what, const char *word, const char *const *words)
{
    char all[160] = "";
    const char *best = NULL;
    size_t distance = 0, used = 0, len = strnlen(word, WORD_SHOWN);
    while (len && (word[len] & 0xc0) == 0x80) /* at a whole character */
        len--;
    for (size_t i = 0; words[i]; i++) {
        nearest_try(word, words[i], &best, &distance);
        int more = snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", words[i]);
        used += more > 0 && (size_t)more < sizeof all - used ? (size_t)more : 0;
    }
    if (best)
        return wrong(r, "unknown %s '%.*s': did you mean '%s'?", what, (int)len, word, best);
    return wrong(r, "unknown %s '%.*s': known are %s", what, (int)len, word, all);
}

/* --- Settings -----------------------------------------------------------------------------------
 */

static int add_setting(struct reading *r, const struct policy_key *key, const yaml_mark_t *mark,
                       const char *value)
{
    struct policy_file *file = r->file;
    if ((file->count & (file->count - 1)) == 0) { /* full at each power of two */
        size_t room = file->count ? 2 * file->count : 1;
        void *grown = reallocarray(file->settings, room, sizeof *file->settings);
        if (!grown)
            return no_memory(r);
        file->settings = grown;
    }
    struct policy_setting *to = &file->settings[file->count];
    *to = (struct policy_setting){.key = key, .component = r->component, .value = strdup(value)};
    file->count++;
    if (asprintf(&to->where, "%s:%zu:%zu", name_of(file), mark->line + 1, mark->column + 1) < 0)
        to->where = NULL;
    return to->value && to->where ? 0 : no_memory(r);
}

/* An entry of `dir` as --dir has it, with a host path that starts at the file's folder. */
static int add_directory(struct reading *r, const struct policy_key *key, const yaml_mark_t *mark,
                         const char *host, const char *guest, bool read_only)
{
    char *text = NULL;
    bool relative = host[0] != '/';
    int len = asprintf(&text, "%s%s%s%s%s%s", relative ? r->file->folder : "", relative ? "/" : "",
                       host, guest ? "::" : "", guest ? guest : "", read_only ? ":ro" : "");
    if (len < 0)
        return no_memory(r);
    int failed = add_setting(r, key, mark, text);
    free(text);
    return failed;
}

static int set_member(struct reading *r, char *members[POLICY_MEMBERS])
{
    const char *words[POLICY_MEMBERS + 1] = {NULL};
    const char *word = scalar(r, "a key");
    int member = 0;
    if (!word)
        return -1;
    for (int i = 0; i < POLICY_MEMBERS; i++)
        words[i] = policy_members[i].word;
    while (member < POLICY_MEMBERS && strcmp(words[member], word) != 0)
        member++;
    if (member == POLICY_MEMBERS)
        return unknown(r, "key", word, words);
    if (members[member])
        return wrong(r, "'%s' is here twice: leave one out", word);
    if (next(r))
        return -1;
    const char *value = scalar(r, policy_members[member].word);
    if (!value)
        return -1;
    if (member == MEMBER_ACCESS && strcmp(value, "read") != 0 && strcmp(value, "write") != 0)
        return wrong(r, "the access is neither: write read or write");
    if (member != MEMBER_ACCESS &&
        (!*value || strstr(value, "::") || (member == MEMBER_GUEST && strchr(value, ':'))))
        return wrong(
            r, "no path: it is empty, or has colons that a path here cannot have: write another");
    members[member] = strdup(value);
    return members[member] ? 0 : no_memory(r);
}

/* {host: ..., guest: ..., access: ...} */
static int directory_mapping(struct reading *r, const struct policy_key *key)
{
    char *members[POLICY_MEMBERS] = {NULL};
    yaml_mark_t mark = r->event.start_mark;
    int failed = next(r);
    while (!failed && r->event.type != YAML_MAPPING_END_EVENT)
        failed = set_member(r, members) || next(r);
    const char *host = members[MEMBER_HOST], *access = members[MEMBER_ACCESS];
    if (!failed && !host) {
        failed = wrong_at(r, &mark, "the host's directory is missing: add `host: PATH`");
    } else if (!failed) {
        const char *guest = members[MEMBER_GUEST] ? members[MEMBER_GUEST] : host;
        failed = add_directory(r, key, &mark, host, guest, !access || strcmp(access, "read") == 0);
    }
    for (int i = 0; i < POLICY_MEMBERS; i++)
        free(members[i]);
    return failed ? -1 : 0;
}

/* NAME=FILE, with a file that starts at the policy file's folder. */
static int add_store(struct reading *r, const struct policy_key *key, const char *value)
{
    const char *equals = strchr(value, '=');
    char *text = NULL;
    if (!equals || equals[1] == '/' || !equals[1])
        return add_setting(r, key, &r->event.start_mark, value);
    if (asprintf(&text, "%.*s=%s/%s", (int)(equals - value), value, r->file->folder, equals + 1) <
        0)
        return no_memory(r);
    int failed = add_setting(r, key, &r->event.start_mark, text);
    free(text);
    return failed;
}

static int one_value(struct reading *r, const struct policy_key *key)
{
    bool directory = key->meaning == MEANS_FLAG && key->flag == FLAG_DIR;
    if (directory && r->event.type == YAML_MAPPING_START_EVENT)
        return directory_mapping(r, key);
    const char *value = scalar(r, key->value);
    if (!value)
        return -1;
    bool of_path = directory || key->meaning == MEANS_DENY_DIR;
    if (of_path && (!*value || *value == ':'))
        return wrong(r, "no directory of the host: it is empty, or begins with a colon: write one");
    if (directory) {
        /* HOST alone keeps its name in the guest, wherever the file lies. */
        size_t length = strlen(value);
        bool ro = length > 3 && strcmp(value + length - 3, ":ro") == 0;
        if (strstr(value, "::") || value[0] == '/')
            return add_directory(r, key, &r->event.start_mark, value, NULL, false);
        char *host = strndup(value, ro ? length - 3 : length);
        int failed =
            host ? add_directory(r, key, &r->event.start_mark, host, host, ro) : no_memory(r);
        free(host);
        return failed;
    }
    if (key->meaning == MEANS_FLAG && key->flag == FLAG_KEYVALUE)
        return add_store(r, key, value);
    if (key->meaning == MEANS_DENY_DIR && value[0] != '/')
        return add_directory(r, key, &r->event.start_mark, value, NULL, false);
    return add_setting(r, key, &r->event.start_mark, value);
}

/* One value, or a list of them where the section has lists. */
static int values(struct reading *r, const struct policy_key *key)
{
    if (r->event.type != YAML_SEQUENCE_START_EVENT || key->section == POLICY_LIMITS)
        return one_value(r, key);
    int failed = next(r);
    while (!failed && r->event.type != YAML_SEQUENCE_END_EVENT)
        failed = one_value(r, key) || next(r);
    return failed ? -1 : 0;
}

static int unknown_key(struct reading *r, enum policy_section section, const char *word)
{
    const char *words[CLI_FLAGS + 8] = {NULL};
    size_t count, known = 0;
    const struct policy_key *keys = policy_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].section == section)
            words[known++] = keys[i].word;
        else if (strcmp(keys[i].word, word) == 0 && !policy_key_named(section, word))
            return wrong(r, "'%s' stands under '%s': put it there", word,
                         policy_sections[keys[i].section].word);
    }
    return unknown(r, "key", word, words);
}

static int section(struct reading *r, enum policy_section which)
{
    struct seen seen = {.count = 0};
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return wrong(r, "'%s' maps keys to values: `carrel help policy` lists them",
                     policy_sections[which].word);
    if (next(r))
        return -1;
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        const char *word = scalar(r, "a key");
        const struct policy_key *key = word ? policy_key_named(which, word) : NULL;
        if (!key)
            return word ? unknown_key(r, which, word) : -1;
        if (once(r, &seen, key, word) || next(r) || values(r, key) || next(r))
            return -1;
    }
    return 0;
}

/* --- The file -----------------------------------------------------------------------------------
 */

enum top {
#define TOP(name, word, value, what) TOP_##name,
#include "runner/policy_key.def"
    TOPS
};

static const char *const words[] = {
#define TOP(name, word, value, what) word,
#include "runner/policy_key.def"
#define SECTION(name, word, what) word,
#include "runner/policy_key.def"
    NULL};

/* The number of the word in `words`; countof(words) - 1 after an error. */
static size_t top_word(struct reading *r, struct seen *seen)
{
    const size_t none = countof(words) - 1;
    const char *word = scalar(r, "a key");
    size_t at = 0;
    if (!word)
        return none;
    while (at < none && strcmp(words[at], word) != 0)
        at++;
    if (at == none)
        unknown(r, "key", word, words);
    else if (once(r, seen, words[at], word))
        return none;
    return at;
}

static bool is_digest(const char *text)
{
    static const char prefix[] = "sha256:";
    size_t length = sizeof prefix - 1;
    return strncmp(text, prefix, length) == 0 && strlen(text) == length + 64 &&
           strspn(text + length, "0123456789abcdef") == 64;
}

static int add_component(struct reading *r)
{
    struct policy_file *file = r->file;
    const char *selector = scalar(r, "the name or the digest of a component");
    if (!selector)
        return -1;
    if (strncasecmp(selector, "sha256:", 7) == 0 && !is_digest(selector))
        return wrong(r, "no digest: write sha256: and 64 digits of 0-9 and a-f");
    if (!*selector || strchr(selector, '/'))
        return wrong(r, "no name: write a component's file name without folders, or sha256:DIGEST");
    for (size_t i = 0; i < file->component_count; i++)
        if (strcmp(file->components[i].selector, selector) == 0)
            return wrong(r, "this component is here twice: put both together");
    void *grown =
        reallocarray(file->components, file->component_count + 1, sizeof *file->components);
    if (!grown)
        return no_memory(r);
    file->components = grown;
    char *copy = strdup(selector);
    if (!copy)
        return no_memory(r);
    file->components[file->component_count++] = (struct policy_component){copy, is_digest(copy)};
    r->component = file->component_count;
    return 0;
}

static int body(struct reading *r, bool whole);

static int components(struct reading *r)
{
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return wrong(r, "'components' maps names or digests to sections: write a mapping");
    if (next(r))
        return -1;
    while (r->event.type != YAML_MAPPING_END_EVENT)
        if (add_component(r) || next(r) || body(r, /*whole=*/false) || next(r))
            return -1;
    r->component = 0;
    return 0;
}

/* The value of a word of `words`. */
static int member(struct reading *r, size_t word, bool whole)
{
    if (word >= TOPS)
        return section(r, (enum policy_section)(word - TOPS));
    if (word != TOP_DESCRIPTION && !whole)
        return wrong(r, "'%s' stands at the top of the file only: put it there", words[word]);
    if (word == TOP_COMPONENTS)
        return components(r);
    const char *value = scalar(r, words[word]);
    if (!value)
        return -1;
    if (word == TOP_VERSION && strcmp(value, "1") != 0)
        return wrong(r, "this carrel knows version 1 of policy files only: write `version: 1`");
    r->versioned = r->versioned || word == TOP_VERSION;
    return 0;
}

/* The mapping of the whole file, or of one component; the second is never inside of a second. */
static int body(struct reading *r, bool whole)
{
    struct seen seen = {.count = 0};
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return wrong(r, "a policy maps keys to values: `carrel help policy` lists them");
    if (next(r))
        return -1;
    while (r->event.type != YAML_MAPPING_END_EVENT) {
        size_t word = top_word(r, &seen);
        if (!words[word] || next(r) || member(r, word, whole) || next(r))
            return -1;
    }
    return 0;
}

/* To the second event from here. */
static int next_but_one(struct reading *r)
{
    if (next(r))
        return -1;
    return next(r);
}

static int document(struct reading *r)
{
    if (next_but_one(r)) /* the stream begins, then a document */
        return -1;
    if (r->event.type != YAML_DOCUMENT_START_EVENT)
        return wrong(r, "the file is empty: begin it with `version: 1`");
    if (next(r) || body(r, /*whole=*/true))
        return -1;
    if (!r->versioned)
        return wrong(r, "the version is missing: add `version: 1`");
    if (next_but_one(r)) /* the document ends, then the stream */
        return -1;
    return r->event.type == YAML_STREAM_END_EVENT
               ? 0
               : wrong(r, "a second document: take out the `---` before it");
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* A file that is called JSON is that: others will read it, too. */
static int check_json(struct reading *r)
{
    size_t at, length = strlen(r->file->path);
    if (length < 5 || strcmp(r->file->path + length - 5, ".json") != 0)
        return 0;
    const char *why = json_text_wrong(r->text, &at);
    yaml_mark_t mark = mark_of(r, why ? at : 0);
    return why ? wrong_at(r, &mark, "not JSON: %s: correct that place, or call the file .yaml", why)
               : 0;
}

int policy_file_parse(const char *path, struct bytes text, struct policy_file *ret, struct err *err)
{
    struct reading r = {.file = ret, .text = text, .err = err};
    *ret = (struct policy_file){.path = path, .folder = folder_of(path)};
    if (!ret->folder || !yaml_parser_initialize(&r.parser))
        return no_memory(&r);
    yaml_parser_set_input_string(&r.parser, text.at, text.len);
    int failed = check_json(&r) || document(&r) ? -1 : 0;
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return failed;
}

/* Of an errno: what is wrong with the file itself. */
static int unreadable(const char *flag, const char *path, int error, struct err *err)
{
    if (error == ENOENT || error == ENOTDIR)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "%s %s: %s: name a policy file; `carrel help policy` says how to write one",
                       flag, path, strerror(error));
    if (error == ENOMEM)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "%s %s: out of memory: close something and try again", flag, path);
    const char *advice = error == EISDIR   ? "name the file in it"
                         : error == EACCES ? "its owner can let you read it"
                                           : "name a file that can be read";
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s %s: %s: %s", flag, path, strerror(error),
                   advice);
}

int policy_file_read(const char *flag, const char *path, struct policy_file *ret, struct err *err)
{
    *ret = (struct policy_file){.path = path};
    FILE *in = fopen(path, "re");
    int error = in ? 0 : errno;
    char *text = in ? malloc(POLICY_FILE_MAX + 1) : NULL;
    if (in && !text)
        error = ENOMEM;
    size_t length = text ? fread(text, 1, POLICY_FILE_MAX + 1, in) : 0;
    if (text && ferror(in))
        error = errno;
    if (in)
        fclose(in);
    int failed =
        error ? unreadable(flag, path, error, err)
        : length > POLICY_FILE_MAX
            ? err_set(err, ERR_USAGE, ERR_NOWHERE,
                      "%s %s: larger than %d bytes, which no policy is: name a policy file", flag,
                      path, POLICY_FILE_MAX)
            : policy_file_parse(path, (struct bytes){(const uint8_t *)text, length}, ret, err);
    free(text);
    return failed;
}

void policy_file_free(struct policy_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->settings[i].value);
        free(file->settings[i].where);
    }
    for (size_t i = 0; i < file->component_count; i++)
        free(file->components[i].selector);
    free(file->settings);
    free(file->components);
    free(file->folder);
    *file = (struct policy_file){.path = file->path};
}

/* The next character of UTF-8; of anything else, the next byte. */
static const char *step(const char *at)
{
    at++;
    while (((unsigned char)*at & 0xc0) == 0x80)
        at++;
    return at;
}

/* Does the pattern cover the whole name? `*` stands for any characters, `?` for one, and whatever
 * else for itself. Goes back to the latest `*` only, so it ends soon whatever the pattern. */
static bool selects(const char *pattern, const char *name)
{
    const char *star = NULL, *from = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            from = name;
        } else if (*pattern == '?') {
            pattern++;
            name = step(name);
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = from = step(from);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool policy_applies(const struct policy_file *file, const struct policy_setting *setting,
                    const struct policy_subject *subject)
{
    char hex[DIGEST_DIGITS];
    if (setting->component == 0 || setting->component == subject->component)
        return true;
    if (!subject->name)
        return false;
    const struct policy_component *component = &file->components[setting->component - 1];
    if (!component->by_digest)
        return selects(component->selector, subject->name);
    return strcmp(component->selector + strlen("sha256:"), digest_text(subject->digest, hex)) == 0;
}
