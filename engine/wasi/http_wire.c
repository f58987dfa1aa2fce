/* Connections of the HTTP client; see http_wire.h. */
#include "engine/wasi/http_wire.h"

#include "engine/http/syntax.h"
#include "engine/wasi/ask.h"
#include "engine/wasi/sys.h"

#include <errno.h>
#include <string.h>

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        sys_close(wire->fd);
    wire->fd = -1;
}

/* --- Records ------------------------------------------------------------------------------------
 */

/* What the cell says that speaks TLS is checked as what the network says: it reads hostile bytes.
 */
static int failed(struct wire *wire)
{
    bool alert = wire->record.code >> 8 == HTTP_ERROR_TLS_ALERT_RECEIVED;
    uint8_t code = (uint8_t)(wire->record.code >> 8);
    wire->failure =
        http_failure_of(code < HTTP_ERRORS ? (enum http_error)code : HTTP_ERROR_TLS_PROTOCOL_ERROR);
    if (alert) {
        wire->failure.of.alert.id.some = true;
        wire->failure.of.alert.id.of = (uint8_t)wire->record.code;
    }
    return -EPROTO;
}

/* Goes to the next record: its kind, 0 at the end of the socket, or a negated errno. */
static int next_record(struct wire *wire)
{
    while (wire->nrecord < sizeof wire->record) {
        int64_t got = sys_read(wire->fd, (uint8_t *)&wire->record + wire->nrecord,
                               sizeof wire->record - wire->nrecord);
        if (got <= 0)
            return got ? (int)got : -ECONNRESET;
        wire->nrecord = (uint8_t)(wire->nrecord + got);
    }
    wire->nrecord = 0;
    switch (wire->record.kind) {
    case ASK_SECURED_READY: return 1;
    case ASK_SECURED_DATA: wire->left = wire->record.size; return 1;
    case ASK_SECURED_END: wire->ended = true; return 1;
    default: return failed(wire);
    }
}

int wire_secured(struct wire *wire)
{
    int got = next_record(wire);
    if (got != -ECONNRESET)
        return got < 0 ? got : 0;
    /* Whoever speaks TLS is gone, or never came. */
    wire->failure = http_failure_of(HTTP_ERROR_CONNECTION_TERMINATED);
    return -EPROTO;
}

int64_t wire_read(struct wire *wire, void *to, size_t len)
{
    if (!wire->secure)
        return sys_read(wire->fd, to, len);
    while (!wire->left && !wire->ended) {
        int got = next_record(wire);
        if (got < 0)
            return got;
    }
    if (wire->ended)
        return 0;
    int64_t got = sys_read(wire->fd, to, len < wire->left ? len : wire->left);
    if (got > 0)
        wire->left -= (uint32_t)got;
    return got ? got : -ECONNRESET;
}

int64_t wire_write(struct wire *wire, const void *from, size_t len)
{
    return sys_write(wire->fd, from, len);
}

bool wire_idle(struct wire *wire)
{
    uint8_t byte;
    return wire_read(wire, &byte, 1) == -EAGAIN;
}

/* --- Idle connections ---------------------------------------------------------------------------
 */

enum { IDLE = 32 };

struct idle {
    struct wire wire;
    uint16_t port;
    uint16_t size;
    uint64_t order; /* when it was parked, among the others */
    char host[HTTP_MAX_AUTHORITY];
};

static struct idle idle[IDLE];
static uint64_t parked; /* ever; a place without order is free */

void wire_park(struct wire *wire, const struct wire_origin *origin)
{
    struct idle *place = &idle[0];
    for (size_t i = 1; i < IDLE && place->order; i++)
        if (idle[i].order < place->order)
            place = &idle[i];
    if (place->order)
        wire_close(&place->wire);
    place->order = 0;
    if (origin->host.len > sizeof place->host) {
        wire_close(wire);
        return;
    }
    place->wire = *wire;
    place->port = origin->port;
    place->size = (uint16_t)origin->host.len;
    place->order = ++parked;
    memcpy(place->host, origin->host.at, origin->host.len);
    wire->fd = -1;
}

struct wire wire_reuse(const struct wire_origin *origin)
{
    for (;;) {
        struct idle *latest = NULL;
        for (size_t i = 0; i < IDLE; i++) {
            struct idle *at = &idle[i];
            if (at->order && at->wire.secure == origin->secure && at->port == origin->port &&
                http_same((struct str){at->host, at->size}, origin->host) &&
                (!latest || at->order > latest->order))
                latest = at;
        }
        if (!latest)
            return (struct wire){.fd = -1};
        struct wire wire = latest->wire;
        latest->order = 0;
        if (wire_idle(&wire))
            return wire;
        wire_close(&wire);
    }
}
