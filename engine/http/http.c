/* The tables of HTTP as functions; see http.h. */
#include "engine/http/http.h"

#include "engine/base/attr.h"

static const struct {
    uint16_t status;
    uint8_t error;
    const char *text;
} faults[HTTP_FAULTS] = {
#define FAULT(name, status, code, what) {status, HTTP_ERROR_##code, what},
#include "engine/http/fault.def"
};

static const struct str methods[] = {
#define METHOD(name, text) {text, sizeof text - 1},
#include "engine/http/method.def"
};

static const struct {
    uint16_t code;
    struct str reason;
} statuses[] = {
#define STATUS(code, phrase) {code, {phrase, sizeof phrase - 1}},
#include "engine/http/status.def"
};

unsigned http_fault_status(enum http_fault fault)
{
    return faults[fault].status;
}

enum http_error http_fault_error(enum http_fault fault)
{
    return faults[fault].error;
}

enum http_error http_trailer_error(enum http_fault fault, bool of_request)
{
    switch (fault) {
#define TRAILER_FAULT(name, request, response)                                                     \
    case HTTP_FAULT_##name: return of_request ? HTTP_ERROR_##request : HTTP_ERROR_##response;
#include "engine/http/fault.def"
    default: return faults[fault].error;
    }
}

const char *http_fault_text(enum http_fault fault)
{
    return faults[fault].text;
}

enum http_method http_method_of(struct str name)
{
    size_t i = 0;
    while (i < countof(methods) && !str_eq(methods[i], name))
        i++;
    return (enum http_method)i;
}

struct str http_method_name(enum http_method method)
{
    return method < HTTP_OTHER_METHOD ? methods[method] : (struct str){"", 0};
}

struct str http_status_reason(unsigned status)
{
    for (size_t i = 0; i < countof(statuses); i++)
        if (statuses[i].code == status)
            return statuses[i].reason;
    return (struct str){"", 0};
}
