/* Operations as data and as text. Decides nothing: every line is made from the rows. */
#include "policies/operation.h"

#include "policies/digest.h"
#include "policies/syscall.h"
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define WHOLE UINT64_MAX

const struct phase_info phase_infos[PHASE_COUNT] = {
#define PHASE(name, word, meaning) [PHASE_##name] = {word, meaning},
#include "policies/operation.def"
};

const struct operation_info operation_infos[OPERATION_COUNT] = {
#define OPERATION(NAME, name, phase, wall, text)                                                   \
    [OPERATION_##NAME] = {#name, PHASE_##phase, WALL_##wall, text},
#include "policies/operation.def"
};

const struct operation_field operation_fields[] = {
#define FIELD(owner, field, show)                                                                  \
    {(enum operation_kind)operation_kind_##owner, SHOW_##show, #field,                             \
     offsetof(struct operation, of.owner.field)},
#include "policies/operation.def"
};
const size_t operation_field_count = countof(operation_fields);

const struct operation_word operation_words[] = {
#define WORD(show, value, word)   {SHOW_##show, value, word},
#define GRANT(NAME, word)         {SHOW_KIND, GRANT_##NAME, word},
#define RIGHT(NAME, bit, word)    {SHOW_RIGHTS, bit, word},
#define TERMINAL(NAME, bit, word) {SHOW_TERMINALS, bit, word},
#include "policies/operation.def"
#include "shim/protocol.def"
#define CAP(name, word, ...) {SHOW_CAPABILITIES, UINT64_C(1) << CAP_##name, word},
#include "policies/capability.def"
#undef CAP
#define RULE(name, ...) {SHOW_RULES, UINT64_C(1) << RULE_##name, #name},
#include "policies/syscall.def"
#undef RULE
};
const size_t operation_word_count = countof(operation_words);

/* A text of bounded size that counts what it would have needed. */
struct writer {
    char *at;
    size_t size;
    size_t length;
};

static void put(struct writer *out, char c)
{
    if (out->length + 1 < out->size)
        out->at[out->length] = c;
    out->length++;
}

static void put_text(struct writer *out, const char *text)
{
    while (*text)
        put(out, *text++);
}

static void put_format(struct writer *out, const char *format, ...) PRINTF(2, 3);
static void put_format(struct writer *out, const char *format, ...)
{
    char text[64];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put_text(out, text);
}

/* Text that somebody else chose, up to `end` (or NUL): nothing in it reaches a terminal raw. */
static void put_foreign(struct writer *out, const char *text, char end)
{
    for (; *text && *text != end; text++) {
        if (*text >= ' ' && *text < 0x7f && *text != '\\')
            put(out, *text);
        else
            put_format(out, "\\x%02x", (unsigned)(unsigned char)*text);
    }
}

static void put_list(struct writer *out, const struct text_list *list, char end)
{
    if (list->count == 0)
        put_text(out, "none");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            put(out, ' ');
        put_foreign(out, list->at[i], end);
    }
}

static void put_size(struct writer *out, uint64_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (unit + 1 < countof(units) && size >= 1024 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    put_format(out, "%" PRIu64 " %s", size, units[unit]);
}

static void put_time(struct writer *out, uint64_t nanoseconds)
{
    if (nanoseconds % 1000000000 == 0)
        put_format(out, "%" PRIu64 " s", nanoseconds / 1000000000);
    else
        put_format(out, "%" PRIu64 ".%03" PRIu64 " ms", nanoseconds / 1000000,
                   nanoseconds / 1000 % 1000);
}

static void put_word(struct writer *out, enum operation_show show, uint64_t value)
{
    for (size_t i = 0; i < operation_word_count; i++) {
        if (operation_words[i].show == show && operation_words[i].value == value) {
            put_text(out, operation_words[i].word);
            return;
        }
    }
    put_format(out, "%" PRIu64, value);
}

static void put_bits(struct writer *out, enum operation_show show, uint64_t value)
{
    if (value == 0)
        put_text(out, "nothing");
    bool first = true;
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(value >> bit & 1))
            continue;
        if (!first)
            put_text(out, ", ");
        first = false;
        put_word(out, show, UINT64_C(1) << bit);
    }
}

static void put_digest(struct writer *out, const uint8_t *digest)
{
    char digits[DIGEST_DIGITS];
    if (digest)
        put_format(out, "%s", digest_text(digest, digits));
}

static void put_number(struct writer *out, enum operation_show show, uint64_t value)
{
    if (value == WHOLE)
        put_text(out, "unlimited");
    else if (show == SHOW_SIZE)
        put_size(out, value);
    else if (show == SHOW_TIME)
        put_time(out, value);
    else
        put_format(out, "%" PRIu64, value);
}

static void put_field(struct writer *out, const struct operation *operation,
                      const struct operation_field *field)
{
    const void *value = operation_value(operation, field);
    switch (field->show) {
    case SHOW_NUMBER:
    case SHOW_SIZE:
    case SHOW_TIME: put_number(out, field->show, *(const uint64_t *)value); break;
    case SHOW_TEXT: {
        const char *text = *(const char *const *)value;
        put_foreign(out, text ? text : "", '\0');
        break;
    }
    case SHOW_LIST: put_list(out, value, '\0'); break;
    case SHOW_NAMES: put_list(out, value, '='); break;
    case SHOW_DIGEST: put_digest(out, *(const uint8_t *const *)value); break;
    case SHOW_SECRET: put_text(out, "(not shown)"); break;
    case SHOW_PROGRAM:
        put_format(out, "%zu instructions", ((const struct operation_program *)value)->count);
        break;
    case SHOW_ADDRESS: {
        char text[NET_TEXT_MAX];
        const struct net_address *address = *(const struct net_address *const *)value;
        put_text(out, address ? net_address_text(address, text) : "");
        break;
    }
    case SHOW_NET_RULE: {
        const struct net_rule *rule = *(const struct net_rule *const *)value;
        put_foreign(out, rule ? rule->text : "", '\0');
        break;
    }
    case SHOW_RESOURCE:
    case SHOW_STREAM:
    case SHOW_KIND:
    case SHOW_PIPE: put_word(out, field->show, *(const uint64_t *)value); break;
    case SHOW_RIGHTS:
    case SHOW_TERMINALS:
    case SHOW_CAPABILITIES:
    case SHOW_RULES:
    case SHOW_ATTRIBUTES:
    case SHOW_FILES:
    case SHOW_NET:
    case SHOW_SCOPES: put_bits(out, field->show, *(const uint64_t *)value); break;
    case SHOW_COUNT: break;
    }
}

/* The field of a kind whose name is the `length` bytes at `name`. */
static const struct operation_field *field_named(enum operation_kind kind, const char *name,
                                                 size_t length)
{
    for (size_t i = 0; i < operation_field_count; i++) {
        const struct operation_field *field = &operation_fields[i];
        if (field->kind == kind && strlen(field->word) == length &&
            memcmp(field->word, name, length) == 0)
            return field;
    }
    return NULL;
}

static size_t finish(struct writer *out)
{
    if (out->size > 0)
        out->at[out->length < out->size ? out->length : out->size - 1] = '\0';
    return out->length;
}

size_t operation_field_text(const struct operation *operation, const struct operation_field *field,
                            char *ret, size_t size)
{
    struct writer out = {ret, size, 0};
    put_field(&out, operation, field);
    return finish(&out);
}

size_t operation_text(const struct operation *operation, char *ret, size_t size)
{
    struct writer out = {ret, size, 0};
    const char *text = operation_infos[operation->kind].text;
    while (*text) {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        const struct operation_field *field =
            close ? field_named(operation->kind, text + 1, (size_t)(close - text - 1)) : NULL;
        if (field) {
            put_field(&out, operation, field);
            text = close + 1;
        } else {
            put(&out, *text++);
        }
    }
    return finish(&out);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->at[i], b->at[i]);
    return same;
}

static bool same_value(enum operation_show show, const void *a, const void *b)
{
    switch (show) {
    case SHOW_TEXT: return same_text(*(const char *const *)a, *(const char *const *)b);
    case SHOW_LIST:
    case SHOW_NAMES: return same_list(a, b);
    case SHOW_DIGEST:
    case SHOW_SECRET: {
        const uint8_t *one = *(const uint8_t *const *)a, *other = *(const uint8_t *const *)b;
        return one == other || (one && other && memcmp(one, other, DIGEST_SIZE) == 0);
    }
    case SHOW_PROGRAM: {
        const struct operation_program *one = a, *other = b;
        return one->count == other->count && one->code == other->code;
    }
    default: return *(const uint64_t *)a == *(const uint64_t *)b;
    }
}

bool operation_same(const struct operation *a, const struct operation *b)
{
    bool same = a->kind == b->kind && a->may_fail == b->may_fail;
    for (size_t i = 0; same && i < operation_field_count; i++) {
        const struct operation_field *field = &operation_fields[i];
        if (field->kind == a->kind)
            same = same_value(field->show, operation_value(a, field), operation_value(b, field));
    }
    return same;
}

struct operation *plan_add(struct plan *plan, enum operation_kind kind, bool may_fail)
{
    static struct operation nowhere;
    struct operation *operation = &nowhere;
    if (plan->count < PLAN_MAX)
        operation = &plan->at[plan->count++];
    else
        plan->overflown = true;
    memset(operation, 0, sizeof *operation);
    operation->kind = kind;
    operation->may_fail = may_fail;
    return operation;
}

const struct operation *plan_find(const struct plan *plan, enum operation_kind kind)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind == kind)
            return &plan->at[i];
    }
    return NULL;
}
