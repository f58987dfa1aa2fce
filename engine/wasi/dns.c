/* DNS messages; see dns.h. */
#include "engine/wasi/dns.h"

#include "engine/base/ascii.h"

#include <string.h>

enum {
    HEADER = 12,
    LABEL_MAX = 63,
    NAME_MAX_SIZE = 255,
    ALIASES = 16, /* that lead from the name to its addresses */
    JUMPS = 64,   /* of compression in one name */
    CLASS_IN = 1,
    TYPE_CNAME = 5,
    TYPE_OPT = 41,
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* --- Questions ----------------------------------------------------------------------------------
 */

/* Appends the labels of a name; the size, or 0. */
static size_t put_name(struct str name, uint8_t *to)
{
    size_t size = 0;
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    if (!name.len || name.len > NAME_MAX_SIZE - 2)
        return 0;
    while (name.len) {
        const char *dot = memchr(name.at, '.', name.len);
        size_t label = dot ? (size_t)(dot - name.at) : name.len;
        if (!label || label > LABEL_MAX || (dot && label + 1 == name.len))
            return 0;
        to[size++] = (uint8_t)label;
        memcpy(to + size, name.at, label);
        size += label;
        name.at += label + (dot != NULL);
        name.len -= label + (dot != NULL);
    }
    to[size++] = 0;
    return size;
}

size_t dns_question(struct str name, enum dns_type type, uint16_t id, uint8_t ret[DNS_QUESTION_MAX])
{
    static const uint8_t header[HEADER] = {[2] = 1 /* recursion desired */, [5] = 1, [11] = 1};
    static const uint8_t option[11] = {0, 0, TYPE_OPT, DNS_SIZE >> 8, DNS_SIZE & 0xff};
    memcpy(ret, header, sizeof header);
    put16(ret, id);
    size_t labels = put_name(name, ret + HEADER);
    if (!labels)
        return 0;
    size_t size = HEADER + labels;
    put16(ret + size, type);
    put16(ret + size + 2, CLASS_IN);
    memcpy(ret + size + 4, option, sizeof option);
    return size + 4 + sizeof option;
}

/* --- Answers ------------------------------------------------------------------------------------
 */

/* A name as its labels without compression, letters small. */
struct dns_name {
    size_t size;
    uint8_t bytes[NAME_MAX_SIZE];
};

/* Reads a name at *at and goes behind it. Pointers only lead back. */
static bool get_name(struct bytes message, size_t *at, struct dns_name *ret)
{
    size_t from = *at, before = *at;
    bool jumped = false;
    ret->size = 0;
    for (int jumps = 0; jumps < JUMPS;) {
        if (from >= message.len)
            return false;
        uint8_t length = message.at[from];
        if ((length & 0xc0) == 0xc0) {
            if (from + 1 >= message.len)
                return false;
            size_t to = (size_t)(length & 0x3f) << 8 | message.at[from + 1];
            if (!jumped)
                *at = from + 2;
            if (to >= before)
                return false;
            jumped = true;
            jumps++;
            from = before = to;
            continue;
        }
        if (length > LABEL_MAX || length >= message.len - from ||
            (size_t)length + 1 > sizeof ret->bytes - ret->size)
            return false;
        ret->bytes[ret->size++] = length;
        for (size_t i = 1; i <= length; i++)
            ret->bytes[ret->size++] = (uint8_t)ascii_small((char)message.at[from + i]);
        from += (size_t)length + 1;
        if (length == 0) {
            if (!jumped)
                *at = from;
            return true;
        }
    }
    return false;
}

static bool same(const struct dns_name *a, const struct dns_name *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* A resource record; `data` lies at `at`. */
struct record {
    struct dns_name owner;
    uint16_t type;
    uint16_t class;
    size_t at;
    size_t size;
};

static bool get_record(struct bytes message, size_t *at, struct record *ret)
{
    if (!get_name(message, at, &ret->owner) || message.len - *at < 10)
        return false;
    ret->type = get16(message.at + *at);
    ret->class = get16(message.at + *at + 2);
    ret->size = get16(message.at + *at + 8);
    ret->at = *at + 10;
    if (ret->size > message.len - ret->at)
        return false;
    *at = ret->at + ret->size;
    return true;
}

static void add(struct dns_addresses *to, const uint8_t *bytes, size_t size)
{
    if (to->count == DNS_ADDRESSES_MAX)
        return;
    struct wasi_address *address = &to->at[to->count];
    *address = (struct wasi_address){.family = size == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
    memcpy(address->bytes, bytes, size);
    /* WIT: never one of IPv4 in the form of IPv6. */
    if (!address_mapped(address))
        to->count++;
}

/* One pass over the answers: takes the addresses of `name`, and gives the next name if there is an
 * alias of it instead. */
static bool collect(struct bytes message, size_t at, unsigned count, uint16_t type,
                    struct dns_name *name, struct dns_addresses *to)
{
    static struct record record;
    struct dns_name alias = {.size = 0};
    size_t wanted = type == DNS_A ? 4 : 16;
    for (unsigned i = 0; i < count && get_record(message, &at, &record); i++) {
        if (record.class != CLASS_IN || !same(&record.owner, name))
            continue;
        if (record.type == type && record.size == wanted)
            add(to, message.at + record.at, wanted);
        size_t target = record.at;
        if (record.type == TYPE_CNAME && !alias.size && !get_name(message, &target, &alias))
            alias.size = 0;
    }
    if (!alias.size)
        return false;
    *name = alias;
    return true;
}

/* Is it an answer to the question, which it must repeat? */
static bool belongs(struct bytes question, struct bytes answer, size_t *ret_at,
                    struct dns_name *ret_name)
{
    struct dns_name asked;
    size_t ours = HEADER, theirs = HEADER;
    if (answer.len < HEADER || get16(answer.at) != get16(question.at) || !(answer.at[2] & 0x80) ||
        answer.at[2] >> 3 & 0xf || get16(answer.at + 4) != 1)
        return false;
    if (!get_name(question, &ours, &asked) || !get_name(answer, &theirs, ret_name) ||
        !same(&asked, ret_name) || answer.len - theirs < 4 || question.len - ours < 4 ||
        memcmp(answer.at + theirs, question.at + ours, 4) != 0)
        return false;
    *ret_at = theirs + 4;
    return true;
}

enum dns_result dns_answer(struct bytes question, struct bytes answer, struct dns_addresses *to)
{
    struct dns_name name;
    size_t at;
    if (!belongs(question, answer, &at, &name))
        return DNS_FOREIGN;
    switch (answer.at[3] & 0xf) {
    case 0: break;
    case 3: return DNS_NOT_THERE;
    case 5: return DNS_REFUSED;
    default: return DNS_FAILED;
    }
    size_t before = to->count;
    uint16_t type = get16(answer.at + at - 4);
    for (int i = 0; i <= ALIASES; i++)
        if (!collect(answer, at, get16(answer.at + 6), type, &name, to))
            break;
    return to->count == before && answer.at[2] & 2 ? DNS_CUT : DNS_FOUND;
}
