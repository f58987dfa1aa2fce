/* wasi:http/types: what the WIT text says of fields, messages, bodies, trailers and answers. */
#include "engine/wasi/http_client.h"
#include "tests/unit/http_fixture.h"
#include "tests/unit/wasi_fixture.h"

#include <errno.h>

enum { INVALID_SYNTAX, FORBIDDEN, IMMUTABLE, FINE };

struct append_args {
    struct fields *self;
    struct str name;
    struct str value;
};

/* What header-error, or FINE. */
static int append(struct fixture *f, struct fields *fields, const char *name, const char *value)
{
    struct append_args args = {fields, str_of(name), str_of(value)};
    struct code_result result;
    DO(f, wasi_http_fields_append, &args, &result);
    return result.tag == HOST_OK ? FINE : result.err;
}

static struct fields *new_fields(struct fixture *f)
{
    struct fields *fields;
    DO(f, wasi_http_fields_new, NULL, &fields);
    return fields;
}

static void drop_fields(struct fixture *f, struct fields *fields)
{
    wasi_drop_http_fields(f->vm, f->wasi, fields);
}

struct name_args {
    struct fields *self;
    struct str name;
};
typedef HOST_LIST(struct str) str_list;

static str_list get(struct fixture *f, struct fields *fields, const char *name)
{
    struct name_args args = {fields, str_of(name)};
    str_list list;
    DO(f, wasi_http_fields_get, &args, &list);
    return list;
}

static struct fixture fixture;

static int setup(void **state)
{
    fixture_open(&fixture, fixture_config(), NULL);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void fields_keep_case_and_order(void **state)
{
    struct fixture *f = *state;
    size_t before = f->wasi->resources;
    struct fields *fields = new_fields(f);
    HOST_LIST(struct fields_entry) entries;
    assert_int_equal(append(f, fields, "X-One", "1"), FINE);
    assert_int_equal(append(f, fields, "other", ""), FINE);
    assert_int_equal(append(f, fields, "x-one", "2"), FINE);
    str_list list = get(f, fields, "x-ONE");
    assert_int_equal(list.len, 2);
    assert_true(str_is(list.at[0], "1") && str_is(list.at[1], "2"));
    assert_int_equal(get(f, fields, "other").len, 1);
    assert_int_equal(get(f, fields, "no such").len, 0);
    DO(f, wasi_http_fields_entries, &fields, &entries);
    assert_int_equal(entries.len, 3);
    assert_true(str_is(entries.at[0].name, "X-One") && str_is(entries.at[2].name, "x-one"));
    struct name_args args = {fields, str_of("X-one")};
    struct code_result result;
    bool has;
    DO(f, wasi_http_fields_has, &args, &has);
    assert_true(has);
    DO(f, wasi_http_fields_delete, &args, &result);
    assert_int_equal(result.tag, HOST_OK);
    DO(f, wasi_http_fields_has, &args, &has);
    assert_false(has);
    drop_fields(f, fields);
    assert_int_equal(f->wasi->resources, before);
}

static void fields_refuse_what_breaks_a_message(void **state)
{
    struct fixture *f = *state;
    struct fields *fields = new_fields(f);
    assert_int_equal(append(f, fields, "x", "a\r\nInjected: 1"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "x", "a\nb"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "x y", "1"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "", "1"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "x:", "1"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "Transfer-Encoding", "chunked"), FORBIDDEN);
    assert_int_equal(append(f, fields, "connection", "close"), FORBIDDEN);
    assert_int_equal(append(f, fields, "Host", "example.com"), FORBIDDEN);
    assert_int_equal(append(f, fields, "content-length", "+5"), INVALID_SYNTAX);
    assert_int_equal(append(f, fields, "content-length", "5"), FINE);
    assert_int_equal(append(f, fields, "Content-Length", "6"), INVALID_SYNTAX);
    drop_fields(f, fields);
}

static void fields_from_list_and_set(void **state)
{
    struct fixture *f = *state;
    struct fields_entry pairs[] = {{str_of("a"), str_of("1")}, {str_of("upgrade"), str_of("x")}};
    HOST_LIST(struct fields_entry) list = {pairs, 2};
    handle_or_code made;
    DO(f, wasi_http_fields_from_list, &list, &made);
    assert_int_equal(made.tag, HOST_ERR);
    assert_int_equal(made.err, FORBIDDEN);
    list.len = 1;
    DO(f, wasi_http_fields_from_list, &list, &made);
    assert_int_equal(made.tag, HOST_OK);
    struct str values[] = {str_of("x"), str_of("y")};
    struct {
        void *self;
        struct str name;
        str_list values;
    } set = {made.ok, str_of("A"), {values, 2}};
    struct code_result result;
    DO(f, wasi_http_fields_set, &set, &result);
    assert_int_equal(result.tag, HOST_OK);
    assert_int_equal(get(f, made.ok, "a").len, 2);
    struct fields *fields = made.ok, *copy;
    fields->immutable = true;
    assert_int_equal(append(f, fields, "b", "1"), IMMUTABLE);
    DO(f, wasi_http_fields_set, &set, &result);
    assert_int_equal(result.err, IMMUTABLE);
    DO(f, wasi_http_fields_clone, &fields, &copy);
    assert_int_equal(append(f, copy, "b", "1"), FINE);
    drop_fields(f, copy);
    drop_fields(f, fields);
}

static void fields_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct fields *fields = new_fields(f);
    struct append_args args = {fields, str_of("x"), str_of("1")};
    struct code_result result;
    for (int i = 0; i < WASI_FIELDS; i++)
        DO(f, wasi_http_fields_append, &args, &result);
    assert_int_equal(fixture_call(f, wasi_http_fields_append, &args, &result), HOST_TRAP);
    drop_fields(f, fields);
}

/* --- What comes in ------------------------------------------------------------------------------
 */

struct read_args {
    void *self;
    uint64_t len;
};

static void a_request_comes_in(void **state)
{
    struct fixture *f = *state;
    size_t before = f->wasi->resources;
    struct test_source *source = test_source_new(f->wasi, "body");
    source->trails = true;
    struct incoming_request *request = test_request(f->wasi, TEST_REQUEST, source);
    assert_non_null(request);
    struct {
        uint8_t tag;
        struct str other;
    } method;
    option_str text;
    DO(f, wasi_http_incoming_request_method, &request, &method);
    assert_int_equal(method.tag, HTTP_POST);
    DO(f, wasi_http_incoming_request_path_with_query, &request, &text);
    assert_true(text.some && str_is(text.of, "/a?b=c"));
    DO(f, wasi_http_incoming_request_authority, &request, &text);
    assert_true(text.some && str_is(text.of, "example.com"));
    struct fields *headers;
    DO(f, wasi_http_incoming_request_headers, &request, &headers);
    assert_int_equal(headers->count, 2); /* without what is the connection's */
    assert_int_equal(append(f, headers, "b", "1"), IMMUTABLE);
    drop_fields(f, headers);

    handle_or_code body, stream;
    DO(f, wasi_http_incoming_request_consume, &request, &body);
    assert_int_equal(body.tag, HOST_OK);
    DO(f, wasi_http_incoming_request_consume, &request, &stream);
    assert_int_equal(stream.tag, HOST_ERR);
    wasi_drop_http_incoming_request(f->vm, f->wasi, request);
    DO(f, wasi_http_incoming_body_stream, &body.ok, &stream);
    assert_int_equal(stream.tag, HOST_OK);
    bytes_or_error got;
    struct read_args args = {stream.ok, 100};
    source->stuck = true;
    DO(f, wasi_input_stream_read, &args, &got);
    assert_true(got.tag == HOST_OK && got.ok.len == 0);
    source->stuck = false;
    DO(f, wasi_input_stream_read, &args, &got);
    assert_true(got.tag == HOST_OK && got.ok.len == 4 && memcmp(got.ok.at, "body", 4) == 0);
    DO(f, wasi_input_stream_read, &args, &got);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_CLOSED);
    wasi_drop_input_stream(f->vm, f->wasi, stream.ok);
    void *future;
    DO(f, wasi_http_incoming_body_finish, &body.ok, &future);
    HOST_OPTION(
        HOST_RESULT(HOST_RESULT(HOST_OPTION(struct fields *), struct http_failure), uint8_t))
    trailers;
    DO(f, wasi_http_future_trailers_get, &future, &trailers);
    assert_true(trailers.some && trailers.of.tag == HOST_OK && trailers.of.ok.tag == HOST_OK);
    assert_true(trailers.of.ok.ok.some);
    assert_true(trailers.of.ok.ok.of->immutable);
    drop_fields(f, trailers.of.ok.ok.of);
    DO(f, wasi_http_future_trailers_get, &future, &trailers);
    assert_true(trailers.some && trailers.of.tag == HOST_ERR);
    wasi_drop_http_future_trailers(f->vm, f->wasi, future);
    assert_int_equal(f->wasi->resources, before);
}

static void a_body_that_breaks_off_tells_why(void **state)
{
    struct fixture *f = *state;
    struct test_source *source = test_source_new(f->wasi, "");
    source->error = -ECONNRESET;
    struct incoming_request *request = test_request(f->wasi, TEST_REQUEST, source);
    handle_or_code body, stream;
    bytes_or_error got;
    DO(f, wasi_http_incoming_request_consume, &request, &body);
    DO(f, wasi_http_incoming_body_stream, &body.ok, &stream);
    struct read_args args = {stream.ok, 100};
    DO(f, wasi_input_stream_blocking_read, &args, &got);
    assert_true(got.tag == HOST_ERR && got.err.tag == STREAM_FAILED);
    HOST_OPTION(struct http_failure) code;
    DO(f, wasi_http_error_code, &got.err.error, &code);
    assert_true(code.some && code.of.code == HTTP_ERROR_CONNECTION_TERMINATED);
    struct str text;
    DO(f, wasi_error_to_debug_string, &got.err.error, &text);
    assert_true(str_is(text, "CONNECTION_TERMINATED"));
    wasi_drop_io_error(f->vm, f->wasi, got.err.error);
    /* The stream is still there. */
    void *future;
    assert_int_equal(fixture_call(f, wasi_http_incoming_body_finish, &body.ok, &future), HOST_TRAP);
    wasi_drop_input_stream(f->vm, f->wasi, stream.ok);
    wasi_drop_http_incoming_request(f->vm, f->wasi, request);
}

/* --- What goes out ------------------------------------------------------------------------------
 */

struct response {
    struct outgoing_response *response;
    void *body;
    void *stream;
};

static struct response respond(struct fixture *f, const char *length)
{
    struct response made;
    handle_or_code handle;
    struct fields *headers = new_fields(f);
    if (length)
        assert_int_equal(append(f, headers, "content-length", length), FINE);
    DO(f, wasi_http_outgoing_response_new, &headers, &made.response);
    DO(f, wasi_http_outgoing_response_body, &made.response, &handle);
    assert_int_equal(handle.tag, HOST_OK);
    made.body = handle.ok;
    DO(f, wasi_http_outgoing_response_body, &made.response, &handle);
    assert_int_equal(handle.tag, HOST_ERR);
    DO(f, wasi_http_outgoing_body_write, &made.body, &handle);
    assert_int_equal(handle.tag, HOST_OK);
    made.stream = handle.ok;
    DO(f, wasi_http_outgoing_body_write, &made.body, &handle);
    assert_int_equal(handle.tag, HOST_ERR);
    return made;
}

static bool put(struct fixture *f, void *stream, const char *text)
{
    struct {
        void *self;
        byte_list contents;
    } args = {stream, {(uint8_t *)(uintptr_t)text, strlen(text)}};
    struct unit_or_error result;
    DO(f, wasi_output_stream_blocking_write_and_flush, &args, &result);
    return result.tag == HOST_OK;
}

struct finish_args {
    void *self;
    HOST_OPTION(struct fields *) trailers;
};
struct finish_result {
    uint8_t tag;
    struct http_failure err;
};

static struct finish_result finish(struct fixture *f, struct response *response,
                                   struct fields *trailers)
{
    struct finish_args args = {response->body, {trailers != NULL, trailers}};
    struct finish_result result;
    wasi_drop_output_stream(f->vm, f->wasi, response->stream);
    DO(f, wasi_http_outgoing_body_finish, &args, &result);
    return result;
}

static void set(struct fixture *f, struct test_exchange *exchange, struct response *response)
{
    struct {
        struct response_outparam *self;
        HOST_RESULT(struct outgoing_response *, struct http_failure) response;
    } args = {.self = response_outparam_new(f->wasi, &exchange->exchange)};
    uint8_t nothing;
    args.response.ok = response->response;
    DO(f, wasi_http_response_outparam_set, &args, &nothing);
}

static void a_response_goes_out(void **state)
{
    struct fixture *f = *state;
    size_t before = f->wasi->resources;
    struct test_exchange exchange = test_exchange_new();
    struct response response = respond(f, NULL);
    uint8_t code;
    struct {
        void *self;
        uint16_t status;
    } status = {response.response, 199};
    DO(f, wasi_http_outgoing_response_set_status_code, &status, &code);
    assert_int_equal(code, HOST_ERR);
    status.status = 201;
    DO(f, wasi_http_outgoing_response_set_status_code, &status, &code);
    assert_int_equal(code, HOST_OK);
    assert_true(put(f, response.stream, "ahead "));
    set(f, &exchange, &response);
    assert_int_equal(exchange.status, 201);
    assert_true(put(f, response.stream, "after"));
    struct fields *trailers = new_fields(f);
    assert_int_equal(append(f, trailers, "x-sum", "42"), FINE);
    assert_int_equal(finish(f, &response, trailers).tag, HOST_OK);
    assert_true(exchange.sink.finished && !exchange.sink.aborted && exchange.sink.released);
    assert_int_equal(exchange.sink.trailers, 1);
    assert_memory_equal(exchange.sink.got, "ahead after", 11);
    assert_int_equal(f->wasi->resources, before);
}

static void a_response_keeps_its_word(void **state)
{
    struct fixture *f = *state;
    struct test_exchange exchange = test_exchange_new();
    struct response response = respond(f, "10");
    set(f, &exchange, &response);
    assert_true(put(f, response.stream, "12345"));
    struct finish_result result = finish(f, &response, NULL);
    assert_true(result.tag == HOST_ERR);
    assert_int_equal(result.err.code, HTTP_ERROR_HTTP_RESPONSE_BODY_SIZE);
    assert_int_equal(result.err.of.size.of, 5);
    assert_true(exchange.sink.aborted && !exchange.sink.finished);

    exchange = test_exchange_new();
    response = respond(f, "3");
    set(f, &exchange, &response);
    assert_false(put(f, response.stream, "12345"));
    assert_true(finish(f, &response, NULL).tag == HOST_ERR);
}

static void a_body_that_is_dropped_is_spoilt(void **state)
{
    struct fixture *f = *state;
    size_t before = f->wasi->resources;
    struct test_exchange exchange = test_exchange_new();
    struct response response = respond(f, NULL);
    wasi_drop_output_stream(f->vm, f->wasi, response.stream);
    wasi_drop_http_outgoing_body(f->vm, f->wasi, response.body);
    set(f, &exchange, &response);
    assert_true(exchange.sink.aborted);
    assert_int_equal(f->wasi->resources, before);
    /* Finishing it while its stream is there. */
    response = respond(f, NULL);
    struct finish_args args = {response.body, {0}};
    struct finish_result result;
    assert_int_equal(fixture_call(f, wasi_http_outgoing_body_finish, &args, &result), HOST_TRAP);
}

static void writing_ahead_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct response response = respond(f, NULL);
    count_or_error room;
    DO(f, wasi_output_stream_check_write, &response.stream, &room);
    assert_int_equal(room.ok, WASI_HTTP_AHEAD);
    struct read_args zeroes = {response.stream, WASI_HTTP_AHEAD};
    struct unit_or_error result;
    DO(f, wasi_output_stream_write_zeroes, &zeroes, &result);
    DO(f, wasi_output_stream_check_write, &response.stream, &room);
    assert_int_equal(room.ok, 0);
    uint64_t length;
    assert_false(outgoing_message_whole(&response.response->message, &length));
    assert_int_equal(finish(f, &response, NULL).tag, HOST_OK);
    assert_true(outgoing_message_whole(&response.response->message, &length));
    assert_int_equal(length, WASI_HTTP_AHEAD);
    wasi_drop_http_outgoing_response(f->vm, f->wasi, response.response);
}

static void no_answer_is_one_too(void **state)
{
    struct fixture *f = *state;
    struct test_exchange exchange = test_exchange_new();
    struct response_outparam *outparam = response_outparam_new(f->wasi, &exchange.exchange);
    struct {
        void *self;
        uint16_t status;
        struct fields *headers;
    } inform = {outparam, 103, new_fields(f)};
    struct finish_result result;
    DO(f, wasi_http_response_outparam_send_informational, &inform, &result);
    assert_int_equal(result.tag, HOST_OK);
    assert_int_equal(exchange.informed, 103);
    inform.status = 101;
    inform.headers = new_fields(f);
    DO(f, wasi_http_response_outparam_send_informational, &inform, &result);
    assert_int_equal(result.err.code, HTTP_ERROR_HTTP_PROTOCOL_ERROR);
    wasi_drop_http_response_outparam(f->vm, f->wasi, outparam);
    assert_true(exchange.failed);
}

/* --- Requests that go out -----------------------------------------------------------------------
 */

struct text_args {
    void *self;
    option_str text;
};

static bool set_text(struct fixture *f, host_fn *fn, void *request, const char *text)
{
    struct text_args args = {request, {text != NULL, text ? str_of(text) : (struct str){0}}};
    uint8_t code;
    DO(f, fn, &args, &code);
    return code == HOST_OK;
}

static void a_request_is_checked(void **state)
{
    struct fixture *f = *state;
    size_t before = f->wasi->resources;
    struct fields *headers = new_fields(f);
    void *request;
    option_str text;
    DO(f, wasi_http_outgoing_request_new, &headers, &request);
    assert_true(set_text(f, wasi_http_outgoing_request_set_path_with_query, request, "/a?b"));
    assert_false(set_text(f, wasi_http_outgoing_request_set_path_with_query, request, "/a b"));
    assert_false(set_text(f, wasi_http_outgoing_request_set_path_with_query, request, "/\r\nx:y"));
    DO(f, wasi_http_outgoing_request_path_with_query, &request, &text);
    assert_true(text.some && str_is(text.of, "/a?b"));
    assert_true(set_text(f, wasi_http_outgoing_request_set_path_with_query, request, NULL));
    DO(f, wasi_http_outgoing_request_path_with_query, &request, &text);
    assert_false(text.some);
    assert_true(set_text(f, wasi_http_outgoing_request_set_authority, request, "[::1]:80"));
    assert_false(set_text(f, wasi_http_outgoing_request_set_authority, request, "a b"));
    assert_false(set_text(f, wasi_http_outgoing_request_set_authority, request, "u@host"));
    struct {
        void *self;
        uint8_t tag;
        struct str other;
    } method = {request, HTTP_OTHER_METHOD, str_of("BAD METHOD")};
    uint8_t code;
    struct {
        uint8_t tag;
        struct str other;
    } got;
    DO(f, wasi_http_outgoing_request_set_method, &method, &code);
    assert_int_equal(code, HOST_ERR);
    method.other = str_of("PURGE");
    DO(f, wasi_http_outgoing_request_set_method, &method, &code);
    assert_int_equal(code, HOST_OK);
    DO(f, wasi_http_outgoing_request_method, &request, &got);
    assert_true(got.tag == HTTP_OTHER_METHOD && str_is(got.other, "PURGE"));
    DO(f, wasi_http_outgoing_request_headers, &request, &headers);
    assert_int_equal(append(f, headers, "b", "1"), IMMUTABLE);
    drop_fields(f, headers);
    wasi_drop_http_outgoing_request(f->vm, f->wasi, request);
    assert_int_equal(f->wasi->resources, before);
}

static void a_response_to_come(void **state)
{
    struct fixture *f = *state;
    struct test_future future = test_future_new();
    void *self = &future.future, *pollable;
    bool ready;
    HOST_OPTION(HOST_RESULT(HOST_RESULT(void *, struct http_failure), uint8_t)) answer;
    DO(f, wasi_http_future_incoming_response_subscribe, &self, &pollable);
    DO(f, wasi_pollable_ready, &pollable, &ready);
    assert_false(ready);
    DO(f, wasi_http_future_incoming_response_get, &self, &answer);
    assert_false(answer.some);
    future.arrived = true;
    DO(f, wasi_pollable_ready, &pollable, &ready);
    assert_true(ready);
    wasi_drop_pollable(f->vm, f->wasi, pollable);
    assert_int_equal(future.future.refs, 1);
    DO(f, wasi_http_future_incoming_response_get, &self, &answer);
    assert_true(answer.some && answer.of.tag == HOST_OK && answer.of.ok.tag == HOST_ERR);
    assert_int_equal(answer.of.ok.err.code, HTTP_ERROR_CONNECTION_REFUSED);
    DO(f, wasi_http_future_incoming_response_get, &self, &answer);
    assert_true(answer.some && answer.of.tag == HOST_ERR);
}

/* What ends a connection that was there has names of its own. */
static void how_reading_ends(void **state)
{
    static const struct {
        int64_t error;
        bool heard;
        enum http_error told;
    } rows[] = {
        {-ETIMEDOUT, false, HTTP_ERROR_CONNECTION_READ_TIMEOUT},
        {-ETIMEDOUT, true, HTTP_ERROR_CONNECTION_READ_TIMEOUT},
        {-ECONNRESET, false, HTTP_ERROR_CONNECTION_TERMINATED},
        {-ECONNRESET, true, HTTP_ERROR_HTTP_RESPONSE_INCOMPLETE},
        {0, false, HTTP_ERROR_CONNECTION_TERMINATED},
        {0, true, HTTP_ERROR_HTTP_RESPONSE_INCOMPLETE},
        {-EHOSTUNREACH, true, HTTP_ERROR_DESTINATION_IP_UNROUTABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_client client = {
            .phase = CLIENT_AWAITING, .pipe = -1, .wire = {.fd = -1}, .heard = rows[i].heard};
        client_fail_read(&client, rows[i].error);
        assert_int_equal(client.phase, CLIENT_FAILED);
        assert_int_equal(client.failure.code, rows[i].told);
        assert_int_equal(client.source.failure.code, rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields_keep_case_and_order, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_refuse_what_breaks_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_from_list_and_set, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_comes_in, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_breaks_off_tells_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_response_goes_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_response_keeps_its_word, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_is_dropped_is_spoilt, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_ahead_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(no_answer_is_one_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_is_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_response_to_come, setup, teardown),
        cmocka_unit_test(how_reading_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
