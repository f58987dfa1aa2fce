/* libFuzzer on lifting and lowering: a type and values of it are chosen, and go from the host into
 * a component, from there into another one, and all the way back, in encodings that are chosen too.
 * What comes back is what went in. */
#include "tests/fuzz/choices.h"
#include "tests/unit/component_echo.h"

#include "engine/base/utf.h"
#include "engine/component/scratch.h"

#define PARTS 4 /* of one type, at most */
#define DEPTH 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- Types --------------------------------------------------------------------------------------
 */

static const struct cm_type *choose_type(struct fixture *f, struct choices *c, unsigned depth);

static const struct symbol *label(struct fixture *f, uint32_t i)
{
    static const char *const labels[] = {"a", "b-c", "d3", "if", "E", "f-G9", "record", "h"};
    return symbol_of(&f->types->symbols, str_of(labels[i % countof(labels)]), false);
}

static const struct cm_type *choose_fields(struct fixture *f, struct choices *c, enum cm_kind kind,
                                           unsigned depth)
{
    struct cm_field fields[PARTS] = {0};
    struct cm_type draft = {.kind = kind, .nfields = 1 + choose(c, PARTS), .fields = fields};
    for (uint32_t i = 0; i < draft.nfields; i++)
        fields[i] = (struct cm_field){.label = kind == CM_RECORD ? label(f, i) : NULL,
                                      .type = choose_type(f, c, depth)};
    return cm_type_of(f->types, &draft, &f->err);
}

static const struct cm_type *choose_cases(struct fixture *f, struct choices *c, enum cm_kind kind,
                                          unsigned depth)
{
    struct cm_case cases[PARTS] = {0};
    struct cm_type draft = {.kind = kind, .ncases = 1 + choose(c, PARTS), .cases = cases};
    for (uint32_t i = 0; i < draft.ncases; i++) {
        cases[i].label = label(f, i);
        if (kind == CM_VARIANT && choose(c, 3))
            cases[i].type = choose_type(f, c, depth);
    }
    return cm_type_of(f->types, &draft, &f->err);
}

static const struct cm_type *choose_flags(struct fixture *f, struct choices *c)
{
    const struct symbol *labels[32];
    static char names[32][4];
    struct cm_type draft = {.kind = CM_FLAGS, .nlabels = 1 + choose(c, 32), .labels = labels};
    for (uint32_t i = 0; i < draft.nlabels; i++) {
        snprintf(names[i], sizeof names[i], "f%u", i);
        labels[i] = symbol_of(&f->types->symbols, str_of(names[i]), false);
    }
    return cm_type_of(f->types, &draft, &f->err);
}

static const struct cm_type *choose_type(struct fixture *f, struct choices *c, unsigned depth)
{
    struct cm_type list = {.kind = CM_LIST};
    uint32_t which = choose(c, depth ? 24 : CM_STRING + 1);
    if (which <= CM_STRING)
        return cm_prim(f->types, (enum cm_kind)which);
    depth--;
    switch (which) {
    case CM_STRING + 1: return choose_fields(f, c, CM_RECORD, depth);
    case CM_STRING + 2: return choose_fields(f, c, CM_TUPLE, depth);
    case CM_STRING + 3: return choose_cases(f, c, CM_VARIANT, depth);
    case CM_STRING + 4: return choose_cases(f, c, CM_ENUM, depth);
    case CM_STRING + 5: return choose_flags(f, c);
    case CM_STRING + 6: return cm_option_of(f->types, choose_type(f, c, depth), &f->err);
    case CM_STRING + 7: {
        const struct cm_type *ok = choose(c, 3) ? choose_type(f, c, depth) : NULL;
        const struct cm_type *error = choose(c, 3) ? choose_type(f, c, depth) : NULL;
        return cm_result_of(f->types, ok, error, &f->err);
    }
    case CM_STRING + 8:
        list.kind = CM_FIXED_LIST;
        list.length = 1 + choose(c, 5);
        break;
    default: break;
    }
    list.element = choose_type(f, c, depth);
    return cm_type_of(f->types, &list, &f->err);
}

/* The type in a tuple that is spilt, and which build_identity therefore can pass on. */
static const struct cm_type *spilt(struct fixture *f, const struct cm_type *type)
{
    struct cm_field fields[CM_FLAT_MAX + 2] = {{.type = type}};
    for (uint32_t i = 1; i < countof(fields); i++)
        fields[i].type = cm_prim(f->types, CM_U8);
    return cm_type_of(
        f->types, &(struct cm_type){.kind = CM_TUPLE, .nfields = countof(fields), .fields = fields},
        &f->err);
}

/* --- Values, in host layout ---------------------------------------------------------------------
 */

static void choose_value(struct fixture *f, struct choices *c, struct host_scratch *scratch,
                         const struct cm_type *type, uint8_t *to);

static void *take(struct host_scratch *scratch, size_t size)
{
    void *at = scratch_take(scratch, size);
    assert_non_null(at);
    memset(at, 0, size);
    return at;
}

static uint32_t choose_char(struct choices *c)
{
    static const uint32_t below[] = {0x80, 0x100, 0x800, 0x10000, 0x110000};
    uint32_t scalar = (uint32_t)choose_bits(c) % below[choose(c, countof(below))];
    return scalar >= 0xd800 && scalar < 0xe000 ? 'x' : scalar;
}

static struct str choose_string(struct choices *c, struct host_scratch *scratch)
{
    uint32_t count = choose(c, 40);
    char *at = take(scratch, (size_t)count * 4 + 1);
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++)
        len += utf8_put((uint8_t *)at + len, choose_char(c));
    return (struct str){at, len};
}

static void choose_number(struct choices *c, const struct cm_type *type, uint8_t *to)
{
    uint64_t bits = choose_bits(c);
    double wide;
    float narrow;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &bits, sizeof narrow);
    memcpy(to, &bits, type->layout.host_size);
    if (type->kind == CM_F64 && wide != wide)
        memcpy(to, &(uint64_t){UINT64_C(0x7ff8000000000000)}, 8);
    if (type->kind == CM_F32 && narrow != narrow)
        memcpy(to, &(uint32_t){0x7fc00000}, 4);
}

static void choose_case(struct fixture *f, struct choices *c, struct host_scratch *scratch,
                        const struct cm_type *type, uint8_t *to)
{
    uint32_t tag = choose(c, type->ncases);
    memcpy(to, &tag, type->tag_size);
    if (type->cases[tag].type)
        choose_value(f, c, scratch, type->cases[tag].type, to + type->host_payload);
}

static void choose_elements(struct fixture *f, struct choices *c, struct host_scratch *scratch,
                            const struct cm_type *type, uint8_t *to)
{
    size_t each = type->element->layout.host_size;
    size_t count = type->kind == CM_FIXED_LIST ? type->length : choose(c, 9);
    uint8_t *at = to;
    if (type->kind == CM_LIST) {
        at = take(scratch, count * each + 1);
        memcpy(to, &at, sizeof at);
        memcpy(to + sizeof at, &count, sizeof count);
    }
    for (size_t i = 0; i < count; i++)
        choose_value(f, c, scratch, type->element, at + i * each);
}

static void choose_value(struct fixture *f, struct choices *c, struct host_scratch *scratch,
                         const struct cm_type *type, uint8_t *to)
{
    uint32_t scalar;
    struct str string;
    switch (type->kind) {
    case CM_BOOL: *to = (uint8_t)choose(c, 2); return;
    case CM_CHAR:
        scalar = choose_char(c);
        memcpy(to, &scalar, sizeof scalar);
        return;
    case CM_STRING:
        string = choose_string(c, scratch);
        memcpy(to, &string, sizeof string);
        return;
    case CM_FLAGS:
        scalar = (uint32_t)choose_bits(c) & (UINT32_MAX >> (32 - type->nlabels));
        memcpy(to, &scalar, type->layout.host_size);
        return;
    case CM_RECORD:
    case CM_TUPLE:
        for (uint32_t i = 0; i < type->nfields; i++)
            choose_value(f, c, scratch, type->fields[i].type, to + type->fields[i].host_offset);
        return;
    case CM_VARIANT:
    case CM_ENUM:
    case CM_OPTION:
    case CM_RESULT: choose_case(f, c, scratch, type, to); return;
    case CM_LIST:
    case CM_FIXED_LIST: choose_elements(f, c, scratch, type, to); return;
    default: choose_number(c, type, to); return;
    }
}

/* --- The way and back ---------------------------------------------------------------------------
 */

static struct shown shown[2];

static void show(const struct cm_type *type, const void *value, struct shown *to)
{
    const struct wave_out out = {show_piece, to};
    to->len = 0;
    to->text[0] = 0;
    wave_show(type, value, &out);
}

static void there_and_back(struct fixture *f, struct choices *c, struct cm_instance *instance)
{
    const struct cm_func *go = cm_export_func(instance, (struct str){0}, str_of("go"));
    struct host_scratch scratch = {.store = f->store};
    uint8_t *args = take(&scratch, go->type->layout.host_size);
    choose_value(f, c, &scratch, go->type->params[0].type->canon, args);
    show(go->type->params[0].type->canon, args, &shown[0]);
    struct cm_call *call = cm_call_new(f->store, go, args);
    assert_non_null(call);
    fiber_begin(f->vm, f->fiber, cm_call_func(call));
    if (fiber_run(f->vm, f->fiber) != FIBER_DONE) {
        fprintf(stderr, "%s: %s\n", shown[0].text, vm_trap(f->vm)->text);
        abort();
    }
    show(go->type->result->canon, cm_call_result(call), &shown[1]);
    if (strcmp(shown[0].text, shown[1].text) != 0) {
        fprintf(stderr, "%s became %s\n", shown[0].text, shown[1].text);
        abort();
    }
    cm_call_free(call);
    scratch_release(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices c = {data, size};
    struct fixture f;
    struct build b;
    open_fixture(&f);
    enum cm_encoding outer = (enum cm_encoding)choose(&c, 3);
    enum cm_encoding inner = (enum cm_encoding)choose(&c, 3);
    const struct cm_type *type = choose_type(&f, &c, DEPTH);
    if (type && type->layout.host_size < 4096) {
        build_pair(&b, spilt(&f, type), outer, inner);
        struct cm_instance *pair = start_component(&f, &b, NULL);
        for (unsigned i = 0; i < 3; i++)
            there_and_back(&f, &c, pair);
        free(b.at);
    }
    close_fixture(&f);
    return 0;
}
