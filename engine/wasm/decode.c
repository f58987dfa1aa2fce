/* Decoding of a module: header, the walk over its sections, custom sections; see module.h,
 * decode.h. Core spec §5.5.
 *
 * First the headers of all sections are read, to know where each one is and that their order is
 * right; then each is read in that order. So whoever reads one finds all that comes before it. */
#include "engine/wasm/decode.h"

static const uint8_t magic[4] = {0x00, 'a', 's', 'm'};
static const uint8_t version[4] = {0x01, 0x00, 0x00, 0x00};
static const uint8_t component[4] = {0x0d, 0x00, 0x01, 0x00};

enum section_place {
#define SECTION(id, name, text, function) SECTION_##name,
#include "engine/wasm/section.def"
#undef SECTION
    SECTIONS
};

static const struct {
    uint8_t id;
    char text[20];
    void (*read)(struct decoder *d, struct section *section);
} sections[SECTIONS] = {
#define SECTION(id, name, text, function) [SECTION_##name] = {id, text, function},
#include "engine/wasm/section.def"
#undef SECTION
};

/* --- What the sections' readers share -----------------------------------------------------------
 */

uint32_t section_count(struct section *section, enum limit limit)
{
    return section->present ? limit_count(&section->r, limit) : 0;
}

void *decode_take(struct decoder *d, struct reader *r, size_t count, size_t each)
{
    void *array = region_take(d->image, count, each, _Alignof(max_align_t));
    if (!array)
        reader_fail(r, ERR_MEMORY, "no memory left for this module");
    return array;
}

struct str decode_name(struct reader *r, const char *what)
{
    const uint8_t *at = r->at;
    struct str name = reader_name(r, what);
    limit_check(r, at, COUNT_NAME_SIZE, name.len);
    return name;
}

struct constexpr decode_constexpr(struct decoder *d, struct reader *r, valtype type)
{
    struct constexpr expression = {0};
    if (reader_ok(r))
        validate_constexpr(d->validator, r, type, d->declared, &expression);
    return expression;
}

void decode_declare(struct decoder *d, uint32_t func)
{
    d->declared[func / 8] |= (uint8_t)(1u << func % 8);
}

/* --- Sections -----------------------------------------------------------------------------------
 */

static void header(struct reader *r)
{
    struct bytes m = reader_take(r, sizeof magic, "magic header");
    if (m.len && memcmp(m.at, magic, sizeof magic) != 0)
        reader_fail_at(r, m.at, ERR_MALFORMED, "magic header not detected");
    struct bytes v = reader_take(r, sizeof version, "version");
    if (v.len && memcmp(v.at, version, sizeof version) != 0)
        reader_fail_at(r, v.at, ERR_MALFORMED, "unknown binary version%s",
                       memcmp(v.at, component, sizeof component) ? "" : ": this is a component");
}

/* The place of a section's id in the order; fails if there is none, or if it has passed. */
static enum section_place place_of(struct reader *r, const uint8_t *at, uint8_t id,
                                   enum section_place next)
{
    for (enum section_place place = 0; place < SECTIONS; place++) {
        if (sections[place].id != id)
            continue;
        if (place < next)
            reader_fail_at(r, at, ERR_MALFORMED,
                           "unexpected content after last section: %s, out of order",
                           sections[place].text);
        return place;
    }
    reader_fail_at(r, at, ERR_MALFORMED, "malformed section id %u", id);
    return SECTIONS;
}

/* Walks over the headers; fills `found`, and `customs` if it is given. Gives the number of custom
 * sections. */
static uint32_t walk(struct reader *r, struct section *found, struct customsection *customs)
{
    uint32_t ncustoms = 0;
    enum section_place next = 0;
    while (reader_ok(r) && !reader_at_end(r)) {
        const uint8_t *at = r->at;
        uint8_t id = reader_u8(r);
        struct reader part = reader_part(r, "section");
        if (id != 0) {
            enum section_place place = place_of(r, at, id, next);
            if (reader_ok(r)) {
                found[place] = (struct section){part, true};
                next = place + 1;
            }
            continue;
        }
        struct str name = decode_name(&part, "name of a custom section");
        if (!reader_ok(&part)) {
            reader_close(&part, r, "custom section");
            break;
        }
        if (customs)
            customs[ncustoms] = (struct customsection){name, {part.at, reader_left(&part)}};
        ncustoms++;
    }
    return ncustoms;
}

static void find_names(struct module *module)
{
    for (uint32_t i = 0; i < module->ncustoms; i++) {
        if (!str_is(module->customs[i].name, "name"))
            continue;
        module->names = module->customs[i].bytes;
        return;
    }
}

/* Reads everything; false after a failure. */
static bool decode(struct decoder *d, struct reader *r)
{
    struct module *module = d->module;
    struct section found[SECTIONS] = {0};
    if (!limit_check(r, r->at, COUNT_MODULE_SIZE, module->bytes.len))
        return false;
    header(r);
    struct reader again = *r;
    uint32_t ncustoms = walk(r, found, NULL);
    if (!reader_ok(r))
        return false;
    struct customsection *customs = DECODE_ARRAY(d, r, struct customsection, ncustoms);
    if (!customs)
        return false;
    module->customs = customs;
    module->ncustoms = walk(&again, found, customs);
    find_names(module);

    for (enum section_place place = 0; place < SECTIONS; place++) {
        struct section *section = &found[place];
        section->r =
            section->present ? section->r : reader_of((struct bytes){r->end, 0}, r->base, r->err);
        sections[place].read(d, section);
        if (reader_close(&section->r, r, sections[place].text) != 0)
            return false;
    }
    return true;
}

struct module *module_read_with(enum module_care care, struct bytes bytes, const uint8_t *file,
                                struct types *types, struct region *image, struct region *scratch,
                                struct err *err)
{
    uint8_t *scratch_mark = region_mark(scratch);
    struct err ignored = {0};
    struct reader r = reader_of(bytes, file, err ? err : &ignored);
    struct module *module = region_new(image, struct module);
    struct code **code = region_new(image, struct code *);
    struct decoder d = {.module = module, .image = image, .scratch = scratch, .care = care};
    d.validator = validator_new(module, scratch);
    if (module && code && d.validator) {
        module->code = code;
        module->bytes = bytes;
        module->file = file;
        module->types = types;
        if (!decode(&d, &r))
            module = NULL;
    } else {
        reader_fail(&r, ERR_MEMORY, "no memory left for this module");
        module = NULL;
    }
    region_release(scratch, scratch_mark);
    return module;
}

struct module *module_read(struct bytes bytes, const uint8_t *file, struct types *types,
                           struct region *image, struct region *scratch, struct err *err)
{
    return module_read_with(CARE_VALIDATE, bytes, file, types, image, scratch, err);
}

struct module *module_read_noted(struct bytes bytes, const uint8_t *file, struct types *types,
                                 struct region *image, struct region *scratch, struct err *err)
{
    return module_read_with(CARE_NOTE, bytes, file, types, image, scratch, err);
}
