/* Framing; see message.h. */
#include "engine/http/message.h"

static bool bad(struct http_message *message, enum http_fault fault)
{
    message->fault = fault;
    return false;
}

static struct str value_of(struct bytes buffer, const struct http_field *field)
{
    return http_text(buffer, field->value);
}

/* --- Connection ---------------------------------------------------------------------------------
 */

bool http_keeps_alive(const struct http_head *head, struct bytes buffer)
{
    bool close = false, keep = false;
    for (uint32_t i = 0; i < head->nfields; i++) {
        struct str rest, element;
        if (head->fields[i].known != HTTP_FIELD_CONNECTION)
            continue;
        rest = value_of(buffer, &head->fields[i]);
        while (http_list_next(&rest, &element)) {
            close = close || http_is(element, str_of("close"));
            keep = keep || http_is(element, str_of("keep-alive"));
        }
    }
    return !close && (head->minor > 0 || keep);
}

/* --- Length and coding --------------------------------------------------------------------------
 */

/* What the fields say, before anybody draws a conclusion. */
struct framing {
    uint32_t lengths; /* fields Content-Length */
    uint32_t codings; /* fields Transfer-Encoding */
    uint64_t length;
    bool chunked; /* the codings are "chunked" and nothing else */
    enum http_fault fault;
};

/* "chunked", once, last and alone: other codings are not known here (7). A list that does not end
 * in chunked has no end that both sides would agree on. */
static enum http_fault coding(const struct http_head *head, struct bytes buffer)
{
    uint32_t elements = 0, chunked = 0;
    bool last = false;
    for (uint32_t i = 0; i < head->nfields; i++) {
        struct str element;
        if (head->fields[i].known != HTTP_FIELD_TRANSFER_ENCODING)
            continue;
        struct str rest = value_of(buffer, &head->fields[i]);
        while (http_list_next(&rest, &element)) {
            last = http_is(element, str_of("chunked"));
            chunked += last;
            elements++;
        }
    }
    if (chunked != 1 || !last)
        return HTTP_FAULT_CODING;
    return elements == 1 ? HTTP_FAULT_NONE : HTTP_FAULT_CODING_UNKNOWN;
}

static struct framing framing_of(const struct http_head *head, struct bytes buffer)
{
    struct framing f = {.fault = HTTP_FAULT_NONE};
    for (uint32_t i = 0; i < head->nfields; i++) {
        const struct http_field *field = &head->fields[i];
        f.codings += field->known == HTTP_FIELD_TRANSFER_ENCODING;
        if (field->known != HTTP_FIELD_CONTENT_LENGTH)
            continue;
        if (f.lengths++ || !http_number(value_of(buffer, field), &f.length) || f.length > INT64_MAX)
            f.fault = HTTP_FAULT_LENGTH;
    }
    if (!f.codings || f.fault)
        return f;
    if (f.lengths)
        f.fault = HTTP_FAULT_LENGTH_AND_CODING;
    else if (head->minor == 0)
        f.fault = HTTP_FAULT_CODING;
    else
        f.fault = coding(head, buffer);
    f.chunked = !f.fault;
    return f;
}

static void set_length(struct http_message *message, const struct framing *framing)
{
    message->has_length = framing->lengths > 0;
    message->told_length = framing->length;
}

static void set_body(struct http_message *message, const struct framing *framing)
{
    if (framing->chunked) {
        message->framing = HTTP_CHUNKED;
    } else if (framing->length) {
        message->framing = HTTP_LENGTH;
        message->length = framing->length;
    }
}

/* --- Requests -----------------------------------------------------------------------------------
 */

/* 3.2: exactly one Host from 1.1 on, at most one before, and a valid one. It may be empty. */
static enum http_fault read_host(const struct http_head *head, struct bytes buffer,
                                 struct http_message *message)
{
    uint32_t hosts = 0;
    struct http_authority parts;
    for (uint32_t i = 0; i < head->nfields; i++) {
        if (head->fields[i].known != HTTP_FIELD_HOST)
            continue;
        struct str host = value_of(buffer, &head->fields[i]);
        if (hosts++ || (host.len && !http_authority_read(host, &parts)))
            return HTTP_FAULT_HOST;
        message->authority = host;
    }
    if (!hosts && head->minor > 0)
        return HTTP_FAULT_HOST;
    /* 3.2.2: the target's own authority is what counts. */
    if (message->target.authority.len)
        message->authority = message->target.authority;
    return HTTP_FAULT_NONE;
}

/* RFC 9110, 10.1.1: a client of 1.0 cannot expect. */
static enum http_fault read_expect(const struct http_head *head, struct bytes buffer,
                                   struct http_message *message)
{
    for (uint32_t i = 0; i < head->nfields; i++) {
        const struct http_field *field = &head->fields[i];
        message->upgrade = message->upgrade || field->known == HTTP_FIELD_UPGRADE;
        if (field->known != HTTP_FIELD_EXPECT || head->minor == 0)
            continue;
        if (!http_is(value_of(buffer, field), str_of("100-continue")))
            return HTTP_FAULT_EXPECTATION;
        message->expect_continue = true;
    }
    return HTTP_FAULT_NONE;
}

bool http_request_message(const struct http_head *head, struct bytes buffer,
                          struct http_message *ret)
{
    *ret = (struct http_message){.framing = HTTP_NO_BODY};
    bool connect = head->method == HTTP_CONNECT;
    if (!http_target_read(http_text(buffer, head->target), connect, &ret->target) ||
        (ret->target.form == HTTP_ASTERISK_FORM && head->method != HTTP_OPTIONS))
        return bad(ret, HTTP_FAULT_TARGET);
    struct framing framing = framing_of(head, buffer);
    enum http_fault fault = read_host(head, buffer, ret);
    if (!fault)
        fault = framing.fault;
    if (!fault)
        fault = read_expect(head, buffer, ret);
    if (fault)
        return bad(ret, fault);
    set_length(ret, &framing);
    set_body(ret, &framing);
    ret->expect_continue = ret->expect_continue && ret->framing != HTTP_NO_BODY;
    ret->keep_alive = http_keeps_alive(head, buffer);
    return true;
}

/* --- Responses ----------------------------------------------------------------------------------
 */

bool http_has_body(unsigned status, enum http_method method)
{
    return method != HTTP_HEAD && status >= 200 && status != 204 && status != 304 &&
           !(method == HTTP_CONNECT && status < 300);
}

bool http_tells_length(unsigned status)
{
    return status >= 200 && status != 204 && status != HTTP_RESET_CONTENT;
}

bool http_response_message(const struct http_head *head, struct bytes buffer,
                           enum http_method method, struct http_message *ret)
{
    *ret = (struct http_message){.framing = HTTP_NO_BODY};
    if (head->status == 101)
        return bad(ret, HTTP_FAULT_UPGRADE);
    struct framing framing = framing_of(head, buffer);
    if (framing.fault)
        return bad(ret, framing.fault);
    set_length(ret, &framing);
    ret->keep_alive = http_keeps_alive(head, buffer);
    if (!http_has_body(head->status, method))
        return true;
    set_body(ret, &framing);
    if (!framing.chunked && !framing.lengths) {
        ret->framing = HTTP_CLOSE;
        ret->keep_alive = false;
    }
    return true;
}
