/* Trace context (W3C Trace Context, level 1): what a request that comes in says of the trace that
 * it belongs to goes on with the requests that are sent for it, unless the guest says something
 * itself. Nothing is begun or changed here: whoever wants a span of its own makes it in the guest.
 */
#ifndef CARREL_WASI_HTTP_TRACE_H
#define CARREL_WASI_HTTP_TRACE_H

#include "engine/http/write.h"
#include "engine/wasi/http.h"

/* Notes what the head of a request says, instead of what the one before said. A `traceparent` that
 * is none, or is there twice, is passed over, and `tracestate` with it. */
void http_trace_take(struct http_trace *trace, const struct http_head *head, struct bytes text);

/* Writes it into the head of a request whose fields are `headers`. */
void http_trace_write(const struct http_trace *trace, const struct fields *headers,
                      struct http_writer *writer);

#endif
