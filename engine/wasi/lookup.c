/* wasi:sockets/ip-name-lookup. An address needs nobody; a name is asked of the shim, which asks the
 * policy, the host's own files, and then a resolver in a cell of its own. Its answer comes through
 * a pipe, as one record. Policies, the shim and the resolver know names of ASCII only (idna.h). */
#include "engine/wasi/idna.h"
#include "engine/wasi/net_socket.h"
#include "engine/wasi/pollable.h"
#include "engine/wasi/table.h"

#include <arpa/inet.h>
#include <errno.h>

/* A stream of addresses; `pipe` is where the answer will come from. */
struct name_stream {
    struct input_stream *pipe; /* or NULL: the answer is here */
    int error;                 /* negated errno, once it is here */
    uint32_t count;
    uint32_t next;
    struct wasi_address at[ASK_ADDRESSES];
};

typedef HOST_OPTION(struct ip_address) option_ip;

/* Is it an address, of IPv6 with or without brackets? `text` has room for any. */
static bool read_literal(struct str name, struct wasi_address *ret)
{
    char text[INET6_ADDRSTRLEN];
    bool brackets = name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']';
    if (brackets)
        name = (struct str){name.at + 1, name.len - 2};
    if (name.len >= sizeof text || !name.len)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    *ret = (struct wasi_address){.family = ADDRESS_IPV4};
    if (!brackets && inet_pton(AF_INET, text, ret->bytes) == 1)
        return true;
    ret->family = ADDRESS_IPV6;
    return inet_pton(AF_INET6, text, ret->bytes) == 1;
}

/* RFC 1123, 2.1, and underscores; a dot may end it. */
static bool is_name(struct str name)
{
    size_t label = 0;
    if (name.len > 1 && name.at[name.len - 1] == '.')
        name.len--;
    if (!name.len || name.len > ASK_NAME)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool last = i + 1 == name.len || name.at[i + 1] == '.';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '.' && label) {
            label = 0;
            continue;
        }
        if (!letter && c != '_' && !(c == '-' && label && !last))
            return false;
        if (++label > 63)
            return false;
    }
    return label > 0;
}

static bool is_ascii(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] & 0x80)
            return false;
    return true;
}

static int ask_name(struct wasi *wasi, struct str name, struct name_stream *stream)
{
    char ascii[ASK_NAME];
    int fd = -1;
    if (!is_ascii(name)) {
        long len = idna_to_ascii(name, ascii, sizeof ascii);
        name = (struct str){ascii, len < 0 ? 0 : (size_t)len};
    }
    if (!is_name(name))
        return -EINVAL;
    if (!wasi->network.names)
        return ask_denied(wasi, ASK_ROW_resolve_addresses, NULL, name);
    int error = ask_lookup(wasi, name, &fd);
    if (error < 0)
        return error;
    struct descriptor *pipe = descriptor_new(wasi, fd);
    if (!pipe)
        return -ENOMEM;
    pipe->sequential = true;
    pipe->never_blocks = true;
    pipe->type = TYPE_FIFO;
    stream->pipe = input_new(wasi, pipe, 0);
    descriptor_release(wasi, pipe);
    return stream->pipe ? 0 : -ENOMEM;
}

struct resolve_args {
    void *network;
    struct str name;
};

enum host_answer wasi_resolve_addresses(struct host_call *call, const void *args, void *result)
{
    const struct resolve_args *a = args;
    net_handle_result *made = result;
    struct name_stream *stream = wasi_resource(call->host, sizeof *stream);
    if (!stream)
        return wasi_no_memory(call);
    int error = 0;
    if (read_literal(a->name, &stream->at[0]))
        stream->count = address_mapped(&stream->at[0]) ? 0 : 1;
    else
        error = ask_name(call->host, a->name, stream);
    if (error == 0) {
        made->ok = stream;
        return HOST_DONE;
    }
    wasi_resource_end(call->host, stream);
    made->tag = HOST_ERR;
    made->err = net_error_of(error);
    return HOST_DONE;
}

bool wasi_drop_resolve_address_stream(struct vm *vm, void *host, void *representation)
{
    struct name_stream *stream = representation;
    (void)vm;
    if (stream->pipe)
        input_release(host, stream->pipe);
    wasi_resource_end(host, stream);
    return true;
}

/* The errors of looking up have no errnos of their own. */
static uint8_t code_of(int error)
{
    switch (-error) {
    case ENOENT: return NET_NAME_UNRESOLVABLE;
    case EAGAIN: return NET_TEMPORARY_RESOLVER_FAILURE;
    case ECONNREFUSED:
    case EINVAL: return NET_PERMANENT_RESOLVER_FAILURE;
    default: return net_error_of(error);
    }
}

/* Takes the answer in if it is there. False: not yet. */
static bool arrived(struct wasi *wasi, struct name_stream *stream)
{
    struct ask_names names;
    if (!stream->pipe || stream->pipe->closed)
        return true;
    int64_t got = input_read(wasi, stream->pipe, &names, sizeof names, /*wait=*/false);
    if (got == -EAGAIN)
        return false;
    stream->pipe->closed = true;
    if (got != (int64_t)sizeof names || names.count > ASK_ADDRESSES) {
        stream->error = -EAGAIN;
        return true;
    }
    stream->error = -(int)names.error;
    for (uint32_t i = 0; i < names.count; i++)
        stream->at[i] = ask_address_of(&names.at[i]);
    stream->count = names.count;
    return true;
}

enum host_answer wasi_resolve_address_stream_resolve_next_address(struct host_call *call,
                                                                  const void *args, void *result)
{
    struct name_stream *stream = *(struct name_stream *const *)args;
    HOST_RESULT(option_ip, uint8_t) *out = result;
    if (!arrived(call->host, stream)) {
        out->tag = HOST_ERR;
        out->err = NET_WOULD_BLOCK;
    } else if (stream->error < 0) {
        out->tag = HOST_ERR;
        out->err = code_of(stream->error);
    } else if (stream->next < stream->count) {
        out->ok.some = true;
        out->ok.of = address_to_ip(&stream->at[stream->next++]);
    }
    return HOST_DONE;
}

enum host_answer wasi_resolve_address_stream_subscribe(struct host_call *call, const void *args,
                                                       void *result)
{
    struct name_stream *stream = *(struct name_stream *const *)args;
    struct pollable **pollable = result;
    *pollable =
        stream->pipe ? pollable_input(call->host, stream->pipe) : pollable_time(call->host, 0);
    return *pollable ? HOST_DONE : wasi_no_memory(call);
}
