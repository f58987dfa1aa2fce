/* Component values of scripts; see component_value.h. Floats are compared by their bits. */
#include "tests/spec/component_value.h"

#include "tests/spec/script.h"

#include <stdlib.h>
#include <string.h>

struct value_block {
    struct value_block *before;
    max_align_t bytes[];
};

void value_memory_free(struct value_memory *memory)
{
    while (memory->blocks) {
        struct value_block *block = memory->blocks;
        memory->blocks = block->before;
        free(block);
    }
}

void *value_take(struct value_memory *memory, size_t size)
{
    struct value_block *block = calloc(1, sizeof *block + (size ? size : 1));
    if (!block)
        abort();
    block->before = memory->blocks;
    memory->blocks = block;
    return block->bytes;
}

/* What every list and string is in host layout. */
struct list {
    const void *at;
    size_t len;
};

/* --- Looking into JSON --------------------------------------------------------------------------
 */

static struct str text_of(struct json_object *json)
{
    if (!json || !json_object_is_type(json, json_type_string))
        return (struct str){0};
    return (struct str){json_object_get_string(json), (size_t)json_object_get_string_len(json)};
}

static size_t length_of(struct json_object *json)
{
    return json && json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 0;
}

/* The bits of a number; floats are written as their bits. */
static bool number_of(struct json_object *json, uint64_t *ret)
{
    struct str text = text_of(json);
    if (text.len == 0)
        return false;
    if (str_is(text, "nan:canonical") || str_is(text, "nan:arithmetic"))
        return false;
    *ret = text.at[0] == '-' ? (uint64_t)strtoll(text.at, NULL, 10) : strtoull(text.at, NULL, 10);
    return true;
}

/* The index of a case or label; -1 if there is none of that name. */
static int case_index(const struct cm_type *type, struct str name)
{
    for (uint32_t i = 0; i < type->ncases; i++)
        if (str_eq(type->cases[i].label->text, name))
            return (int)i;
    return -1;
}

/* Which case a value of a variant, enum, option or result is, and its payload. */
static int case_of(const struct cm_type *type, struct json_object *value,
                   struct json_object **ret_payload)
{
    *ret_payload = NULL;
    switch (type->kind) {
    case CM_ENUM: return case_index(type, text_of(value));
    case CM_OPTION: *ret_payload = value; return value ? 1 : 0;
    case CM_RESULT: {
        bool ok = json_object_object_get_ex(value, "Ok", ret_payload);
        if (!ok && !json_object_object_get_ex(value, "Err", ret_payload))
            return -1;
        return ok ? 0 : 1;
    }
    default:
        *ret_payload = json_member(value, "payload");
        return case_index(type, json_text(value, "case"));
    }
}

static bool flags_of(const struct cm_type *type, struct json_object *value, uint32_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < length_of(value); i++) {
        struct str name = text_of(json_object_array_get_idx(value, i));
        uint32_t label = 0;
        while (label < type->nlabels && !str_eq(type->labels[label]->text, name))
            label++;
        if (label == type->nlabels)
            return false;
        *ret |= UINT32_C(1) << label;
    }
    return true;
}

/* The value of a record's field or a tuple's element. */
static struct json_object *field_of(const struct cm_type *type, struct json_object *value,
                                    uint32_t i)
{
    struct json_object *item = json_object_array_get_idx(value, i);
    return type->kind == CM_RECORD ? json_object_array_get_idx(item, 1) : item;
}

static uint32_t char_of(struct json_object *value)
{
    const uint8_t *at = (const uint8_t *)text_of(value).at;
    uint32_t lead = at ? at[0] : 0;
    if (lead < 0x80)
        return lead;
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t scalar = lead & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++)
        scalar = scalar << 6 | (at[i] & 0x3f);
    return scalar;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static bool write_list(const struct cm_type *type, struct json_object *value, void *to,
                       struct value_memory *memory)
{
    const struct cm_layout *l = &type->element->layout;
    struct list list = {.len = length_of(value)};
    uint8_t *at = value_take(memory, list.len * l->host_size);
    for (size_t i = 0; i < list.len; i++)
        if (!component_value_write(type->element, json_object_array_get_idx(value, i),
                                   at + i * l->host_size, memory))
            return false;
    list.at = at;
    memcpy(to, &list, sizeof list);
    return true;
}

static bool write_string(struct json_object *value, void *to, struct value_memory *memory)
{
    struct str text = text_of(value);
    char *copy = value_take(memory, text.len);
    if (text.len)
        memcpy(copy, text.at, text.len);
    text.at = copy;
    memcpy(to, &text, sizeof text);
    return true;
}

static bool write_variant(const struct cm_type *type, struct json_object *value, uint8_t *to,
                          struct value_memory *memory)
{
    struct json_object *payload;
    int which = case_of(type, value, &payload);
    if (which < 0)
        return false;
    memcpy(to, &which, type->tag_size);
    const struct cm_type *of = type->cases[which].type;
    return !of || component_value_write(of, payload, to + type->host_payload, memory);
}

bool component_value_write(const struct cm_type *type, struct json_object *json, void *to,
                           struct value_memory *memory)
{
    struct json_object *value = json_member(json, "value");
    uint64_t bits = 0;
    uint32_t flags;
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: bits = json_object_get_boolean(value); break;
    case SHAPE_SIGNED:
    case SHAPE_UNSIGNED:
    case SHAPE_FLOAT:
        if (!number_of(value, &bits))
            return false;
        break;
    case SHAPE_CHAR: bits = char_of(value); break;
    case SHAPE_FLAGS:
        if (!flags_of(type, value, &flags))
            return false;
        bits = flags;
        break;
    case SHAPE_STRING: return write_string(value, to, memory);
    case SHAPE_LIST: return write_list(type, value, to, memory);
    case SHAPE_RECORD:
        for (uint32_t i = 0; i < type->nfields; i++)
            if (!component_value_write(type->fields[i].type, field_of(type, value, i),
                                       (uint8_t *)to + type->fields[i].host_offset, memory))
                return false;
        return true;
    case SHAPE_FIXED_LIST:
        for (uint32_t i = 0; i < type->length; i++)
            if (!component_value_write(type->element, json_object_array_get_idx(value, i),
                                       (uint8_t *)to + (size_t)i * type->element->layout.host_size,
                                       memory))
                return false;
        return true;
    case SHAPE_VARIANT: return write_variant(type, value, to, memory);
    default: return false;
    }
    memcpy(to, &bits, type->layout.host_size);
    return true;
}

/* --- Comparing ----------------------------------------------------------------------------------
 */

static bool list_is(const struct cm_type *type, struct json_object *value, const void *at)
{
    struct list list;
    memcpy(&list, at, sizeof list);
    if (list.len != length_of(value))
        return false;
    for (size_t i = 0; i < list.len; i++)
        if (!component_value_is(type->element, json_object_array_get_idx(value, i),
                                (const uint8_t *)list.at + i * type->element->layout.host_size))
            return false;
    return true;
}

static bool variant_is(const struct cm_type *type, struct json_object *value, const uint8_t *at)
{
    struct json_object *payload;
    int which = 0;
    int expected = case_of(type, value, &payload);
    memcpy(&which, at, type->tag_size);
    if (which != expected)
        return false;
    const struct cm_type *of = type->cases[which].type;
    return !of || component_value_is(of, payload, at + type->host_payload);
}

/* NaNs of components are all the same. */
static bool float_is(const struct cm_type *type, struct json_object *value, uint64_t bits)
{
    struct str text = text_of(value);
    uint64_t nan = type->kind == CM_F32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
    uint64_t expected = nan;
    if (!str_is(text, "nan:canonical") && !str_is(text, "nan:arithmetic") &&
        !number_of(value, &expected))
        return false;
    return bits == expected;
}

bool component_value_is(const struct cm_type *type, struct json_object *expected, const void *at)
{
    struct json_object *value = json_member(expected, "value");
    uint64_t bits = 0;
    uint64_t wanted = 0;
    uint32_t flags;
    uint32_t size = type->layout.host_size;
    if (size <= sizeof bits)
        memcpy(&bits, at, size);
    switch (cm_shape(type->kind)) {
    case SHAPE_BOOL: return bits == (uint64_t)json_object_get_boolean(value);
    case SHAPE_SIGNED:
    case SHAPE_UNSIGNED: return number_of(value, &wanted) && memcmp(&wanted, at, size) == 0;
    case SHAPE_FLOAT: return float_is(type, value, bits);
    case SHAPE_CHAR: return bits == char_of(value);
    case SHAPE_FLAGS: return flags_of(type, value, &flags) && bits == flags;
    case SHAPE_STRING: {
        struct str text;
        memcpy(&text, at, sizeof text);
        return str_eq(text, text_of(value));
    }
    case SHAPE_LIST: return list_is(type, value, at);
    case SHAPE_RECORD:
        for (uint32_t i = 0; i < type->nfields; i++)
            if (!component_value_is(type->fields[i].type, field_of(type, value, i),
                                    (const uint8_t *)at + type->fields[i].host_offset))
                return false;
        return true;
    case SHAPE_FIXED_LIST:
        for (uint32_t i = 0; i < type->length; i++)
            if (!component_value_is(type->element, json_object_array_get_idx(value, i),
                                    (const uint8_t *)at +
                                        (size_t)i * type->element->layout.host_size))
                return false;
        return true;
    case SHAPE_VARIANT: return variant_is(type, value, at);
    default: return false;
    }
}
