/* Of wasi:http what the server's objects name, for fuzzers in which no guest is: nothing comes
 * here. */
#include "engine/serve/conn.h"

#include <stdlib.h>

void *wasi_resource(struct wasi *wasi, size_t size)
{
    (void)wasi, (void)size;
    abort();
}

void wasi_resource_end(struct wasi *wasi, void *resource)
{
    (void)wasi, (void)resource;
    abort();
}

struct fields *fields_new(struct wasi *wasi)
{
    (void)wasi;
    abort();
}

void fields_release(struct wasi *wasi, struct fields *fields)
{
    (void)wasi, (void)fields;
    abort();
}

bool fields_add_read(struct wasi *wasi, struct fields *fields, const struct http_field *read,
                     uint32_t count, struct bytes text)
{
    (void)wasi, (void)fields, (void)read, (void)count, (void)text;
    abort();
}

uint64_t fields_length(const struct fields *fields)
{
    (void)fields;
    abort();
}

void outgoing_message_send(struct wasi *wasi, struct outgoing_message *message,
                           struct http_sink *sink)
{
    (void)wasi, (void)message, (void)sink;
    abort();
}
