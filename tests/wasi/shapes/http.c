/* What the WIT text of wasi:http/types says about each function that needs neither client nor
 * server: fields, outgoing requests and responses, their bodies, and times. What others answer is
 * in tests/http/answer.c, what comes in tests/http/request.c and tests/unit/wasi_http.c. */
#include "rows.h"

enum { INVALID_SYNTAX, FORBIDDEN, IMMUTABLE, FINE }; /* header-error, and none */
enum { GET, POST = 2, OTHER = 9 };                   /* method */
enum { HTTP, HTTPS, OTHER_SCHEME };
enum { REQUEST_DENIED = 15, RESPONSE_BODY_SIZE = 28 }; /* error-code */

struct text {
    const char *at;
    u32 len;
};
#define LITERAL(s) ((struct text){s, sizeof(s) - 1})
#define NUMBERS(s) (int)(unsigned long)(s).at, (int)(s).len

static int same(struct text a, struct text b)
{
    u32 i = 0;
    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i == a.len && i == b.len;
}

static int header_error(void)
{
    return TAG ? AT(1)[0] : FINE;
}

static int append(int fields, struct text name, struct text value)
{
    w_http_fields_append(fields, NUMBERS(name), NUMBERS(value), R);
    return header_error();
}

static int set(int fields, struct text name, const struct text *values, u32 count)
{
    w_http_fields_set(fields, NUMBERS(name), (int)(unsigned long)values, (int)count, R);
    return header_error();
}

static int delete(int fields, struct text name)
{
    w_http_fields_delete(fields, NUMBERS(name), R);
    return header_error();
}

/* How many values there are; what they are, in the results. */
static u32 values(int fields, struct text name)
{
    w_http_fields_get(fields, NUMBERS(name), R);
    return U32(4);
}

static struct text value(u32 number)
{
    return ((const struct text *)(unsigned long)U32(0))[number];
}

static int has(int fields, struct text name)
{
    return w_http_fields_has(fields, NUMBERS(name));
}

static int from_list(const struct text *pairs, u32 count)
{
    w_http_fields_from_list((int)(unsigned long)pairs, (int)count, R);
    return TAG ? -1 - AT(4)[0] : (int)U32(4);
}

/* Are these the names and values, in this order? */
static int entries_are(int fields, const struct text *pairs, u32 count)
{
    w_http_fields_entries(fields, R);
    const struct text *at = (const struct text *)(unsigned long)U32(0);
    int are = U32(4) == count;
    for (u32 i = 0; are && i < 2 * count; i++)
        are = same(at[i], pairs[i]);
    return are;
}

/* --- Fields -------------------------------------------------------------------------------------
 */

ROW(http_fields, "", "0")
{
    int fields = w_http_fields_new();
    MUST(entries_are(fields, 0, 0));
    MUST(append(fields, LITERAL("X-One"), LITERAL("1")) == FINE);
    MUST(append(fields, LITERAL("empty"), LITERAL("")) == FINE);
    MUST(append(fields, LITERAL("x-one"), LITERAL("\xff")) == FINE); /* bytes, not text */
    MUST(values(fields, LITERAL("X-ONE")) == 2 && same(value(0), LITERAL("1")) &&
         same(value(1), LITERAL("\xff")));
    MUST(values(fields, LITERAL("empty")) == 1 && value(0).len == 0);
    MUST(values(fields, LITERAL("absent")) == 0);
    MUST(values(fields, LITERAL("in valid")) == 0);
    MUST(has(fields, LITERAL("EMPTY")) && !has(fields, LITERAL("absent")));
    MUST(!has(fields, LITERAL("in valid")) && !has(fields, LITERAL("")));
    const struct text all[] = {LITERAL("X-One"), LITERAL("1"),     LITERAL("empty"),
                               LITERAL(""),      LITERAL("x-one"), LITERAL("\xff")};
    MUST(entries_are(fields, all, 3));
    return 0;
}

ROW(http_fields_set, "", "0")
{
    const struct text pairs[] = {LITERAL("a"), LITERAL("1"), LITERAL("b"),
                                 LITERAL("2"), LITERAL("A"), LITERAL("3")};
    const struct text two[] = {LITERAL("x"), LITERAL("y")};
    int fields = from_list(pairs, 3);
    MUST(fields > 0 && entries_are(fields, pairs, 3));
    MUST(set(fields, LITERAL("A"), two, 2) == FINE); /* in place of both */
    MUST(values(fields, LITERAL("a")) == 2 && same(value(0), two[0]) && same(value(1), two[1]));
    MUST(values(fields, LITERAL("b")) == 1 && same(value(0), LITERAL("2")));
    MUST(set(fields, LITERAL("new"), two, 1) == FINE && values(fields, LITERAL("new")) == 1);
    MUST(set(fields, LITERAL("new"), 0, 0) == FINE && !has(fields, LITERAL("new")));
    MUST(delete (fields, LITERAL("B")) == FINE && !has(fields, LITERAL("b")));
    MUST(delete (fields, LITERAL("b")) == FINE); /* nothing is there to delete */
    MUST(values(fields, LITERAL("a")) == 2);
    return 0;
}

ROW(http_fields_invalid, "", "0")
{
    static const struct text names[] = {LITERAL(""), LITERAL("a b"), LITERAL("a:"), LITERAL("a\n"),
                                        LITERAL("\xc3\xa4")};
    static const struct text wrong[] = {LITERAL("a\nb"), LITERAL("a\rb"), LITERAL("\0")};
    static const struct text fine[] = {LITERAL("fine")};
    int fields = w_http_fields_new();
    for (u32 i = 0; i < sizeof names / sizeof *names; i++) {
        const struct text pair[] = {names[i], fine[0]};
        MUST(append(fields, names[i], fine[0]) == INVALID_SYNTAX);
        MUST(set(fields, names[i], fine, 1) == INVALID_SYNTAX);
        MUST(delete (fields, names[i]) == INVALID_SYNTAX);
        MUST(from_list(pair, 1) == -1 - INVALID_SYNTAX);
    }
    for (u32 i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct text both[] = {fine[0], wrong[i]}, pair[] = {LITERAL("a"), wrong[i]};
        MUST(append(fields, LITERAL("a"), wrong[i]) == INVALID_SYNTAX);
        MUST(set(fields, LITERAL("a"), both, 2) == INVALID_SYNTAX);
        MUST(from_list(pair, 1) == -1 - INVALID_SYNTAX);
    }
    static const struct text forbidden[] = {LITERAL("Connection"), LITERAL("transfer-encoding"),
                                            LITERAL("Keep-Alive"), LITERAL("upgrade"),
                                            LITERAL("Host"),       LITERAL("proxy-connection")};
    for (u32 i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        const struct text pair[] = {forbidden[i], fine[0]};
        MUST(append(fields, forbidden[i], fine[0]) == FORBIDDEN);
        MUST(set(fields, forbidden[i], fine, 1) == FORBIDDEN);
        MUST(from_list(pair, 1) == -1 - FORBIDDEN);
    }
    MUST(entries_are(fields, 0, 0)); /* what failed changed nothing */
    return 0;
}

ROW(http_fields_clone, "", "0")
{
    const struct text pairs[] = {LITERAL("A"), LITERAL("1")}, two[] = {LITERAL("x"), LITERAL("y")};
    int fields = from_list(pairs, 1), copy = w_http_fields_clone(fields);
    MUST(entries_are(copy, pairs, 1));
    MUST(set(copy, LITERAL("a"), two, 2) == FINE && values(fields, LITERAL("a")) == 1);
    MUST(delete (fields, LITERAL("a")) == FINE && values(copy, LITERAL("a")) == 2);
    w_drop_http_fields(fields);
    MUST(values(copy, LITERAL("a")) == 2);
    return 0;
}

/* Those of a message change no more; a copy of them does. */
static void immutable(int headers)
{
    const struct text other[] = {LITERAL("other")};
    MUST(values(headers, LITERAL("a")) == 1 && same(value(0), LITERAL("1")));
    MUST(append(headers, LITERAL("b"), other[0]) == IMMUTABLE);
    MUST(set(headers, LITERAL("a"), other, 1) == IMMUTABLE);
    MUST(delete (headers, LITERAL("a")) == IMMUTABLE);
    int copy = w_http_fields_clone(headers);
    MUST(append(copy, LITERAL("a"), other[0]) == FINE && values(copy, LITERAL("a")) == 2);
    MUST(values(headers, LITERAL("a")) == 1);
    w_drop_http_fields(copy);
    w_drop_http_fields(headers);
}

static int some_fields(void)
{
    const struct text pairs[] = {LITERAL("a"), LITERAL("1")};
    return from_list(pairs, 1);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

ROW(http_outgoing_request, "", "0")
{
    int request = w_http_outgoing_request_new(some_fields());
    w_http_outgoing_request_method(request, R);
    MUST(TAG == GET);
    w_http_outgoing_request_path_with_query(request, R);
    MUST(TAG == 0);
    w_http_outgoing_request_scheme(request, R);
    MUST(TAG == 0);
    w_http_outgoing_request_authority(request, R);
    MUST(TAG == 0);
    immutable(w_http_outgoing_request_headers(request));
    immutable(w_http_outgoing_request_headers(request)); /* as often as anybody likes */
    w_http_outgoing_request_body(request, R);
    MUST(TAG == 0);
    int body = (int)U32(4);
    w_http_outgoing_request_body(request, R);
    MUST(TAG == 1);
    w_http_outgoing_body_write(body, R);
    MUST(TAG == 0);
    int stream = (int)U32(4);
    w_http_outgoing_body_write(body, R);
    MUST(TAG == 1);
    w_drop_output_stream(stream);
    w_drop_http_outgoing_body(body);
    w_drop_http_outgoing_request(request);
    return 0;
}

ROW(http_method, "", "0")
{
    int request = w_http_outgoing_request_new(w_http_fields_new());
    MUST(w_http_outgoing_request_set_method(request, POST, 0, 0) == 0);
    w_http_outgoing_request_method(request, R);
    MUST(TAG == POST);
    MUST(w_http_outgoing_request_set_method(request, OTHER, TEXT("BREW")) == 0);
    static const struct text wrong[] = {LITERAL(""), LITERAL("A B"), LITERAL("A\r\n"),
                                        LITERAL("\xc3\xa4")};
    for (u32 i = 0; i < sizeof wrong / sizeof *wrong; i++)
        MUST(w_http_outgoing_request_set_method(request, OTHER, NUMBERS(wrong[i])) == 1);
    w_http_outgoing_request_method(request, R);
    MUST(TAG == OTHER &&
         same(*(struct text *)AT(4), LITERAL("BREW"))); /* what failed changed nothing */
    return 0;
}

ROW(http_path, "", "0")
{
    int request = w_http_outgoing_request_new(w_http_fields_new());
    MUST(w_http_outgoing_request_set_path_with_query(request, 1, TEXT("/a/%20?b=c&d")) == 0);
    static const struct text wrong[] = {LITERAL("/a b"), LITERAL("/a\r\nX: 1"), LITERAL("/a#b")};
    for (u32 i = 0; i < sizeof wrong / sizeof *wrong; i++)
        MUST(w_http_outgoing_request_set_path_with_query(request, 1, NUMBERS(wrong[i])) == 1);
    w_http_outgoing_request_path_with_query(request, R);
    MUST(TAG == 1 && same(*(struct text *)AT(4), LITERAL("/a/%20?b=c&d")));
    MUST(w_http_outgoing_request_set_path_with_query(request, 0, 0, 0) == 0);
    w_http_outgoing_request_path_with_query(request, R);
    MUST(TAG == 0);
    return 0;
}

ROW(http_scheme, "", "0")
{
    int request = w_http_outgoing_request_new(w_http_fields_new());
    MUST(w_http_outgoing_request_set_scheme(request, 1, HTTPS, 0, 0) == 0);
    w_http_outgoing_request_scheme(request, R);
    MUST(TAG == 1 && AT(4)[0] == HTTPS);
    MUST(w_http_outgoing_request_set_scheme(request, 1, OTHER_SCHEME, TEXT("coap+tcp")) == 0);
    static const struct text wrong[] = {LITERAL(""), LITERAL("1a"), LITERAL("a b"), LITERAL("a:")};
    for (u32 i = 0; i < sizeof wrong / sizeof *wrong; i++)
        MUST(w_http_outgoing_request_set_scheme(request, 1, OTHER_SCHEME, NUMBERS(wrong[i])) == 1);
    w_http_outgoing_request_scheme(request, R);
    MUST(TAG == 1 && AT(4)[0] == OTHER_SCHEME && same(*(struct text *)AT(8), LITERAL("coap+tcp")));
    MUST(w_http_outgoing_request_set_scheme(request, 0, 0, 0, 0) == 0);
    w_http_outgoing_request_scheme(request, R);
    MUST(TAG == 0);
    return 0;
}

ROW(http_authority, "", "0")
{
    int request = w_http_outgoing_request_new(w_http_fields_new());
    MUST(w_http_outgoing_request_set_authority(request, 1, TEXT("example.com")) == 0);
    MUST(w_http_outgoing_request_set_authority(request, 1, TEXT("[::1]:8080")) == 0);
    static const struct text wrong[] = {LITERAL("a b"), LITERAL("a/b"), LITERAL("a:port"),
                                        LITERAL("[::1"), LITERAL("a\r\nX: 1")};
    for (u32 i = 0; i < sizeof wrong / sizeof *wrong; i++)
        MUST(w_http_outgoing_request_set_authority(request, 1, NUMBERS(wrong[i])) == 1);
    w_http_outgoing_request_authority(request, R);
    MUST(TAG == 1 && same(*(struct text *)AT(4), LITERAL("[::1]:8080")));
    MUST(w_http_outgoing_request_set_authority(request, 0, 0, 0) == 0);
    w_http_outgoing_request_authority(request, R);
    MUST(TAG == 0);
    return 0;
}

/* Of each: none at first; then what was set, and none again. */
#define OPTION(name)                                                                               \
    do {                                                                                           \
        w_http_request_options_##name(options, R);                                                 \
        MUST(TAG == 0);                                                                            \
        MUST(w_http_request_options_set_##name(options, 1, 5000000000ull) == 0);                   \
        w_http_request_options_##name(options, R);                                                 \
        MUST(TAG == 1 && U64(8) == 5000000000ull);                                                 \
    } while (0)

ROW(http_options, "", "0")
{
    int options = w_http_request_options_new();
    OPTION(connect_timeout);
    OPTION(first_byte_timeout);
    OPTION(between_bytes_timeout);
    MUST(w_http_request_options_set_first_byte_timeout(options, 0, 0) == 0);
    w_http_request_options_first_byte_timeout(options, R);
    MUST(TAG == 0);
    w_http_request_options_connect_timeout(options, R);
    MUST(TAG == 1);
    w_drop_http_request_options(options);
    return 0;
}

/* Invalid ones can be made, and are refused by whoever is to send them: the error-code, at once or
 * by the future; or -1. */
static int refused(int with_scheme, int scheme, struct text other, struct text authority)
{
    int request = w_http_outgoing_request_new(w_http_fields_new());
    MUST(w_http_outgoing_request_set_scheme(request, with_scheme, scheme, NUMBERS(other)) == 0);
    MUST(w_http_outgoing_request_set_authority(request, authority.len > 0, NUMBERS(authority)) ==
         0);
    w_http_outgoing_handle(request, 0, 0, R);
    if (TAG)
        return AT(8)[0];
    int future = (int)U32(8);
    w_http_future_incoming_response_get(future, R);
    int failed = TAG == 1 && AT(8)[0] == 0 && AT(16)[0] == 1;
    return failed ? AT(24)[0] : -1;
}

ROW(http_request_refused, "http", "0")
{
    MUST(refused(1, HTTP, LITERAL(""), LITERAL("")) >= 0);
    MUST(refused(0, HTTP, LITERAL(""), LITERAL("")) >= 0);
    MUST(refused(1, OTHER_SCHEME, LITERAL("gopher"), LITERAL("127.0.0.1:1")) >= 0);
    return 0;
}

ROW(http_request_denied, "", "0")
{
    MUST(refused(1, HTTP, LITERAL(""), LITERAL("127.0.0.1:1")) == REQUEST_DENIED);
    return 0;
}

/* --- Responses ----------------------------------------------------------------------------------
 */

ROW(http_outgoing_response, "", "0")
{
    int response = w_http_outgoing_response_new(some_fields());
    MUST(w_http_outgoing_response_status_code(response) == 200);
    MUST(w_http_outgoing_response_set_status_code(response, 404) == 0);
    MUST(w_http_outgoing_response_set_status_code(response, 0) == 1);
    MUST(w_http_outgoing_response_set_status_code(response, 99) == 1);
    MUST(w_http_outgoing_response_set_status_code(response, 1000) == 1);
    MUST(w_http_outgoing_response_set_status_code(response, 65535) == 1);
    MUST(w_http_outgoing_response_status_code(response) == 404);
    immutable(w_http_outgoing_response_headers(response));
    w_http_outgoing_response_body(response, R);
    MUST(TAG == 0);
    w_drop_http_outgoing_body((int)U32(4));
    w_http_outgoing_response_body(response, R);
    MUST(TAG == 1);
    w_drop_http_outgoing_response(response);
    return 0;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

static int body_of_length(struct text length)
{
    const struct text pairs[] = {LITERAL("Content-Length"), length};
    int response = w_http_outgoing_response_new(from_list(pairs, 1));
    w_http_outgoing_response_body(response, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

static int stream_of(int body)
{
    w_http_outgoing_body_write(body, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

static int write_some(int stream, struct text text)
{
    w_output_stream_check_write(stream, R);
    MUST(TAG == 0 && U64(8) >= text.len);
    w_output_stream_write(stream, NUMBERS(text), R);
    return TAG;
}

ROW(http_length_kept, "", "0")
{
    int body = body_of_length(LITERAL("5")), stream = stream_of(body);
    MUST(write_some(stream, LITERAL("abc")) == 0 && write_some(stream, LITERAL("de")) == 0);
    w_drop_output_stream(stream);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 0);
    return 0;
}

ROW(http_length_too_short, "", "0")
{
    int body = body_of_length(LITERAL("5")), stream = stream_of(body);
    MUST(write_some(stream, LITERAL("abcd")) == 0);
    w_drop_output_stream(stream);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 1 && AT(8)[0] == RESPONSE_BODY_SIZE && AT(16)[0] == 1 && U64(24) == 4);
    return 0;
}

/* Whoever writes too much hears of it, at once or at the end; and the stream says it in http's
 * words. */
ROW(http_length_too_long, "", "0")
{
    int body = body_of_length(LITERAL("5")), stream = stream_of(body), error = 0;
    if (write_some(stream, LITERAL("abcdef")) && AT(4)[0] == 0)
        error = (int)U32(8);
    if (error) {
        w_http_error_code(error, R);
        MUST(TAG == 1 && AT(8)[0] == RESPONSE_BODY_SIZE);
        w_drop_io_error(error);
    }
    w_drop_output_stream(stream);
    w_http_outgoing_body_finish(body, 0, 0, R);
    MUST(TAG == 1 && AT(8)[0] == RESPONSE_BODY_SIZE);
    return 0;
}

/* Errors of other streams have nothing to say about http. */
ROW(http_other_error, "rw", "0")
{
    w_get_directories(R);
    w_descriptor_open_at(*(int *)(unsigned long)U32(0), 0, TEXT("f"), 0, 3, R);
    w_descriptor_write_via_stream((int)U32(4), ~0ull >> 1, R);
    w_output_stream_blocking_write_and_flush((int)U32(4), TEXT("too far"), R);
    MUST(TAG == 1 && AT(4)[0] == 0);
    w_http_error_code((int)U32(8), R);
    MUST(TAG == 0);
    return 0;
}

/* --- Children: their parents cannot go before them ----------------------------------------------
 */

ROW(http_request_before_headers, "", "134")
{
    int request = w_http_outgoing_request_new(some_fields());
    w_http_outgoing_request_headers(request);
    w_drop_http_outgoing_request(request);
    return 0;
}

ROW(http_response_before_headers, "", "134")
{
    int response = w_http_outgoing_response_new(some_fields());
    w_http_outgoing_response_headers(response);
    w_drop_http_outgoing_response(response);
    return 0;
}

ROW(http_body_before_stream, "", "134")
{
    int body = body_of_length(LITERAL("0"));
    stream_of(body);
    w_drop_http_outgoing_body(body);
    return 0;
}

ROW(http_finish_before_stream, "", "134")
{
    int body = body_of_length(LITERAL("0"));
    stream_of(body);
    w_http_outgoing_body_finish(body, 0, 0, R);
    return 0;
}
