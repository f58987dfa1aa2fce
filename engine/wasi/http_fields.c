/* The resource wasi:http/types.fields. Names are compared without regard to case and kept as they
 * were given; entries keep their order. */
#include "engine/http/syntax.h"
#include "engine/wasi/http.h"
#include "engine/wasi/table.h"

struct fields *fields_new(struct wasi *wasi)
{
    struct fields *fields = wasi_resource(wasi, sizeof *fields);
    if (fields)
        fields->refs = 1;
    return fields;
}

struct fields *fields_keep(struct fields *fields)
{
    fields->refs++;
    return fields;
}

struct fields *fields_lend(struct fields *fields)
{
    fields->handles++;
    return fields_keep(fields);
}

bool fields_back(struct vm *vm, const struct fields *fields)
{
    if (!fields || !fields->handles)
        return true;
    vm_trap_set(vm, TRAP_HOST, "a request or response is dropped before its headers are");
    return false;
}

static void entry_free(struct wasi *wasi, struct fields *fields, const struct fields_entry *entry)
{
    fields->size -= entry->name.len + entry->value.len;
    heap_give(wasi->heap, (void *)(uintptr_t)entry->name.at);
}

void fields_release(struct wasi *wasi, struct fields *fields)
{
    if (--fields->refs)
        return;
    for (uint32_t i = 0; i < fields->count; i++)
        entry_free(wasi, fields, &fields->at[i]);
    heap_give(wasi->heap, fields->at);
    wasi_resource_end(wasi, fields);
}

void fields_drop(struct wasi *wasi, struct fields *fields)
{
    if (fields->handles)
        fields->handles--;
    fields_release(wasi, fields);
}

static bool reserve(struct wasi *wasi, struct fields *fields)
{
    if (fields->count < fields->room)
        return true;
    if (fields->count >= WASI_FIELDS)
        return false;
    uint32_t room = fields->room ? fields->room * 2 : 8;
    struct fields_entry *at = heap_resize(wasi->heap, fields->at, room * sizeof *at);
    if (!at)
        return false;
    fields->at = at;
    fields->room = room;
    return true;
}

bool fields_add(struct wasi *wasi, struct fields *fields, struct str name, struct str value)
{
    if (name.len > WASI_FIELDS_SIZE || value.len > WASI_FIELDS_SIZE ||
        fields->size + name.len + value.len > WASI_FIELDS_SIZE || !reserve(wasi, fields))
        return false;
    char *text = heap_take(wasi->heap, name.len + value.len);
    if (!text)
        return false;
    memcpy(text, name.at, name.len);
    if (value.len)
        memcpy(text + name.len, value.at, value.len);
    fields->at[fields->count++] =
        (struct fields_entry){{text, name.len}, {text + name.len, value.len}};
    fields->size += name.len + value.len;
    return true;
}

bool fields_add_read(struct wasi *wasi, struct fields *fields, const struct http_field *read,
                     uint32_t count, struct bytes text)
{
    for (uint32_t i = 0; i < count; i++)
        if (!http_field_forbidden((enum http_known)read[i].known) &&
            !fields_add(wasi, fields, http_name(text, &read[i]), http_text(text, read[i].value)))
            return false;
    return true;
}

uint32_t fields_find(const struct fields *fields, struct str name, uint32_t from)
{
    while (from < fields->count && !http_same(fields->at[from].name, name))
        from++;
    return from;
}

uint64_t fields_length(const struct fields *fields)
{
    uint32_t at = fields_find(fields, str_of("content-length"), 0);
    uint64_t length;
    return at < fields->count && http_number(fields->at[at].value, &length) ? length : UINT64_MAX;
}

/* --- The functions of the guest -----------------------------------------------------------------
 */

enum header_error { HEADER_INVALID_SYNTAX, HEADER_FORBIDDEN, HEADER_IMMUTABLE, HEADER_FINE };

/* Nothing may make a message's end doubtful: a length is one number, and there is one. */
static bool length_fits(const struct fields *fields, struct str value)
{
    uint64_t number;
    if (!http_number(value, &number))
        return false;
    uint32_t at = fields ? fields_find(fields, str_of("content-length"), 0) : 0;
    return !fields || at == fields->count;
}

static enum header_error name_error(struct str name)
{
    if (!name.len || name.len > HTTP_MAX_FIELD_NAME || !http_is_token(name))
        return HEADER_INVALID_SYNTAX;
    return http_field_forbidden(http_field_known(name)) ? HEADER_FORBIDDEN : HEADER_FINE;
}

/* May it become an entry? `fields`: beside those that are in there; or NULL: instead of them. */
static enum header_error entry_error(const struct fields *fields, struct str name, struct str value)
{
    enum header_error error = name_error(name);
    if (error == HEADER_FINE && !http_is_value(value))
        error = HEADER_INVALID_SYNTAX;
    if (error == HEADER_FINE && http_field_known(name) == HTTP_FIELD_CONTENT_LENGTH &&
        !length_fits(fields, value))
        error = HEADER_INVALID_SYNTAX;
    return error;
}

static enum host_answer too_much(struct host_call *call)
{
    return host_trap(call, "more than %d fields or %d bytes of them, or out of memory", WASI_FIELDS,
                     WASI_FIELDS_SIZE);
}

struct header_result {
    uint8_t tag;
    uint8_t err; /* enum header_error */
};

static enum host_answer header_answer(enum header_error error, struct header_result *result)
{
    result->tag = error == HEADER_FINE ? HOST_OK : HOST_ERR;
    result->err = (uint8_t)error;
    return HOST_DONE;
}

enum host_answer wasi_http_fields_new(struct host_call *call, const void *args, void *result)
{
    struct fields **made = result;
    (void)args;
    *made = fields_new(call->host);
    return *made ? HOST_DONE : wasi_no_memory(call);
}

struct pair {
    struct str name;
    struct str value;
};

enum host_answer wasi_http_fields_from_list(struct host_call *call, const void *args, void *result)
{
    const HOST_LIST(struct pair) *list = args;
    HOST_RESULT(struct fields *, uint8_t) *made = result;
    struct fields *fields = fields_new(call->host);
    if (!fields)
        return wasi_no_memory(call);
    for (size_t i = 0; i < list->len; i++) {
        enum header_error error = entry_error(fields, list->at[i].name, list->at[i].value);
        if (error != HEADER_FINE) {
            fields_release(call->host, fields);
            made->tag = HOST_ERR;
            made->err = (uint8_t)error;
            return HOST_DONE;
        }
        if (!fields_add(call->host, fields, list->at[i].name, list->at[i].value)) {
            fields_release(call->host, fields);
            return too_much(call);
        }
    }
    made->ok = fields;
    return HOST_DONE;
}

struct name_args {
    struct fields *self;
    struct str name;
};

enum host_answer wasi_http_fields_get(struct host_call *call, const void *args, void *result)
{
    const struct name_args *a = args;
    HOST_LIST(struct str) *list = result;
    size_t count = 0;
    for (uint32_t i = 0; (i = fields_find(a->self, a->name, i)) < a->self->count; i++)
        count++;
    if (!count)
        return HOST_DONE;
    list->at = host_alloc(call, count * sizeof *list->at);
    if (!list->at)
        return wasi_no_memory(call);
    for (uint32_t i = 0; (i = fields_find(a->self, a->name, i)) < a->self->count; i++)
        list->at[list->len++] = a->self->at[i].value;
    return HOST_DONE;
}

enum host_answer wasi_http_fields_has(struct host_call *call, const void *args, void *result)
{
    const struct name_args *a = args;
    bool *has = result;
    (void)call;
    *has = fields_find(a->self, a->name, 0) < a->self->count;
    return HOST_DONE;
}

static void delete_all(struct wasi *wasi, struct fields *fields, struct str name)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fields->count; i++) {
        if (http_same(fields->at[i].name, name))
            entry_free(wasi, fields, &fields->at[i]);
        else
            fields->at[kept++] = fields->at[i];
    }
    fields->count = kept;
}

struct set_args {
    struct fields *self;
    struct str name;
    HOST_LIST(struct str) values;
};

enum host_answer wasi_http_fields_set(struct host_call *call, const void *args, void *result)
{
    const struct set_args *a = args;
    if (a->self->immutable)
        return header_answer(HEADER_IMMUTABLE, result);
    enum header_error error = name_error(a->name);
    for (size_t i = 0; i < a->values.len && error == HEADER_FINE; i++)
        error = entry_error(NULL, a->name, a->values.at[i]);
    if (error == HEADER_FINE && a->values.len > 1 &&
        http_field_known(a->name) == HTTP_FIELD_CONTENT_LENGTH)
        error = HEADER_INVALID_SYNTAX;
    if (error != HEADER_FINE)
        return header_answer(error, result);
    delete_all(call->host, a->self, a->name);
    for (size_t i = 0; i < a->values.len; i++)
        if (!fields_add(call->host, a->self, a->name, a->values.at[i]))
            return too_much(call);
    return HOST_DONE;
}

enum host_answer wasi_http_fields_delete(struct host_call *call, const void *args, void *result)
{
    const struct name_args *a = args;
    if (a->self->immutable)
        return header_answer(HEADER_IMMUTABLE, result);
    enum header_error error = name_error(a->name);
    if (error == HEADER_FINE)
        delete_all(call->host, a->self, a->name);
    return header_answer(error, result);
}

struct append_args {
    struct fields *self;
    struct str name;
    struct str value;
};

enum host_answer wasi_http_fields_append(struct host_call *call, const void *args, void *result)
{
    const struct append_args *a = args;
    enum header_error error =
        a->self->immutable ? HEADER_IMMUTABLE : entry_error(a->self, a->name, a->value);
    if (error == HEADER_FINE && !fields_add(call->host, a->self, a->name, a->value))
        return too_much(call);
    return header_answer(error, result);
}

enum host_answer wasi_http_fields_entries(struct host_call *call, const void *args, void *result)
{
    struct fields *const *self = args;
    HOST_LIST(struct fields_entry) *list = result;
    (void)call;
    /* Nobody changes them before they are lowered. */
    list->at = (*self)->at;
    list->len = (*self)->count;
    return HOST_DONE;
}

/* NULL: beyond what is allowed, or no memory. */
static struct fields *copy_of(struct wasi *wasi, const struct fields *from)
{
    struct fields *fields = fields_new(wasi);
    for (uint32_t i = 0; fields && i < from->count; i++)
        if (!fields_add(wasi, fields, from->at[i].name, from->at[i].value)) {
            fields_release(wasi, fields);
            return NULL;
        }
    return fields;
}

enum host_answer wasi_http_fields_clone(struct host_call *call, const void *args, void *result)
{
    struct fields *const *self = args;
    struct fields **made = result;
    *made = copy_of(call->host, *self);
    return *made ? HOST_DONE : too_much(call);
}

struct fields *fields_take(struct wasi *wasi, struct fields *fields)
{
    if (fields->refs == 1) {
        fields->handles = 0; /* whose message has gone its way */
        return fields;
    }
    struct fields *copy = copy_of(wasi, fields);
    fields_drop(wasi, fields);
    return copy;
}

bool wasi_drop_http_fields(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    fields_drop(host, representation);
    return true;
}
