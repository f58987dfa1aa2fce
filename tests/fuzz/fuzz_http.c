/* libFuzzer on the HTTP parsers: a connection's bytes are read as messages, one after another, in
 * pieces whose sizes the input decides. Read in one piece they must mean the same. */
#include "engine/http/body.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood of the connection, as a number. */
struct digest {
    uint64_t value;
};

static void add(struct digest *digest, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        digest->value = (digest->value ^ bytes[i]) * 0x100000001b3;
}

static void add_number(struct digest *digest, uint64_t number)
{
    add(digest, &number, sizeof number);
}

struct connection {
    struct bytes in;
    size_t at;  /* of the message or body at hand */
    size_t end; /* bytes that arrived */
    size_t step;
    enum http_kind kind;
    struct digest digest;
};

static bool arrive(struct connection *c)
{
    if (c->end == c->in.len)
        return false;
    size_t left = c->in.len - c->end;
    c->end += c->step < left ? c->step : left;
    return true;
}

static struct bytes here(const struct connection *c)
{
    return (struct bytes){c->in.at + c->at, c->end - c->at};
}

static bool read_head(struct connection *c, enum http_kind kind, struct http_head *head)
{
    static struct http_field fields[HTTP_MAX_FIELDS];
    enum http_progress progress;
    *head = http_head_new(kind, fields, HTTP_MAX_FIELDS, HTTP_MAX_HEAD);
    while ((progress = http_head_read(head, here(c))) == HTTP_MORE)
        if (!arrive(c))
            return false;
    add_number(&c->digest, head->fault);
    if (progress == HTTP_BAD && !head->fault)
        abort();
    if (progress == HTTP_BAD)
        return false;
    if (head->size > here(c).len)
        abort();
    for (uint32_t i = 0; i < head->nfields; i++) {
        struct str name = http_name(here(c), &fields[i]);
        struct str value = http_text(here(c), fields[i].value);
        if (!http_is_token(name) || !http_is_value(value))
            abort();
        add(&c->digest, name.at, name.len);
        add(&c->digest, value.at, value.len);
    }
    return true;
}

static bool read_body(struct connection *c, const struct http_message *message)
{
    struct http_body body = http_body_new(message);
    for (;;) {
        struct bytes found;
        size_t used;
        enum http_body_progress progress = http_body_read(&body, here(c), 13, &used, &found);
        if (used > here(c).len || found.len > 13)
            abort();
        c->at += used;
        add(&c->digest, found.at, found.len);
        if (progress == HTTP_BODY_DATA)
            continue;
        if (progress == HTTP_BODY_MORE && arrive(c))
            continue;
        if (progress == HTTP_BODY_MORE)
            progress = http_body_cut(&body);
        add_number(&c->digest, progress);
        add_number(&c->digest, body.fault);
        if (progress != HTTP_BODY_TRAILERS)
            return progress == HTTP_BODY_END;
        struct http_head trailers;
        if (!read_head(c, HTTP_TRAILERS, &trailers))
            return false;
        c->at += trailers.size;
        return true;
    }
}

static uint64_t read_connection(struct bytes in, enum http_kind kind, size_t step)
{
    struct connection c = {.in = in, .step = step, .kind = kind, .digest = {14695981039346656037u}};
    struct http_head head;
    struct http_message message;
    while (read_head(&c, kind, &head)) {
        bool means = kind == HTTP_REQUEST
                         ? http_request_message(&head, here(&c), &message)
                         : http_response_message(&head, here(&c), HTTP_GET, &message);
        add_number(&c.digest, means ? message.framing : message.fault);
        if (!means)
            break;
        c.at += head.size;
        if (!read_body(&c, &message) || !message.keep_alive)
            break;
    }
    return c.digest.value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum http_kind kind = data[0] & 1 ? HTTP_REQUEST : HTTP_RESPONSE;
    struct bytes in = {data + 2, size - 2};
    if (read_connection(in, kind, data[1] ? data[1] : 1) != read_connection(in, kind, SIZE_MAX / 2))
        abort();
    return 0;
}
