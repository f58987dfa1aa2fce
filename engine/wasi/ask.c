/* Questions and answers; see ask.h. */
#include "engine/wasi/ask.h"

#include "engine/wasi/sys.h"
#include <errno.h>
#include <string.h>

/* clang-format off */
#define RECORD(name) struct record_##name {
#define MESSAGE(NAME, name, direction, states, most, meaning) struct message_##name { uint32_t kind;
#define FIELD(type, name) type name;
#define ARRAY(type, name, count) type name[count];
#define END(name) };
#include "shim/protocol.def"
/* clang-format on */

enum message_kind {
#define MESSAGE(NAME, name, direction, states, most, meaning) MESSAGE_##NAME,
#include "shim/protocol.def"
};

static struct record_address to_record(const struct wasi_address *from)
{
    struct record_address to = {
        .family = from->family, .port = from->port, .scope = from->scope, .flow = from->flow};
    memcpy(to.bytes, from->bytes, sizeof to.bytes);
    return to;
}

_Static_assert(sizeof(struct ask_address) == sizeof(struct record_address) &&
                   sizeof(struct ask_names) == sizeof(struct record_names),
               "what comes through a pipe has the form of protocol.def");

static struct wasi_address of_record(const struct record_address *from)
{
    struct wasi_address to = {.family = (uint8_t)from->family,
                              .port = from->port,
                              .scope = from->scope,
                              .flow = from->flow};
    memcpy(to.bytes, from->bytes, sizeof to.bytes);
    return to;
}

static void count_refusal(struct wasi *wasi)
{
    if (wasi->refusals)
        wasi->refusals->all++;
}

/* Asks, and waits for the answer. If the shim is gone there is nobody who could wait for the cell:
 * EIO, and it ends soon. */
static int ask(struct wasi *wasi, const void *question, size_t size, struct ask_answer *ret)
{
    struct message_answer answer;
    *ret = (struct ask_answer){.socket = ASK_NO_SOCKET, .fd = -1};
    int64_t put = sys_write(wasi->network.shim, question, size);
    if (put != (int64_t)size)
        return put < 0 ? (int)put : -EIO;
    int64_t got = sys_receive(wasi->network.shim, &answer, sizeof answer, &ret->fd);
    if (got != (int64_t)sizeof answer || answer.kind != MESSAGE_ANSWER)
        return -EIO;
    if (answer.error == EACCES)
        count_refusal(wasi);
    ret->socket = answer.socket;
    ret->local = of_record(&answer.local);
    memcpy(ret->values, answer.values, sizeof ret->values);
    return -(int)answer.error;
}

/* The same where the socket itself is wanted. If it could not be taken, this cell has as many
 * descriptors as it may. */
static int ask_for_socket(struct wasi *wasi, const void *question, size_t size,
                          struct ask_answer *ret)
{
    int error = ask(wasi, question, size, ret);
    return error == 0 && ret->fd < 0 ? -EMFILE : error;
}

int ask_socket(struct wasi *wasi, uint32_t protocol, uint8_t family, struct ask_answer *ret)
{
    const struct message_ask_socket question = {MESSAGE_ASK_SOCKET, protocol, family};
    return ask(wasi, &question, sizeof question, ret);
}

int ask_option(struct wasi *wasi, uint32_t socket, enum ask_option option, int32_t value,
               struct ask_answer *ret)
{
    const struct message_ask_option question = {MESSAGE_ASK_OPTION, socket, option, value};
    return ask(wasi, &question, sizeof question, ret);
}

int ask_bind(struct wasi *wasi, uint32_t socket, const struct wasi_address *address,
             struct ask_answer *ret)
{
    const struct message_ask_bind question = {MESSAGE_ASK_BIND, socket, to_record(address)};
    return ask(wasi, &question, sizeof question, ret);
}

int ask_listen(struct wasi *wasi, uint32_t socket, uint32_t backlog, struct ask_answer *ret)
{
    const struct message_ask_listen question = {MESSAGE_ASK_LISTEN, socket, backlog};
    return ask_for_socket(wasi, &question, sizeof question, ret);
}

int ask_connect(struct wasi *wasi, uint32_t socket, const struct wasi_address *address,
                struct ask_answer *ret)
{
    const struct message_ask_connect question = {MESSAGE_ASK_CONNECT, socket, to_record(address)};
    return ask_for_socket(wasi, &question, sizeof question, ret);
}

int ask_stream(struct wasi *wasi, uint32_t socket, const struct wasi_address *to,
               struct ask_answer *ret)
{
    struct message_ask_stream question = {.kind = MESSAGE_ASK_STREAM, .socket = socket};
    if (to)
        question.address = to_record(to);
    return ask(wasi, &question, sizeof question, ret);
}

int ask_send(struct wasi *wasi, uint32_t socket, const struct wasi_address *to, const void *data,
             size_t size)
{
    static struct message_ask_send question = {.kind = MESSAGE_ASK_SEND};
    struct ask_answer answer;
    if (size > sizeof question.data)
        return -EMSGSIZE;
    question.socket = socket;
    question.address = to_record(to);
    if (size)
        memcpy(question.data, data, size);
    return ask(wasi, &question, offsetof(struct message_ask_send, data) + size, &answer);
}

int ask_lookup(struct wasi *wasi, struct str name, int *ret_fd)
{
    struct message_ask_lookup question = {.kind = MESSAGE_ASK_LOOKUP, .size = (uint32_t)name.len};
    struct ask_answer answer;
    if (name.len > sizeof question.name)
        return -EINVAL;
    memcpy(question.name, name.at, name.len);
    int error = ask_for_socket(wasi, &question, sizeof question, &answer);
    *ret_fd = answer.fd;
    return error;
}

int ask_line(struct wasi *wasi, int *ret_fd)
{
    const struct message_ask_line question = {MESSAGE_ASK_LINE};
    struct ask_answer answer;
    int error = ask_for_socket(wasi, &question, sizeof question, &answer);
    *ret_fd = answer.fd;
    return error;
}

int ask_http(struct wasi *wasi, bool secure, struct str name, const struct wasi_address *to,
             struct ask_answer *ret)
{
    struct message_ask_http question = {.kind = MESSAGE_ASK_HTTP,
                                        .secure = secure,
                                        .address = to_record(to),
                                        .size = (uint32_t)name.len};
    *ret = (struct ask_answer){.socket = ASK_NO_SOCKET, .fd = -1};
    if (name.len > sizeof question.name)
        return -EINVAL;
    if (name.len)
        memcpy(question.name, name.at, name.len);
    return ask_for_socket(wasi, &question, sizeof question, ret);
}

struct wasi_address ask_address_of(const struct ask_address *from)
{
    struct wasi_address to = {.family = (uint8_t)from->family};
    memcpy(to.bytes, from->bytes, sizeof to.bytes);
    return to;
}

void ask_release(struct wasi *wasi, uint32_t socket)
{
    const struct message_ask_release question = {MESSAGE_ASK_RELEASE, socket};
    struct ask_answer answer;
    ask(wasi, &question, sizeof question, &answer);
}

static int tell_denied(struct wasi *wasi, struct message_denied denied, struct str name)
{
    count_refusal(wasi);
    if (!wasi->network.shim || !wasi->refusals || wasi->refusals->count >= ASK_DENIALS)
        return -EACCES;
    wasi->refusals->count++;
    denied.name_size = (uint32_t)(name.len < sizeof denied.name ? name.len : sizeof denied.name);
    if (name.len)
        memcpy(denied.name, name.at, denied.name_size);
    sys_write(wasi->network.shim, &denied, sizeof denied);
    return -EACCES;
}

int ask_denied(struct wasi *wasi, enum ask_row row, const struct wasi_address *address,
               struct str name)
{
    struct message_denied denied = {
        .kind = MESSAGE_DENIED, .row = row, .capability = ASK_OWN_CAPABILITY, .grant = ASK_GRANTS};
    if (address)
        denied.address = to_record(address);
    return tell_denied(wasi, denied, name);
}

int ask_denied_origin(struct wasi *wasi, bool secure, struct str host, uint16_t port)
{
    const struct message_denied denied = {.kind = MESSAGE_DENIED,
                                          .row = ASK_ROW_http_outgoing_handle,
                                          .capability = ASK_OWN_CAPABILITY,
                                          .grant = ASK_GRANTS,
                                          .address = {.port = port, .scope = secure}};
    return tell_denied(wasi, denied, host);
}

void ask_withheld(struct wasi *wasi, enum ask_row row, uint32_t capability, struct str name)
{
    const struct message_denied denied = {
        .kind = MESSAGE_DENIED, .row = row, .capability = capability, .grant = ASK_GRANTS};
    tell_denied(wasi, denied, name);
}

void ask_withheld_path(struct wasi *wasi, enum ask_row row, uint32_t capability, uint32_t grant,
                       enum ask_number leaves, struct str path)
{
    const struct message_denied denied = {.kind = MESSAGE_DENIED,
                                          .row = row,
                                          .capability = capability,
                                          .grant = grant,
                                          .leaves = leaves};
    tell_denied(wasi, denied, path);
}
