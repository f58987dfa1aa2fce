/* What a cell may send, and when: every kind in every state, with every size near its own. */
#include "tests/unit/unit.h"

#include "shim/protocol.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the table says, written down once more by hand: the kinds that each state permits. */
static const struct {
    enum cell_state state;
    uint32_t kinds;
} permitted[] = {
    {STATE_WAITING, 0},
    {STATE_READER_LOCKING, 1u << MESSAGE_READY | 1u << MESSAGE_REFUSED},
    {STATE_READER, 1u << MESSAGE_DEMAND | 1u << MESSAGE_FAILURE},
    {STATE_RESOLVER_LOCKING, 1u << MESSAGE_READY | 1u << MESSAGE_REFUSED},
    {STATE_RESOLVER, 1u << MESSAGE_RESOLVED},
    {STATE_TLS_LOCKING, 1u << MESSAGE_READY | 1u << MESSAGE_REFUSED},
    {STATE_TLS, 1u << MESSAGE_FAILURE},
    {STATE_RUN_LOCKING, 1u << MESSAGE_READY | 1u << MESSAGE_REFUSED},
    {STATE_RUN, 1u << MESSAGE_EXIT | 1u << MESSAGE_FAILURE | 1u << MESSAGE_TRAP |
                    1u << MESSAGE_ASK_SOCKET | 1u << MESSAGE_ASK_OPTION | 1u << MESSAGE_ASK_BIND |
                    1u << MESSAGE_ASK_LISTEN | 1u << MESSAGE_ASK_CONNECT |
                    1u << MESSAGE_ASK_STREAM | 1u << MESSAGE_ASK_SEND | 1u << MESSAGE_ASK_RELEASE |
                    1u << MESSAGE_ASK_HTTP | 1u << MESSAGE_ASK_LOOKUP | 1u << MESSAGE_DENIED |
                    1u << MESSAGE_REQUEST_TRAP | 1u << MESSAGE_TRACE | 1u << MESSAGE_ASK_LINE},
    {STATE_LINE, 1u << MESSAGE_ASK_SOCKET | 1u << MESSAGE_ASK_OPTION | 1u << MESSAGE_ASK_BIND |
                     1u << MESSAGE_ASK_LISTEN | 1u << MESSAGE_ASK_CONNECT |
                     1u << MESSAGE_ASK_STREAM | 1u << MESSAGE_ASK_SEND | 1u << MESSAGE_ASK_RELEASE |
                     1u << MESSAGE_ASK_HTTP | 1u << MESSAGE_ASK_LOOKUP | 1u << MESSAGE_DENIED |
                     1u << MESSAGE_REQUEST_TRAP},
    {STATE_ENDED, 0},
};

static void each_state_permits_its_messages(void **state)
{
    (void)state;
    assert_int_equal(countof(permitted), STATES);
    for (size_t i = 0; i < countof(permitted); i++) {
        for (uint32_t kind = 0; kind < MESSAGES + 40; kind++) {
            struct message_counts counts = {0};
            static union message message;
            message.kind = kind;
            size_t size = kind < MESSAGES ? messages[kind].size : 4;
            const char *wrong = protocol_judge(&counts, permitted[i].state, &message, size);
            bool allowed = kind < MESSAGES && permitted[i].kinds >> kind & 1;
            assert_int_equal(wrong == NULL, allowed);
        }
    }
}

static void only_the_exact_size_will_do(void **state)
{
    (void)state;
    static union message message;
    for (size_t size = 0; size <= sizeof message; size++) {
        struct message_counts counts = {0};
        message.kind = MESSAGE_EXIT;
        const char *wrong = protocol_judge(&counts, STATE_RUN, &message, size);
        assert_int_equal(wrong == NULL, size == sizeof(struct message_exit));
        if (size < 4)
            assert_string_equal(wrong, "a message without a kind");
    }
}

/* What may be filled in part may be so from nothing to all. */
static void the_last_array_may_be_shorter(void **state)
{
    (void)state;
    static union message message;
    const size_t least = offsetof(struct message_ask_send, data);
    for (size_t size = 4; size <= sizeof message + 4; size += size < least + 8 ? 1 : 997) {
        struct message_counts counts = {0};
        message.kind = MESSAGE_ASK_SEND;
        const char *wrong = protocol_judge(&counts, STATE_RUN, &message, size);
        assert_int_equal(wrong == NULL, size >= least && size <= sizeof(struct message_ask_send));
    }
}

static void each_message_comes_once(void **state)
{
    (void)state;
    struct message_counts counts = {0};
    union message message = {.kind = MESSAGE_READY};
    size_t size = messages[MESSAGE_READY].size;
    assert_null(protocol_judge(&counts, STATE_RUN_LOCKING, &message, size));
    assert_string_equal(protocol_judge(&counts, STATE_RUN_LOCKING, &message, size),
                        "a message too often");
}

static void nothing_for_the_cell_comes_from_it(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < MESSAGES; kind++) {
        if (messages[kind].direction == TO_SHIM)
            continue;
        for (enum cell_state in = 0; in < STATES; in++) {
            struct message_counts counts = {0};
            static union message message;
            message.kind = kind;
            assert_non_null(protocol_judge(&counts, in, &message, messages[kind].size));
        }
    }
}

static void roles_have_words(void **state)
{
    (void)state;
    assert_int_equal(role_named("reader"), ROLE_READER);
    assert_int_equal(role_named("run"), ROLE_RUN);
    assert_int_equal(role_named("other"), ROLES);
    for (enum cell_state in = 0; in < STATES; in++)
        assert_true(strlen(state_meaning(in)) > 0);
}

/* A cell that cannot start says so and ends, whether or not it has read what it was sent. */
static void who_ended_with_messages_unread_is_heard(void **state)
{
    (void)state;
    int ends[2];
    union message sent = {.kind = MESSAGE_READY}, got;
    const char *wrong;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(send(ends[0], &sent, sizeof sent.kind, 0), sizeof sent.kind);
    assert_int_equal(send(ends[1], &sent, sizeof sent.kind, 0), sizeof sent.kind);
    close(ends[1]);
    assert_int_equal(protocol_receive(ends[0], &got, &wrong), sizeof sent.kind);
    assert_int_equal(got.kind, MESSAGE_READY);
    assert_null(wrong);
    assert_int_equal(protocol_receive(ends[0], &got, &wrong), 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_permits_its_messages),
        cmocka_unit_test(only_the_exact_size_will_do),
        cmocka_unit_test(the_last_array_may_be_shorter),
        cmocka_unit_test(each_message_comes_once),
        cmocka_unit_test(nothing_for_the_cell_comes_from_it),
        cmocka_unit_test(roles_have_words),
        cmocka_unit_test(who_ended_with_messages_unread_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
