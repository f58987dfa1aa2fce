/* Protocol buffers and frames: what protobuf's own encoding says, what is cut short, what is
 * hostile, and that what is written is read again. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/ttrpc.h"

static struct bytes bytes(const void *at, size_t len)
{
    return (struct bytes){at, len};
}
#define BYTES_OF(literal) bytes(literal, sizeof(literal) - 1)

/* By hand, from the encoding's specification. */
static void known_bytes(void **state)
{
    (void)state;
    struct message_kill_request kill;
    assert_true(message_get(kill_request,
                            BYTES_OF("\x0a\x02"
                                     "id"
                                     "\x18\x0f"
                                     "\x20\x01"),
                            &kill));
    assert_true(bytes_are(kill.id, "id"));
    assert_int_equal(kill.signal, 15);
    assert_int_equal(kill.all, 1);
    assert_int_equal(kill.exec.len, 0);
    uint8_t space[64];
    struct writer writer = WRITER(space);
    message_put(kill_request, &kill, &writer);
    assert_int_equal(writer.used, 8);
    assert_memory_equal(space,
                        "\x0a\x02"
                        "id"
                        "\x18\x0f"
                        "\x20\x01",
                        8);
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct message_task_request request;
    /* 100: varint; 101: 8 bytes; 102: bytes; 103: 4 bytes; then id. */
    assert_true(message_get(task_request,
                            BYTES_OF("\xa0\x06\xff\x01"
                                     "\xa9\x06"
                                     "12345678"
                                     "\xb2\x06\x03"
                                     "abc"
                                     "\xbd\x06"
                                     "1234"
                                     "\x0a\x01"
                                     "x"),
                            &request));
    assert_true(bytes_are(request.id, "x"));
}

static void the_last_of_a_field_counts(void **state)
{
    (void)state;
    struct message_task_request request;
    assert_true(message_get(task_request,
                            BYTES_OF("\x0a\x01"
                                     "a"
                                     "\x0a\x01"
                                     "b"),
                            &request));
    assert_true(bytes_are(request.id, "b"));
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct bytes bytes;
    } cases[] = {
        {"a key that is cut", {(const uint8_t *)"\x80", 1}},
        {"a number that is cut", {(const uint8_t *)"\x18\x80", 2}},
        {"a number of more than 64 bits",
         {(const uint8_t *)"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}},
        {"a number without end",
         {(const uint8_t *)"\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 11}},
        {"bytes longer than the message",
         {(const uint8_t *)"\x0a\x05"
                           "abc",
          5}},
        {"a length that overflows",
         {(const uint8_t *)"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}},
        {"field 0", {(const uint8_t *)"\x02\x00", 2}},
        {"a group", {(const uint8_t *)"\x0b", 1}},
        {"a number where bytes belong", {(const uint8_t *)"\x08\x01", 2}},
        {"bytes where a number belongs", {(const uint8_t *)"\x1a\x00", 2}},
        {"4 bytes that are cut",
         {(const uint8_t *)"\xbd\x06"
                           "123",
          5}},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct message_kill_request kill;
        if (message_get(kill_request, cases[i].bytes, &kill))
            fail_msg("%s is read", cases[i].why);
    }
}

static void repeated_fields_are_walked_through(void **state)
{
    (void)state;
    struct message_mount mount;
    struct bytes option;
    assert_true(message_get(mount,
                            BYTES_OF("\x22\x02"
                                     "ro"
                                     "\x0a\x04"
                                     "bind"
                                     "\x22\x00"
                                     "\x22\x01"
                                     "x"),
                            &mount));
    assert_true(message_next(&mount.options, 4, &option) && bytes_are(option, "ro"));
    assert_true(message_next(&mount.options, 4, &option) && bytes_are(option, ""));
    assert_true(message_next(&mount.options, 4, &option) && bytes_are(option, "x"));
    assert_false(message_next(&mount.options, 4, &option));
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    uint8_t space[20];
    for (size_t size = 0; size <= sizeof space; size++) {
        struct writer writer = {space, size, 0};
        const struct message_any any = {BYTES_OF("0123456789"), BYTES_OF("abcd")};
        message_put(any, &any, &writer);
        assert_int_equal(writer.used, 18);
        assert_int_equal(written(&writer).len, size >= 18 ? 18 : 0);
    }
}

static void text_is_copied_whole_or_not(void **state)
{
    (void)state;
    char to[4];
    assert_true(bytes_copy(BYTES_OF("abc"), to, sizeof to));
    assert_string_equal(to, "abc");
    assert_false(bytes_copy(BYTES_OF("abcd"), to, sizeof to));
    assert_false(bytes_copy(BYTES_OF("a\0b"), to, sizeof to));
    assert_true(bytes_copy((struct bytes){0}, to, sizeof to));
    assert_string_equal(to, "");
}

static void frames_are_found(void **state)
{
    (void)state;
    uint8_t space[256];
    struct writer writer = WRITER(space);
    ttrpc_call(&writer, 7, "service", "Method", BYTES_OF("payload"));
    ttrpc_answer(&writer, 7, CODE_NOT_FOUND, "nobody", BYTES_OF("dropped"));
    struct bytes all = written(&writer), body;
    struct frame frame;
    for (size_t cut = 0; cut < TTRPC_HEAD + 5; cut++)
        assert_int_equal(frame_find(bytes(all.at, cut), &frame, &body), FRAME_PART);
    assert_int_equal(frame_find(all, &frame, &body), FRAME_WHOLE);
    assert_int_equal(frame.stream, 7);
    assert_int_equal(frame.type, TTRPC_REQUEST);
    struct message_request request;
    assert_true(message_get(request, body, &request));
    assert_true(bytes_are(request.service, "service") && bytes_are(request.method, "Method") &&
                bytes_are(request.payload, "payload"));
    const struct bytes rest = {body.at + body.len, (size_t)(all.at + all.len - body.at) - body.len};
    assert_int_equal(frame_find(rest, &frame, &body), FRAME_WHOLE);
    assert_int_equal(frame.type, TTRPC_RESPONSE);
    struct message_response response;
    struct message_status status;
    assert_true(message_get(response, body, &response) &&
                message_get(status, response.status, &status));
    assert_int_equal(status.code, CODE_NOT_FOUND);
    assert_true(bytes_are(status.text, "nobody"));
    assert_int_equal(response.payload.len, 0);
}

static void a_frame_has_bounds(void **state)
{
    (void)state;
    struct frame frame = {TTRPC_MOST + 1, 1, TTRPC_REQUEST, 0};
    struct bytes body;
    uint8_t head[TTRPC_HEAD];
    frame_write(&frame, head);
    assert_int_equal(frame_find(bytes(head, sizeof head), &frame, &body), FRAME_TOO_LARGE);
    frame.size = TTRPC_MOST;
    frame_write(&frame, head);
    assert_int_equal(frame_find(bytes(head, sizeof head), &frame, &body), FRAME_PART);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(the_last_of_a_field_counts),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(repeated_fields_are_walked_through),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(text_is_copied_whole_or_not),
        cmocka_unit_test(frames_are_found),
        cmocka_unit_test(a_frame_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
