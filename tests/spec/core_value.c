/* Values of core scripts; see core_value.h. NaNs compare by class, everything else by its bits; no
 * f32 passes through a double. */
#include "tests/spec/core_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Numbers ------------------------------------------------------------------------------------
 */

/* A pattern of bits that is expected: a number, or a class of NaNs. */
struct pattern {
    uint64_t value;
    uint64_t mask; /* bits that count */
};

/* Width in bits of a lane or number type. */
static unsigned width_of(struct str type)
{
    static const struct {
        const char *name;
        unsigned width;
    } rows[] = {{"i8", 8},   {"i16", 16}, {"i32", 32}, {"i64", 64},
                {"f32", 32}, {"f64", 64}, {NULL, 0}};
    size_t i = 0;
    while (rows[i].name && !str_is(type, rows[i].name))
        i++;
    return rows[i].width;
}

/* Reads decimal digits (the bits of the number), or a class of NaNs. */
static struct pattern pattern_read(struct str text, unsigned width)
{
    uint64_t all = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    uint64_t quiet = width == 64 ? UINT64_C(0x7ff8000000000000) : UINT64_C(0x7fc00000);
    if (str_is(text, "nan:canonical"))
        return (struct pattern){quiet, all >> 1};
    if (str_is(text, "nan:arithmetic"))
        return (struct pattern){quiet, quiet};
    uint64_t value = text.len && text.at[0] == '-' ? (uint64_t)strtoll(text.at, NULL, 10)
                                                   : strtoull(text.at, NULL, 10);
    return (struct pattern){value & all, all};
}

static struct str text_of(struct json_object *json)
{
    return (struct str){json_object_get_string(json), (size_t)json_object_get_string_len(json)};
}

/* The lanes of a v128 as two words of pattern. */
static bool vector_read(struct json_object *json, struct pattern words[2])
{
    unsigned width = width_of(json_text(json, "lane_type"));
    struct json_object *lanes = json_member(json, "value");
    if (!width || !lanes || json_object_array_length(lanes) != 128 / width)
        return false;
    memset(words, 0, 2 * sizeof *words);
    for (unsigned i = 0; i < 128 / width; i++) {
        struct pattern lane = pattern_read(text_of(json_object_array_get_idx(lanes, i)), width);
        words[i * width / 64].value |= lane.value << (i * width % 64);
        words[i * width / 64].mask |= lane.mask << (i * width % 64);
    }
    return true;
}

/* --- References ---------------------------------------------------------------------------------
 */

/* What the host gives as its reference number N: an address of its own, a multiple of 4. */
static uint32_t host_references[256];

static void *host_reference(struct str text)
{
    return &host_references[strtoul(text.at, NULL, 10) % countof(host_references)];
}

static bool is_reference(struct str type)
{
    return type.len > 3 && memcmp(type.at + type.len - 3, "ref", 3) == 0;
}

/* --- Arguments and results ----------------------------------------------------------------------
 */

bool value_read(struct json_object *json, union slot *slots)
{
    struct str type = json_text(json, "type");
    struct str text = json_text(json, "value");
    if (str_is(type, "v128")) {
        struct pattern words[2];
        if (!vector_read(json, words))
            return false;
        slots[0].u64 = words[0].value;
        slots[1].u64 = words[1].value;
        return true;
    }
    if (is_reference(type)) {
        if (!text.len)
            return false;
        slots[0].u64 = 0;
        slots[0].ref = str_is(text, "null") ? NULL : host_reference(text);
        return true;
    }
    unsigned width = width_of(type);
    slots[0].u64 = width ? pattern_read(text, width).value : 0;
    return width;
}

/* The type of any non-null reference of that kind; "refnull" and the like have none. */
static valtype kind_type(struct str kind)
{
    static const struct {
        const char *name;
        heaptype heap;
    } rows[] = {
        {"anyref", HEAP_ANY},       {"eqref", HEAP_EQ},       {"i31ref", HEAP_I31},
        {"structref", HEAP_STRUCT}, {"arrayref", HEAP_ARRAY}, {"funcref", HEAP_FUNC},
        {"externref", HEAP_EXTERN}, {"exnref", HEAP_EXN},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (str_is(kind, rows[i].name))
            return vt_ref(rows[i].heap, false);
    return VT_BOT;
}

static bool reference_matches(const struct vm *vm, struct json_object *expected, struct str kind,
                              const union slot *slot)
{
    struct str text = json_text(expected, "value");
    if (str_is(kind, "refnull") || str_is(text, "null"))
        return !slot->ref;
    if (text.len)
        return slot->ref == host_reference(text);
    valtype type = kind_type(kind);
    return type != VT_BOT && vm_ref_is(vm, *slot, type);
}

/* Is it a value of the type that the script says, with those bits? */
static bool matches(const struct vm *vm, struct json_object *expected, valtype type,
                    const union slot *slots)
{
    struct str kind = json_text(expected, "type");
    struct pattern words[2];
    if (str_is(kind, "either")) {
        struct json_object *values = json_member(expected, "values");
        for (size_t i = 0; i < json_object_array_length(values); i++)
            if (matches(vm, json_object_array_get_idx(values, i), type, slots))
                return true;
        return false;
    }
    if (str_is(kind, "v128"))
        return vt_kind(type) == VT_V128 && vector_read(expected, words) &&
               (slots[0].u64 & words[0].mask) == words[0].value &&
               (slots[1].u64 & words[1].mask) == words[1].value;
    if (str_is(kind, "refnull") || is_reference(kind))
        return vt_is_ref(type) && reference_matches(vm, expected, kind, slots);
    char name[8];
    valtype_show(type, name, sizeof name);
    if (!str_is(kind, name))
        return false;
    words[0] = pattern_read(json_text(expected, "value"), width_of(kind));
    return (slots[0].u64 & words[0].mask) == words[0].value;
}

bool value_matches(const struct vm *vm, struct json_object *expected, valtype type,
                   const union slot *slots, char *text, size_t size)
{
    if (matches(vm, expected, type, slots))
        return true;
    char name[40];
    valtype_show(type, name, sizeof name);
    if (vt_kind(type) == VT_V128)
        snprintf(text, size, "v128 0x%016" PRIx64 "%016" PRIx64, slots[1].u64, slots[0].u64);
    else
        snprintf(text, size, "%s 0x%" PRIx64, name, slots[0].u64);
    return false;
}
