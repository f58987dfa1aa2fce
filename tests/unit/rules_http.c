/* The rows of wasi:http/types take no system call: everything in a message happens behind the
 * walls of a cell that has none but the three. See rules_fixture.h. */
#include "tests/unit/http_fixture.h"
#include "tests/unit/rules_fixture.h"

/* Rows that need rules: what sends a request asks the shim. */
static bool asks(const struct row_info *row)
{
    return strcmp(row->interface, "wasi:http/types") != 0;
}

static void rows_name_no_rule(void **state)
{
    size_t rows = 0;
    (void)state;
    for (int i = 0; i < ROW_COUNT; i++) {
        const struct row_info *row = &row_infos[i];
        if (!row->interface || strncmp(row->interface, "wasi:http/", 10) != 0 || asks(row))
            continue;
        assert_int_equal(row->rules, 0);
        rows++;
    }
    assert_true(rows >= 51); /* functions, and drops besides */
}

static uint64_t result[32];

static void *call(struct fixture *f, host_fn *fn, const void *args)
{
    void *made;
    memset(result, 0, sizeof result);
    CLAIM(fixture_call(f, fn, args, result) == HOST_DONE);
    memcpy(&made, result, sizeof made);
    return made;
}

static void *call_ok(struct fixture *f, host_fn *fn, const void *args)
{
    void *made;
    call(f, fn, args);
    CLAIM(*(uint8_t *)result == HOST_OK);
    memcpy(&made, result + 1, sizeof made);
    return made;
}

/* A request is read whole, and answered with what it said. */
static void echo(struct fixture *f)
{
    struct test_source *source = test_source_new(f->wasi, "body");
    struct test_exchange exchange = test_exchange_new();
    walls_up();
    struct incoming_request *request = test_request(f->wasi, TEST_REQUEST, source);
    CLAIM(request);
    void *headers = call(f, wasi_http_incoming_request_headers, &request);
    void *copy = call(f, wasi_http_fields_clone, &headers);
    wasi_drop_http_fields(f->vm, f->wasi, headers);
    void *in = call_ok(f, wasi_http_incoming_request_consume, &request);
    struct {
        void *self;
        uint64_t len;
    } read = {call_ok(f, wasi_http_incoming_body_stream, &in), 100};
    call(f, wasi_input_stream_read, &read);
    wasi_drop_input_stream(f->vm, f->wasi, read.self);
    void *future = call(f, wasi_http_incoming_body_finish, &in);
    call(f, wasi_http_future_trailers_get, &future);
    wasi_drop_http_future_trailers(f->vm, f->wasi, future);

    void *response = call(f, wasi_http_outgoing_response_new, &copy);
    void *out = call_ok(f, wasi_http_outgoing_response_body, &response);
    void *stream = call_ok(f, wasi_http_outgoing_body_write, &out);
    struct {
        struct response_outparam *self;
        HOST_RESULT(void *, struct http_failure) response;
    } set = {.self = response_outparam_new(f->wasi, &exchange.exchange)};
    set.response.ok = response;
    call(f, wasi_http_response_outparam_set, &set);
    static uint8_t text[] = "text";
    struct {
        void *self;
        byte_list contents;
    } write = {stream, {text, 4}};
    call(f, wasi_output_stream_blocking_write_and_flush, &write);
    wasi_drop_output_stream(f->vm, f->wasi, stream);
    struct {
        void *self;
        HOST_OPTION(void *) trailers;
    } finish = {.self = out};
    call(f, wasi_http_outgoing_body_finish, &finish);
    CLAIM(exchange.status == 200 && exchange.sink.finished && exchange.sink.len == 4);
}

static void three_calls_suffice(void **state)
{
    const struct scenario scenario = {ROW_http_fields_new, echo};
    (void)state;
    assert_int_equal(run(&scenario, RULES_BASE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_name_no_rule),
        cmocka_unit_test(three_calls_suffice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
