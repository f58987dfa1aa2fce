/* Names of error codes; and wasi:http/types.http-error-code. */
#include "engine/wasi/http_failure.h"

#include "engine/base/attr.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

static const char *const names[] = {
#define ERROR_CODE(name, payload) #name,
#include "engine/http/error_code.def"
};

struct str http_failure_text(const struct http_failure *failure)
{
    return str_of(failure->code < countof(names) ? names[failure->code] : "");
}

enum host_answer wasi_http_error_code(struct host_call *call, const void *args, void *result)
{
    const struct io_error *const *error = args;
    HOST_OPTION(struct http_failure) *code = result;
    (void)call;
    code->some = (*error)->http;
    if (code->some)
        code->of = (*error)->code;
    return HOST_DONE;
}
