/* wasi:http/types.error-code in host layout (engine/component/host.h). */
#ifndef CARREL_WASI_HTTP_FAILURE_H
#define CARREL_WASI_HTTP_FAILURE_H

#include "engine/component/host.h"
#include "engine/http/http.h"

typedef HOST_OPTION(struct str) option_str;

/* field-size-payload */
struct http_field_size {
    option_str name;
    HOST_OPTION(uint32_t) size;
};

/* DNS-error-payload */
struct http_dns_error {
    option_str rcode;
    HOST_OPTION(uint16_t) info_code;
};

/* TLS-alert-received-payload */
struct http_alert {
    HOST_OPTION(uint8_t) id;
    option_str message;
};

struct http_failure {
    uint8_t code; /* enum http_error */
    union {
        struct http_dns_error dns;
        struct http_alert alert;
        HOST_OPTION(uint64_t) size;                      /* of a body */
        HOST_OPTION(uint32_t) section;                   /* size of a header or trailer section */
        HOST_OPTION(struct http_field_size) maybe_field; /* HTTP-request-header-size */
        struct http_field_size field;
        option_str text;
    } of;
};

/* The case without what it could tell besides. */
static inline struct http_failure http_failure_of(enum http_error code)
{
    return (struct http_failure){.code = (uint8_t)code};
}

/* Its name in capitals, as in engine/http/error_code.def. */
struct str http_failure_text(const struct http_failure *failure);

#endif
