/* Trace context; see http_trace.h. */
#include "engine/wasi/http_trace.h"

#include "engine/wasi/wasi.h"

enum { VERSION = 2, TRACE = 32, PARENT = 16, FLAGS = 2, DASHES = 3 };

/* `len` lower-case hexadecimal digits, not all of them 0 unless `zero`. */
static bool digits(const char *at, size_t len, bool zero)
{
    bool any = zero;
    for (size_t i = 0; i < len; i++) {
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
            return false;
        any = any || at[i] != '0';
    }
    return any;
}

/* 3.2 of the recommendation. Later versions may have more behind another dash; ff is none. */
static bool parent_valid(struct str text)
{
    const size_t size = VERSION + TRACE + PARENT + FLAGS + DASHES;
    const char *trace = text.at + VERSION + 1, *parent = trace + TRACE + 1,
               *flags = parent + PARENT + 1;
    if (text.len < size || !digits(text.at, VERSION, true) || memcmp(text.at, "ff", VERSION) == 0)
        return false;
    if (text.len > size && (memcmp(text.at, "00", VERSION) == 0 || flags[FLAGS] != '-'))
        return false;
    return trace[-1] == '-' && digits(trace, TRACE, false) && parent[-1] == '-' &&
           digits(parent, PARENT, false) && flags[-1] == '-' && digits(flags, FLAGS, true);
}

/* Lists of several fields are one (RFC 9110, 5.3). What does not fit is left out as a whole: a list
 * may lose what it has at its end, and this is its newest. */
static void add_state(struct http_trace *trace, struct str value)
{
    size_t comma = trace->state_len ? 1 : 0;
    if (!value.len || value.len + comma > sizeof trace->state - trace->state_len)
        return;
    if (comma)
        trace->state[trace->state_len++] = ',';
    memcpy(trace->state + trace->state_len, value.at, value.len);
    trace->state_len = (uint16_t)(trace->state_len + value.len);
}

void http_trace_take(struct http_trace *trace, const struct http_head *head, struct bytes text)
{
    uint32_t parents = 0;
    trace->parent_len = 0;
    trace->state_len = 0;
    for (uint32_t i = 0; i < head->nfields; i++) {
        const struct http_field *field = &head->fields[i];
        const struct str value = http_text(text, field->value);
        if (field->known == HTTP_FIELD_TRACEPARENT && parents++ == 0 &&
            value.len <= sizeof trace->parent && parent_valid(value)) {
            memcpy(trace->parent, value.at, value.len);
            trace->parent_len = (uint8_t)value.len;
        } else if (field->known == HTTP_FIELD_TRACESTATE) {
            add_state(trace, value);
        }
    }
    if (parents != 1 || !trace->parent_len) {
        trace->parent_len = 0;
        trace->state_len = 0;
    }
}

void http_trace_write(const struct http_trace *trace, const struct fields *headers,
                      struct http_writer *writer)
{
    const struct str parent = str_of("traceparent"), state = str_of("tracestate");
    if (!trace->parent_len || fields_find(headers, parent, 0) < headers->count)
        return;
    http_write_field(writer, parent, (struct str){trace->parent, trace->parent_len});
    if (trace->state_len && fields_find(headers, state, 0) == headers->count)
        http_write_field(writer, state, (struct str){trace->state, trace->state_len});
}
