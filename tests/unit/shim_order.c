/* Orders: what the cell gets is what the array says, in the form of protocol.def. */
#include "tests/unit/unit.h"

#include "shim/cleanup.h"
#include "shim/order.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

static struct plan plan;
static const struct component component = {.memory = 0, .size = 1234};
static const char *const arguments[] = {"prog", "", "three"};
static const char *const environment[] = {"A=b"};
static const struct sock_filter program[] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
static uint8_t seed[32];

static void make_plan(void)
{
    plan.count = 0;
    plan.overflown = false;
    memset(seed, 0x5a, sizeof seed);
    plan_add(&plan, OPERATION_DUMPABLE, true);
    plan_add(&plan, OPERATION_ROLE, false)->of.role.role = "run";
    for (uint64_t i = 0; i < 4; i++) {
        struct operation_grant *grant = &plan_add(&plan, OPERATION_GRANT, false)->of.grant;
        *grant = (struct operation_grant){.grant = i,
                                          .descriptor = i < 3 ? i : i + 1,
                                          .kind = i < 3 ? i : GRANT_DIRECTORY,
                                          .name = i < 3 ? "" : "/data",
                                          .rights = RIGHT_READ};
    }
    plan_add(&plan, OPERATION_ARGUMENTS, false)->of.arguments.list =
        (struct text_list){arguments, 3};
    plan_add(&plan, OPERATION_ENVIRONMENT, false)->of.environment.list =
        (struct text_list){environment, 1};
    plan_add(&plan, OPERATION_SEED, false)->of.seed.seed = seed;
    plan_add(&plan, OPERATION_LIMITS, false)->of.limits =
        (struct operation_limits){.memory = 1, .stack = 2, .fuel = 3};
    plan_add(&plan, OPERATION_INVOKE, false)->of.invoke.call = "f(1)";
    plan_add(&plan, OPERATION_TIME, false)->of.time.time = 77;
    plan_add(&plan, OPERATION_ARENA_CUT, false)->of.arena_cut.size = 5000;
    plan_add(&plan, OPERATION_LANDLOCK, true)->of.landlock =
        (struct operation_landlock){.files = 7, .net = 3, .scopes = 1};
    plan_add(&plan, OPERATION_LANDLOCK_RULE, false)->of.landlock_rule =
        (struct operation_landlock_rule){.grant = 3, .files = 5};
    plan_add(&plan, OPERATION_SECCOMP, false)->of.seccomp.program =
        (struct operation_program){program, 2};
}

static void the_head_says_what_the_array_says(void **state)
{
    (void)state;
    struct order order;
    struct err err = {0};
    make_plan();
    assert_int_equal(order_make(&plan, &component, &order, &err), 0);
    const struct message_order *head = &order.head;
    assert_int_equal(head->kind, MESSAGE_ORDER);
    assert_int_equal(head->role, ROLE_RUN);
    assert_int_equal(head->may_miss, WALL_BIT(WALL_DUMPABLE) | WALL_BIT(WALL_LANDLOCK));
    assert_int_equal(head->component, 1234);
    assert_int_equal(head->arena, 8192); /* whole pages */
    assert_int_equal(head->memory, 1);
    assert_int_equal(head->stack, 2);
    assert_int_equal(head->fuel, 3);
    assert_int_equal(head->landlock[0], 7);
    assert_int_equal(head->landlock[1], 3);
    assert_int_equal(head->landlock[2], 1);
    assert_int_equal(head->grants, 4);
    assert_memory_equal(head->seed, seed, sizeof seed);
    assert_int_equal(order.time, 77);
    order_free(&order);
}

static void the_data_lie_in_their_order(void **state)
{
    (void)state;
    struct order order;
    struct err err = {0};
    make_plan();
    assert_int_equal(order_make(&plan, &component, &order, &err), 0);
    const struct record_rule *rules = (const void *)order.data;
    assert_int_equal(rules[0].files, 5);
    assert_int_equal(rules[0].descriptor, 4);
    const struct record_grant *grants = (const void *)(rules + 1);
    assert_int_equal(grants[2].descriptor, 2);
    assert_int_equal(grants[3].descriptor, 4);
    assert_int_equal(grants[3].kind, GRANT_DIRECTORY);
    const struct record_instruction *code = (const void *)(grants + 4);
    assert_memory_equal(code, program, sizeof program);
    static const char texts[] = "prog\0\0three\0A=b\0\0\0\0/data\0f(1)";
    assert_memory_equal(code + 2, texts, sizeof texts);
    assert_int_equal(order.head.data_size,
                     (size_t)((const uint8_t *)(code + 2) - order.data) + sizeof texts);
    order_free(&order);
}

static void an_array_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct order order;
    struct err err = {0};
    make_plan();
    plan.at[1].of.role.role = "king";
    assert_int_equal(order_make(&plan, &component, &order, &err), -1);
    make_plan();
    plan.at[3].of.grant.descriptor = 9;
    assert_int_equal(order_make(&plan, &component, &order, &err), -1);
    make_plan();
    plan.at[3].of.grant.grant = 0; /* twice, and 1 is missing */
    assert_int_equal(order_make(&plan, &component, &order, &err), -1);
    assert_int_equal(err.kind, ERR_FAULT);
}

/* More than the socket takes at once goes in pieces, and a cell that is gone is noticed. */
static void a_large_order_is_sent_in_pieces(void **state)
{
    (void)state;
    enum { COUNT = 4000, LENGTH = 999 };
    static char text[LENGTH + 1];
    static const char *many[COUNT];
    static struct grants grants;
    static uint8_t packet[PROTOCOL_PACKET + 1];
    struct order order;
    struct err err = {0};
    int pair[2];
    memset(text, 'x', LENGTH);
    for (int i = 0; i < COUNT; i++)
        many[i] = text;
    make_plan();
    for (size_t i = 0; i < plan.count; i++) {
        if (plan.at[i].kind == OPERATION_ARGUMENTS)
            plan.at[i].of.arguments.list = (struct text_list){many, COUNT};
    }
    grants_start(&grants);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    const struct component memory = {.memory = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    for (size_t i = 0; i < 4; i++)
        grants.at[i] = memory.memory;
    assert_int_equal(order_make(&plan, &component, &order, &err), 0);
    size_t got = 0, packets = 0;
    int sent;
    while ((sent = order_send(&order, pair[0], &memory, &grants)) == 0) {
        ssize_t size;
        while ((size = recv(pair[1], packet, sizeof packet, MSG_DONTWAIT)) > 0) {
            size_t head = packets++ ? sizeof(struct message_data) : sizeof order.head;
            assert_true(size <= PROTOCOL_PACKET);
            assert_memory_equal(packet + head, order.data + got, (size_t)size - head);
            got += (size_t)size - head;
        }
    }
    assert_int_equal(sent, 1);
    ssize_t size;
    while ((size = recv(pair[1], packet, sizeof packet, MSG_DONTWAIT)) > 0)
        got += (size_t)size - sizeof(struct message_data);
    assert_int_equal(got, order.head.data_size);
    order_free(&order);

    assert_int_equal(order_make(&plan, &component, &order, &err), 0);
    close(pair[1]);
    assert_int_equal(order_send(&order, pair[0], &memory, &grants), -1);
    order_free(&order);
    close(pair[0]);
    close(memory.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_what_the_array_says),
        cmocka_unit_test(the_data_lie_in_their_order),
        cmocka_unit_test(an_array_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_large_order_is_sent_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
