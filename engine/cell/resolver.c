/* The role of a resolver: asks nameservers for the addresses of one name, tells what they said,
 * ends. The sockets came connected, so nobody else can answer; what is read from them is as hostile
 * as a component, and whoever takes this cell over can tell wrong addresses of this one name. */
#include "engine/base/attr.h"
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include "engine/wasi/dns.h"
#include "engine/wasi/random.h"
#include "engine/wasi/sys.h"
#include <errno.h>
#include <string.h>

#define SECOND   UINT64_C(1000000000)
#define PATIENCE (2 * SECOND) /* with one server, before the next is asked */
#define ROUNDS   2

struct query {
    uint8_t bytes[DNS_QUESTION_MAX];
    size_t size;
    bool answered;
    enum dns_result result;
};

struct lookup {
    struct query queries[2];
    struct dns_addresses found;
};

static bool prepare(struct lookup *lookup, struct str name, struct chacha *random)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    for (size_t i = 0; i < countof(types); i++) {
        struct query *query = &lookup->queries[i];
        query->size = dns_question(name, types[i], (uint16_t)chacha_u64(random), query->bytes);
        if (!query->size)
            return false;
    }
    return true;
}

/* Is there nothing left to ask? */
static bool done(const struct lookup *lookup)
{
    bool all = true;
    for (size_t i = 0; i < countof(lookup->queries); i++)
        all = all && lookup->queries[i].answered;
    return all;
}

/* Is there nothing left that this server could still say? */
static bool said(const struct lookup *lookup)
{
    bool all = true;
    for (size_t i = 0; i < countof(lookup->queries); i++)
        all = all && (lookup->queries[i].answered || lookup->queries[i].result == DNS_CUT);
    return all;
}

/* A server's no is no answer: another may know more. */
static void take(struct lookup *lookup, struct bytes answer)
{
    for (size_t i = 0; i < countof(lookup->queries); i++) {
        struct query *query = &lookup->queries[i];
        if (query->answered)
            continue;
        enum dns_result result =
            dns_answer((struct bytes){query->bytes, query->size}, answer, &lookup->found);
        if (result == DNS_FOREIGN)
            continue;
        query->result = result;
        query->answered = result == DNS_FOUND || result == DNS_NOT_THERE;
        return;
    }
}

static void ask_server(struct lookup *lookup, int server)
{
    static uint8_t answer[65536];
    for (size_t i = 0; i < countof(lookup->queries); i++)
        if (!lookup->queries[i].answered)
            sys_write(server, lookup->queries[i].bytes, lookup->queries[i].size);
    uint64_t now = sys_now(), until = now + PATIENCE;
    for (unsigned seen = 0; seen < 64 && !said(lookup) && now < until; now = sys_now()) {
        struct pollfd poll = {.fd = server, .events = POLLIN};
        if (sys_poll(&poll, 1, until - now) <= 0)
            continue;
        int64_t size = sys_read(server, answer, sizeof answer);
        seen++;
        if (size == -EAGAIN)
            continue;
        if (size < 0)
            return; /* nobody is there */
        take(lookup, (struct bytes){answer, (size_t)size});
    }
}

/* Writes the queries that are left, each after its size (RFC 1035, 4.2.2), once it is connected. */
static bool send_stream(const struct lookup *lookup, int server)
{
    static uint8_t out[2 * (2 + DNS_QUESTION_MAX)];
    size_t used = 0;
    for (size_t i = 0; i < countof(lookup->queries); i++) {
        const struct query *query = &lookup->queries[i];
        if (query->answered)
            continue;
        out[used++] = (uint8_t)(query->size >> 8);
        out[used++] = (uint8_t)query->size;
        memcpy(out + used, query->bytes, query->size);
        used += query->size;
    }
    struct pollfd poll = {.fd = server, .events = POLLOUT};
    return sys_poll(&poll, 1, PATIENCE) > 0 && sys_write(server, out, used) == (int64_t)used;
}

/* The same over a connection, for answers that do not fit a datagram. */
static void ask_stream(struct lookup *lookup, int server)
{
    static uint8_t in[2 + 65535];
    size_t have = 0;
    if (!send_stream(lookup, server))
        return;
    uint64_t now = sys_now(), until = now + PATIENCE;
    for (; !done(lookup) && now < until; now = sys_now()) {
        struct pollfd poll = {.fd = server, .events = POLLIN};
        if (sys_poll(&poll, 1, until - now) <= 0)
            continue;
        int64_t got = sys_read(server, in + have, sizeof in - have);
        if (got == -EAGAIN)
            continue;
        if (got <= 0)
            return;
        have += (size_t)got;
        for (size_t size; have >= 2 && have >= (size = 2 + ((size_t)in[0] << 8 | in[1]));
             have -= size) {
            take(lookup, (struct bytes){in + 2, size - 2});
            memmove(in, in + size, have - size);
        }
    }
}

/* What the queries came to, as an errno. */
static uint32_t verdict(const struct lookup *lookup)
{
    if (lookup->found.count)
        return 0;
    if (done(lookup))
        return ENOENT;
    for (size_t i = 0; i < countof(lookup->queries); i++)
        if (lookup->queries[i].result == DNS_CUT)
            return EMSGSIZE;
    for (size_t i = 0; i < countof(lookup->queries); i++)
        if (lookup->queries[i].result == DNS_REFUSED)
            return ECONNREFUSED;
    return EAGAIN;
}

void role_resolver(struct cell *cell)
{
    static struct lookup lookup;
    static struct chacha random;
    static struct message_resolved message;
    chacha_seed(&random, cell->seed);
    for (size_t i = 0; i < countof(lookup.queries); i++)
        lookup.queries[i].result = DNS_FAILED;
    if (!cell->argument_count || !prepare(&lookup, cell->arguments[0], &random)) {
        message.error = EINVAL;
        tell_resolved(&message);
        return;
    }
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < cell->grant_count && !done(&lookup); i++)
            (cell->grants[i].kind == GRANT_NAMESERVER_STREAM ? ask_stream : ask_server)(
                &lookup, cell->grants[i].descriptor);
    message.error = verdict(&lookup);
    for (size_t i = 0; i < lookup.found.count && i < countof(message.addresses); i++) {
        const struct wasi_address *from = &lookup.found.at[i];
        struct record_address *to = &message.addresses[message.count++];
        to->family = from->family;
        memcpy(to->bytes, from->bytes, sizeof to->bytes);
    }
    tell_resolved(&message);
}
