/* Values as WAVE text; see wave.h. Depth is bounded by CM_LIMIT_TYPE_DEPTH. */
#include "engine/component/wave.h"

#include "engine/base/utf.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put(const struct wave_out *out, const char *text)
{
    out->put(out->data, str_of(text));
}

/* --- Numbers ------------------------------------------------------------------------------------
 */

static void show_integer(const struct wave_out *out, const struct cm_type *type, const void *from)
{
    uint64_t bits = 0;
    unsigned size = type->layout.size;
    char text[24];
    memcpy(&bits, from, size);
    if (cm_shape(type->kind) == SHAPE_SIGNED) {
        unsigned unused = 64 - 8 * size;
        snprintf(text, sizeof text, "%" PRId64, (int64_t)(bits << unused) >> unused);
    } else {
        snprintf(text, sizeof text, "%" PRIu64, bits);
    }
    put(out, text);
}

/* The digits of the shortest decimal that reads back as the same number, and its exponent. */
static int shortest(double number, bool single, char digits[20])
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (single ? strtof(text, NULL) == (float)number : strtod(text, NULL) == number)
            break;
    }
    const char *at = text + (text[0] == '-');
    char *to = digits;
    for (; *at && *at != 'e'; at++)
        if (*at != '.')
            *to++ = *at;
    *to = 0;
    return *at ? (int)strtol(at + 1, NULL, 10) : 0;
}

static void put_zeros(const struct wave_out *out, int count)
{
    while (count-- > 0)
        put(out, "0");
}

/* Without exponent, as WAVE's own writer has it. */
static void show_decimal(const struct wave_out *out, double number, bool single)
{
    char digits[20];
    int exponent = shortest(number, single, digits);
    int len = (int)strlen(digits);
    while (len > 1 && digits[len - 1] == '0')
        len--;
    if (exponent < 0) {
        put(out, "0.");
        put_zeros(out, -exponent - 1);
        out->put(out->data, (struct str){digits, (size_t)len});
        return;
    }
    int whole = exponent + 1 < len ? exponent + 1 : len;
    out->put(out->data, (struct str){digits, (size_t)whole});
    put_zeros(out, exponent + 1 - whole);
    if (len > whole) {
        put(out, ".");
        out->put(out->data, (struct str){digits + whole, (size_t)(len - whole)});
    }
}

static void show_float(const struct wave_out *out, const struct cm_type *type, const void *from)
{
    bool single = type->kind == CM_F32;
    float narrow = 0;
    double number = 0;
    if (single)
        memcpy(&narrow, from, sizeof narrow);
    else
        memcpy(&number, from, sizeof number);
    if (single)
        number = (double)narrow;
    if (__builtin_isnan(number)) {
        put(out, "nan");
        return;
    }
    if (__builtin_signbit(number))
        put(out, "-");
    if (__builtin_isinf(number))
        put(out, "inf");
    else
        show_decimal(out, __builtin_fabs(number), single);
}

/* --- Text ---------------------------------------------------------------------------------------
 */

/* Characters that do something to a terminal, or to the order of what is around them. */
static bool is_unseen(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void show_scalar(const struct wave_out *out, uint32_t c)
{
    static const char escaped[] = "\\\"'\t\r\n";
    static const char letters[] = "\\\"'trn";
    char text[16];
    const char *at = c && c < 0x80 ? strchr(escaped, (int)c) : NULL;
    if (at) {
        snprintf(text, sizeof text, "\\%c", letters[at - escaped]);
        put(out, text);
    } else if (is_unseen(c)) {
        snprintf(text, sizeof text, "\\u{%x}", c);
        put(out, text);
    } else {
        out->put(out->data, (struct str){text, utf8_put((uint8_t *)text, c)});
    }
}

/* Plain runs go out in one piece. */
static void show_string(const struct wave_out *out, struct str s)
{
    const uint8_t *at = (const uint8_t *)s.at;
    const uint8_t *end = at + s.len;
    put(out, "\"");
    while (at != end) {
        const uint8_t *run = at;
        while (at != end && *at >= 0x20 && *at < 0x7f && *at != '\\' && *at != '"' && *at != '\'')
            at++;
        if (at != run)
            out->put(out->data, (struct str){(const char *)run, (size_t)(at - run)});
        if (at != end)
            show_scalar(out, utf8_next(&at));
    }
    put(out, "\"");
}

/* --- Types with parts ---------------------------------------------------------------------------
 */

struct list {
    const uint8_t *at;
    size_t len;
};

static void show_items(const struct wave_out *out, const struct cm_type *element, const uint8_t *at,
                       size_t count)
{
    put(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            put(out, ", ");
        wave_show(element, at + i * element->layout.host_size, out);
    }
    put(out, "]");
}

/* Of a record, options that are none are left out. */
static void show_record(const struct wave_out *out, const struct cm_type *type, const uint8_t *from)
{
    bool tuple = type->kind != CM_RECORD;
    bool first = true;
    put(out, tuple ? "(" : "{");
    for (uint32_t i = 0; i < type->nfields; i++) {
        const struct cm_field *field = &type->fields[i];
        const uint8_t *at = from + field->host_offset;
        if (!tuple && field->type->kind == CM_OPTION && !at[0])
            continue;
        if (!first)
            put(out, ", ");
        first = false;
        if (!tuple) {
            out->put(out->data, field->label->text);
            put(out, ": ");
        }
        wave_show(field->type, at, out);
    }
    put(out, tuple ? ")" : first ? ":}" : "}");
}

/* A label that would be read as a keyword has a '%' before it. */
static void show_label(const struct wave_out *out, struct str label)
{
    static const char *const keywords[] = {"true", "false", "some", "none",
                                           "ok",   "err",   "inf",  "nan"};
    for (size_t i = 0; i < countof(keywords); i++)
        if (str_is(label, keywords[i]))
            put(out, "%");
    out->put(out->data, label);
}

static void show_variant(const struct wave_out *out, const struct cm_type *type,
                         const uint8_t *from)
{
    uint32_t which = 0;
    memcpy(&which, from, type->tag_size);
    const struct cm_case *is = &type->cases[which];
    if (type->kind == CM_RESULT)
        put(out, which ? "err" : "ok");
    else if (type->kind == CM_OPTION)
        put(out, which ? "some" : "none");
    else
        show_label(out, is->label->text);
    if (!is->type)
        return;
    put(out, "(");
    wave_show(is->type, from + type->host_payload, out);
    put(out, ")");
}

static void show_flags(const struct wave_out *out, const struct cm_type *type, const void *from)
{
    uint32_t bits = 0;
    bool first = true;
    memcpy(&bits, from, type->layout.size);
    put(out, "{");
    for (uint32_t i = 0; i < type->nlabels; i++) {
        if (!(bits >> i & 1))
            continue;
        if (!first)
            put(out, ", ");
        first = false;
        out->put(out->data, type->labels[i]->text);
    }
    put(out, "}");
}

void wave_show(const struct cm_type *type, const void *from, const struct wave_out *out)
{
    const uint8_t *at = from;
    struct list list;
    struct str s;
    uint32_t scalar;
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: put(out, at[0] ? "true" : "false"); break;
    case SHAPE_SIGNED:
    case SHAPE_UNSIGNED: show_integer(out, type, from); break;
    case SHAPE_FLOAT: show_float(out, type, from); break;
    case SHAPE_CHAR:
        memcpy(&scalar, from, sizeof scalar);
        put(out, "'");
        show_scalar(out, scalar);
        put(out, "'");
        break;
    case SHAPE_STRING:
        memcpy(&s, from, sizeof s);
        show_string(out, s);
        break;
    case SHAPE_LIST:
        memcpy(&list, from, sizeof list);
        show_items(out, type->element, list.at, list.len);
        break;
    case SHAPE_FIXED_LIST: show_items(out, type->element, at, type->length); break;
    case SHAPE_RECORD: show_record(out, type, at); break;
    case SHAPE_VARIANT: show_variant(out, type, at); break;
    case SHAPE_FLAGS: show_flags(out, type, from); break;
    default: /* handles have no text form: what kind of thing it is */
        put(out, "<");
        put(out, cm_kind_text(type->kind));
        put(out, ">");
        break;
    }
}
