/* DNS messages: what is asked, what is believed, and damage of every kind. */
#include "engine/base/attr.h"
#include "engine/wasi/dns.h"
#include "tests/unit/unit.h"

#include <string.h>

static uint8_t question[DNS_QUESTION_MAX];
static size_t question_size;

/* An answer in the making. */
static uint8_t message[4096];
static size_t size;

static void put(const void *bytes, size_t count)
{
    memcpy(message + size, bytes, count);
    size += count;
}

static void ask(const char *name, enum dns_type type)
{
    question_size = dns_question(str_of(name), type, 0x1234, question);
    assert_true(question_size > 0);
}

/* The header and the question again. */
static void begin(unsigned answers, unsigned code)
{
    size = 0;
    put(question, question_size - 11);
    message[2] = 0x81;
    message[3] = (uint8_t)(0x80 | code);
    message[7] = (uint8_t)answers;
    message[11] = 0;
}

/* A record of the name at `owner` in the message. */
static void record(unsigned owner, unsigned type, const void *data, unsigned count)
{
    const uint8_t head[] = {(uint8_t)(0xc0 | owner >> 8),
                            (uint8_t)owner,
                            0,
                            (uint8_t)type,
                            0,
                            1,
                            0,
                            0,
                            0,
                            60,
                            0,
                            (uint8_t)count};
    put(head, sizeof head);
    put(data, count);
}

static struct dns_addresses found;

static enum dns_result answer(void)
{
    found.count = 0;
    return dns_answer((struct bytes){question, question_size}, (struct bytes){message, size},
                      &found);
}

static const uint8_t four[4] = {192, 0, 2, 7};
static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};

static void questions(void **state)
{
    (void)state;
    ask("Www.example.com", DNS_A);
    assert_memory_equal(question + 12, "\3Www\7example\3com\0\0\1\0\1\0\0\51", 24);
    assert_int_equal(question_size, 12 + 17 + 4 + 11);
    size_t same = question_size;
    ask("Www.example.com.", DNS_AAAA);
    assert_int_equal(question_size, same);
    char label[70];
    memset(label, 'a', sizeof label);
    static const char *const wrong[] = {"", ".", "..", "a..b", ".a", "a.."};
    for (size_t i = 0; i < countof(wrong); i++)
        assert_int_equal(dns_question(str_of(wrong[i]), DNS_A, 1, question), 0);
    assert_int_equal(dns_question((struct str){label, 64}, DNS_A, 1, question), 0);
    assert_int_not_equal(dns_question((struct str){label, 63}, DNS_A, 1, question), 0);
    char longest[300];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 2 ? '.' : 'a';
    assert_int_not_equal(dns_question((struct str){longest, 253}, DNS_A, 1, question), 0);
    assert_int_equal(dns_question((struct str){longest, 255}, DNS_A, 1, question), 0);
}

static void addresses(void **state)
{
    (void)state;
    ask("example.com", DNS_A);
    begin(3, 0);
    record(12, DNS_A, four, 4);
    record(12, DNS_AAAA, six, 16); /* of a type that was not asked for */
    record(12, DNS_A, four, 4);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.at[1].family, ADDRESS_IPV4);
    assert_memory_equal(found.at[1].bytes, four, 4);
    ask("example.com", DNS_AAAA);
    begin(1, 0);
    record(12, DNS_AAAA, six, 16);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 1);
    assert_memory_equal(found.at[0].bytes, six, 16);
}

static void aliases(void **state)
{
    (void)state;
    ask("a.example", DNS_A);
    begin(3, 0);
    record(12, 5, "\1b\300\16", 4); /* a.example is b.example */
    unsigned b = (unsigned)size - 4;
    record(b, 5, "\1c\300\16", 4);
    unsigned c = (unsigned)size - 4;
    record(c, DNS_A, four, 4);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 1);
    /* One that leads to itself ends. */
    begin(1, 0);
    record(12, 5, "\300\14", 2);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 0);
}

/* Addresses of other names are nobody's business. */
static void strangers(void **state)
{
    (void)state;
    ask("a.example", DNS_A);
    begin(1, 0);
    record(14, DNS_A, four, 4); /* of "example" */
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 0);
    begin(1, 0);
    record(12, DNS_A, four, 4);
    message[0] ^= 1; /* another question's */
    assert_int_equal(answer(), DNS_FOREIGN);
    message[0] ^= 1;
    message[13] ^= 3; /* another name's */
    assert_int_equal(answer(), DNS_FOREIGN);
    message[13] ^= 3;
    message[2] = 1; /* no answer */
    assert_int_equal(answer(), DNS_FOREIGN);
}

static void mapped_addresses(void **state)
{
    const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    (void)state;
    ask("a.example", DNS_AAAA);
    begin(1, 0);
    record(12, DNS_AAAA, mapped, 16);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, 0);
}

static void failures(void **state)
{
    static const enum dns_result results[] = {DNS_FOUND,     DNS_FAILED, DNS_FAILED,
                                              DNS_NOT_THERE, DNS_FAILED, DNS_REFUSED};
    (void)state;
    ask("a.example", DNS_A);
    for (unsigned code = 0; code < countof(results); code++) {
        begin(0, code);
        assert_int_equal(answer(), results[code]);
    }
    begin(0, 0);
    message[2] |= 2;
    assert_int_equal(answer(), DNS_CUT);
}

/* Cut anywhere and changed anywhere: never beyond the message, and it ends. */
static void damage(void **state)
{
    static uint8_t whole[sizeof message];
    (void)state;
    ask("a.example", DNS_A);
    begin(4, 0);
    record(12, 5, "\1b\300\16", 4);
    record((unsigned)size - 4, 5, "\1c\300\16", 4);
    record((unsigned)size - 4, DNS_A, four, 4);
    record(12, DNS_A, four, 4);
    size_t all = size;
    memcpy(whole, message, all);
    for (size = 0; size < all; size++) {
        uint8_t *copy = test_malloc(size + 1);
        memcpy(copy, whole, size);
        found.count = 0;
        dns_answer((struct bytes){question, question_size}, (struct bytes){copy, size}, &found);
        assert_true(found.count <= 2);
        test_free(copy);
    }
    for (size_t at = 0; at < all; at++) {
        for (unsigned value = 0; value < 256; value++) {
            memcpy(message, whole, all);
            message[at] = (uint8_t)value;
            size = all;
            answer();
            assert_true(found.count <= DNS_ADDRESSES_MAX);
        }
    }
}

static void more_than_there_is_room_for(void **state)
{
    (void)state;
    ask("a.example", DNS_A);
    begin(200, 0);
    for (int i = 0; i < 200; i++)
        record(12, DNS_A, four, 4);
    assert_int_equal(answer(), DNS_FOUND);
    assert_int_equal(found.count, DNS_ADDRESSES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),        cmocka_unit_test(addresses),
        cmocka_unit_test(aliases),          cmocka_unit_test(strangers),
        cmocka_unit_test(mapped_addresses), cmocka_unit_test(failures),
        cmocka_unit_test(damage),           cmocka_unit_test(more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
