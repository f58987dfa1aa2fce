/* Reading heads; see head.h. */
#include "engine/http/head.h"

#include "engine/http/syntax.h"

struct http_head http_head_new(enum http_kind kind, struct http_field *fields, uint32_t room,
                               uint32_t most)
{
    uint32_t nfields = kind == HTTP_TRAILERS ? HTTP_MAX_TRAILERS : HTTP_MAX_FIELDS;
    uint32_t bytes = kind == HTTP_TRAILERS ? HTTP_MAX_TRAILER : HTTP_MAX_HEAD;
    return (struct http_head){.kind = kind,
                              .fields = fields,
                              .room = room < nfields ? room : nfields,
                              .most = most < bytes ? most : bytes,
                              .begun = kind == HTTP_TRAILERS};
}

static enum http_progress bad(struct http_head *head, enum http_fault fault)
{
    head->fault = fault;
    return HTTP_BAD;
}

/* A run of text in the buffer as a span, and back. */
static struct http_span span_of(struct bytes buffer, struct str text)
{
    return (struct http_span){(uint32_t)((const uint8_t *)text.at - buffer.at), (uint32_t)text.len};
}

/* Takes what stands before the first blank, and the blank. False if there is none. */
static bool word(struct str *line, struct str *ret)
{
    const char *blank = memchr(line->at, ' ', line->len);
    if (!blank)
        return false;
    *ret = (struct str){line->at, (size_t)(blank - line->at)};
    *line = (struct str){blank + 1, line->len - ret->len - 1};
    return true;
}

/* --- First lines --------------------------------------------------------------------------------
 */

/* "HTTP/1.1" (2.3). Later minor versions are read as 1.1. */
static enum http_fault version(struct http_head *head, struct str text, enum http_fault none)
{
    if (text.len != 8 || memcmp(text.at, "HTTP/", 5) != 0 || text.at[6] != '.' ||
        !http_all((struct str){text.at + 5, 1}, HTTP_DIGIT) ||
        !http_all((struct str){text.at + 7, 1}, HTTP_DIGIT))
        return none;
    if (text.at[5] != '1')
        return HTTP_FAULT_VERSION;
    head->minor = text.at[7] != '0';
    return HTTP_FAULT_NONE;
}

/* method SP request-target SP HTTP-version (3) */
static enum http_fault request_line(struct http_head *head, struct bytes buffer, struct str line)
{
    struct str method, target;
    if (!word(&line, &method) || !word(&line, &target) || !http_is_token(method))
        return HTTP_FAULT_REQUEST_LINE;
    if (method.len > HTTP_MAX_METHOD)
        return HTTP_FAULT_METHOD;
    if (target.len > HTTP_MAX_TARGET)
        return HTTP_FAULT_TARGET_SIZE;
    enum http_fault fault = version(head, line, HTTP_FAULT_REQUEST_LINE);
    if (fault)
        return fault;
    if (!target.len || !http_all(target, HTTP_TARGET))
        return HTTP_FAULT_TARGET;
    head->method = http_method_of(method);
    head->method_name = span_of(buffer, method);
    head->target = span_of(buffer, target);
    return HTTP_FAULT_NONE;
}

/* HTTP-version SP status-code SP [ reason-phrase ] (4). The last blank is left out by many. */
static enum http_fault status_line(struct http_head *head, struct bytes buffer, struct str line)
{
    struct str text;
    if (!word(&line, &text))
        return HTTP_FAULT_STATUS_LINE;
    enum http_fault fault = version(head, text, HTTP_FAULT_STATUS_LINE);
    if (fault)
        return fault;
    struct str code = {line.at, line.len < 3 ? line.len : 3};
    struct str reason = {line.at + code.len, line.len - code.len};
    if (code.len != 3 || !http_all(code, HTTP_DIGIT) || code.at[0] == '0' ||
        (reason.len && reason.at[0] != ' ') || reason.len > HTTP_MAX_REASON ||
        !http_all(reason, HTTP_VALUE))
        return HTTP_FAULT_STATUS_LINE;
    if (reason.len)
        reason = (struct str){reason.at + 1, reason.len - 1};
    head->status =
        (uint16_t)((code.at[0] - '0') * 100 + (code.at[1] - '0') * 10 + (code.at[2] - '0'));
    head->reason = span_of(buffer, reason);
    return HTTP_FAULT_NONE;
}

/* --- Fields -------------------------------------------------------------------------------------
 */

static struct str trim(struct str text)
{
    while (text.len && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct str){text.at + 1, text.len - 1};
    while (text.len && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* field-name ":" OWS field-value OWS (5) */
static enum http_fault field_line(struct http_head *head, struct bytes buffer, struct str line)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return HTTP_FAULT_FOLD;
    const char *colon = memchr(line.at, ':', line.len);
    if (!colon)
        return HTTP_FAULT_FIELD_NAME;
    struct str name = {line.at, (size_t)(colon - line.at)};
    if (name.len > HTTP_MAX_FIELD_NAME)
        return HTTP_FAULT_FIELD_SIZE;
    if (!http_is_token(name))
        return HTTP_FAULT_FIELD_NAME;
    struct str value = trim((struct str){colon + 1, line.len - name.len - 1});
    if (!http_all(value, HTTP_VALUE))
        return HTTP_FAULT_FIELD_VALUE;
    if (head->nfields == head->room)
        return head->kind == HTTP_TRAILERS ? HTTP_FAULT_TRAILER_SIZE : HTTP_FAULT_FIELD_COUNT;
    head->fields[head->nfields++] = (struct http_field){
        .value = span_of(buffer, value),
        .name = span_of(buffer, name).at,
        .name_len = (uint16_t)name.len,
        .known = (uint8_t)http_field_known(name),
    };
    return HTTP_FAULT_NONE;
}

/* --- Lines --------------------------------------------------------------------------------------
 */

/* One whole line without its end. */
static enum http_progress line_read(struct http_head *head, struct bytes buffer, struct str line)
{
    enum http_fault fault;
    if (!line.len && head->begun) {
        head->size = head->line;
        return HTTP_DONE;
    }
    if (!line.len && head->kind == HTTP_REQUEST)
        fault =
            ++head->empty_lines > HTTP_MAX_EMPTY_LINES ? HTTP_FAULT_REQUEST_LINE : HTTP_FAULT_NONE;
    else if (head->begun)
        fault = field_line(head, buffer, line);
    else if (head->kind == HTTP_REQUEST)
        fault = request_line(head, buffer, line);
    else
        fault = status_line(head, buffer, line);
    head->begun = head->begun || line.len;
    return fault ? bad(head, fault) : HTTP_MORE;
}

static enum http_fault too_long(const struct http_head *head)
{
    if (head->kind == HTTP_TRAILERS)
        return HTTP_FAULT_TRAILER_SIZE;
    if (head->kind == HTTP_REQUEST && !head->begun)
        return HTTP_FAULT_TARGET_SIZE;
    return HTTP_FAULT_HEAD_SIZE;
}

enum http_progress http_head_read(struct http_head *head, struct bytes buffer)
{
    size_t len = buffer.len < head->most ? buffer.len : head->most;
    while (head->seen < len) {
        const char *at = (const char *)buffer.at;
        const char *end = memchr(at + head->seen, '\n', len - head->seen);
        if (!end) {
            head->seen = (uint32_t)len;
            break;
        }
        uint32_t next = (uint32_t)(end - at) + 1;
        struct str line = {at + head->line, next - 1 - head->line};
        head->seen = head->line = next;
        /* A CR before its place is no part of any token, value or target, and found there. */
        if (!line.len || line.at[line.len - 1] != '\r')
            return bad(head, HTTP_FAULT_LINE_END);
        line.len--;
        enum http_progress progress = line_read(head, buffer, line);
        if (progress != HTTP_MORE)
            return progress;
    }
    return head->seen >= head->most ? bad(head, too_long(head)) : HTTP_MORE;
}
