/* Asking the shim for what only it can do: sockets are made, bound and connected by it, after it
 * has asked the policy (DESIGN §3, Network). A question is written, the answer is waited for: the
 * shim answers at once and waits for nobody. Each gives 0 or a negated errno; EACCES is the
 * policy's no, which the shim has explained. Form: shim/protocol.def. */
#ifndef CARREL_WASI_ASK_H
#define CARREL_WASI_ASK_H

#include "engine/wasi/address.h"
#include "engine/wasi/wasi.h"

enum ask_number {
#define NUMBER(NAME, value) ASK_##NAME = value,
#include "shim/protocol.def"
};

enum ask_option {
#define OPTION(NAME, rule, level, option, level6, option6, what) ASK_OPTION_##NAME,
#include "shim/protocol.def"
    ASK_OPTIONS
};

/* Rows of the tables, to say which of them was denied. */
enum ask_row {
#define ROW(name) ASK_ROW_##name,
#include "policies/row.def"
    ASK_ROWS
};

/* An address as it travels, and the answer to a look-up. */
struct ask_address {
    uint16_t family;
    uint16_t port;
    uint8_t bytes[16];
    uint32_t scope;
    uint32_t flow;
};

struct ask_names {
    uint32_t error; /* errno */
    uint32_t count;
    struct ask_address at[ASK_ADDRESSES];
};

struct wasi_address ask_address_of(const struct ask_address *from);

struct ask_answer {
    uint32_t socket;             /* of ask_socket: its number at the shim */
    int fd;                      /* the socket, if it was handed over, else -1 */
    struct wasi_address local;   /* where it is now */
    int32_t values[ASK_OPTIONS]; /* of ask_socket and ask_option: of all options */
};

int ask_socket(struct wasi *wasi, uint32_t protocol, uint8_t family, struct ask_answer *ret);
int ask_option(struct wasi *wasi, uint32_t socket, enum ask_option option, int32_t value,
               struct ask_answer *ret);
int ask_bind(struct wasi *wasi, uint32_t socket, const struct wasi_address *address,
             struct ask_answer *ret);
int ask_listen(struct wasi *wasi, uint32_t socket, uint32_t backlog, struct ask_answer *ret);
int ask_connect(struct wasi *wasi, uint32_t socket, const struct wasi_address *address,
                struct ask_answer *ret);
/* `to` may be NULL. The first time the answer brings the socket. */
int ask_stream(struct wasi *wasi, uint32_t socket, const struct wasi_address *to,
               struct ask_answer *ret);
int ask_send(struct wasi *wasi, uint32_t socket, const struct wasi_address *to, const void *data,
             size_t size);
/* `ret_fd` is a pipe, through which a struct ask_names comes. `name` has at most ASK_NAME bytes. */
int ask_lookup(struct wasi *wasi, struct str name, int *ret_fd);
/* `to` without a family: `ret->fd` is such a pipe. Else it is the connection, on its way; `name` is
 * empty if the host is the address itself. EPERM: the origin is given, but not with this address.
 */
int ask_http(struct wasi *wasi, bool secure, struct str name, const struct wasi_address *to,
             struct ask_answer *ret);
/* `ret_fd` is a line (shim/protocol.def). */
int ask_line(struct wasi *wasi, int *ret_fd);
void ask_release(struct wasi *wasi, uint32_t socket);

/* Tells the shim that a function said no because its capability is not granted, so that it explains
 * it, and gives -EACCES. `address` may be NULL and `name` empty. */
int ask_denied(struct wasi *wasi, enum ask_row row, const struct wasi_address *address,
               struct str name);

/* The same of a request that was to go to an origin. */
int ask_denied_origin(struct wasi *wasi, bool secure, struct str host, uint16_t port);

/* The same, for want of `capability` (a row of policies/capability.def), whatever the row's is. */
void ask_withheld(struct wasi *wasi, enum ask_row row, uint32_t capability, struct str name);

/* The same of a path below a granted directory; `leaves` is one of ASK_LEAVES_. */
void ask_withheld_path(struct wasi *wasi, enum ask_row row, uint32_t capability, uint32_t grant,
                       enum ask_number leaves, struct str path);

#endif
