/* Words of HTTP that everything here shares: limits, faults, error codes, methods, status codes.
 * Sections in this folder are those of RFC 9110 (semantics) and RFC 9112 (HTTP/1.1). */
#ifndef CARREL_HTTP_HTTP_H
#define CARREL_HTTP_HTTP_H

#include "engine/base/bytes.h"

enum {
#define HTTP_LIMIT(name, number, what) HTTP_MAX_##name = number,
#include "engine/http/limits.def"
};

/* What is wrong with a message. */
enum http_fault {
#define FAULT(name, status, code, what) HTTP_FAULT_##name,
#include "engine/http/fault.def"
    HTTP_FAULTS
};

/* wasi:http/types.error-code, in its order. */
enum http_error {
#define ERROR_CODE(name, payload) HTTP_ERROR_##name,
#include "engine/http/error_code.def"
    HTTP_ERRORS
};

/* wasi:http/types.method, in its order. */
enum http_method {
#define METHOD(name, text) HTTP_##name,
#include "engine/http/method.def"
    HTTP_OTHER_METHOD
};

/* The status that a server answers a request which has the fault; the error that a client tells of
 * a response which has it; and a sentence about it. Never NULL. */
unsigned http_fault_status(enum http_fault fault);
enum http_error http_fault_error(enum http_fault fault);
const char *http_fault_text(enum http_fault fault);

/* The error that is told of trailers which have it: a request's, or a response's. */
enum http_error http_trailer_error(enum http_fault fault, bool of_request);

/* The method of this name, which is case-sensitive. */
enum http_method http_method_of(struct str name);

/* Its name; empty for HTTP_OTHER_METHOD. */
struct str http_method_name(enum http_method method);

/* The reason phrase; empty for a status that none is registered for. */
struct str http_status_reason(unsigned status);

#endif
