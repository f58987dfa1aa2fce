/* wasi:keyvalue/store. A bucket is a store that a keeper holds, a process outside of the cell; it
 * is asked by writing to a socket and reading from it, waiting for the answer as for a disk: a
 * value is on the disk when `set` returns. The keeper's answers are checked like anybody's. */
#include "engine/base/utf.h"
#include "engine/wasi/ask.h"
#include "engine/wasi/sys.h"
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

/* clang-format off */
#define RECORD(name) struct record_##name {
#define FIELD(type, name) type name;
#define END(name) };
#define MESSAGE(NAME, name, direction, states, most, meaning) struct unused_##name {
#define ARRAY(type, name, count) type name[count];
#include "shim/protocol.def"
/* clang-format on */

enum { NO_SUCH_STORE, ACCESS_DENIED, OTHER };

struct store_error {
    uint8_t tag;
    struct str text; /* of OTHER */
};

struct bucket {
    struct wasi_store *store;
};

typedef HOST_RESULT(struct bucket *, struct store_error) open_result;
typedef HOST_RESULT(HOST_OPTION(byte_list), struct store_error) get_result;
typedef HOST_RESULT(bool, struct store_error) exists_result;
typedef struct {
    uint8_t tag;
    union {
        struct store_error err;
    };
} unit_result;

/* --- Asking -------------------------------------------------------------------------------------
 */

static bool put(struct wasi_store *store, const void *from, size_t size)
{
    for (const uint8_t *at = from; size > 0 && !store->lost;) {
        int64_t done = sys_write(store->fd, at, size);
        store->lost = done <= 0;
        if (store->lost)
            break;
        at += done;
        size -= (size_t)done;
    }
    return !store->lost;
}

static bool take(struct wasi_store *store, void *to, size_t size)
{
    for (uint8_t *at = to; size > 0 && !store->lost;) {
        int64_t done = sys_read(store->fd, at, size);
        store->lost = done <= 0;
        if (store->lost)
            break;
        at += done;
        size -= (size_t)done;
    }
    return !store->lost;
}

/* Takes the bytes of an answer, or throws them away if there is no room: the next answer begins
 * behind them. */
static uint8_t *take_bytes(struct host_call *call, struct wasi_store *store, uint32_t size)
{
    uint8_t rest[512], *bytes = host_alloc(call, size ? size : 1);
    if (bytes)
        return take(store, bytes, size) ? bytes : NULL;
    while (size > 0) {
        uint32_t part = size < sizeof rest ? size : (uint32_t)sizeof rest;
        if (!take(store, rest, part))
            break;
        size -= part;
    }
    return NULL;
}

/* What came of a question, with the bytes of its answer. */
struct reply {
    uint32_t status;
    uint64_t cursor;
    uint8_t *at;
    size_t len;
};

static struct store_error other(const char *text)
{
    return (struct store_error){OTHER, str_of(text)};
}

/* Asks. False: *ret_error says why not, and it is no text if there was no memory for the answer. */
static bool ask(struct host_call *call, struct wasi_store *store,
                const struct record_store_question *question, struct str key, byte_list value,
                struct reply *ret, struct store_error *ret_error)
{
    struct record_store_answer head = {0};
    if (put(store, question, sizeof *question) && put(store, key.at, key.len) &&
        put(store, value.at, value.len) && take(store, &head, sizeof head))
        store->lost = head.size > ASK_STORE_VALUE;
    *ret_error = other("whoever keeps the store is gone");
    if (store->lost)
        return false;
    *ret = (struct reply){.status = head.status, .cursor = head.cursor, .len = head.size};
    ret->at = take_bytes(call, store, head.size);
    if (!ret->at && !store->lost)
        *ret_error = (struct store_error){OTHER, {NULL, 0}};
    if (!ret->at)
        return false;
    if (head.status != ASK_STORE_FAILED)
        return true;
    struct bytes text = {ret->at, ret->len};
    *ret_error = utf8_valid(text) ? (struct store_error){OTHER, {(char *)ret->at, ret->len}}
                                  : other("the store failed");
    return false;
}

/* The answer to a function that failed. */
static enum host_answer fail(struct host_call *call, struct store_error why, uint8_t *tag,
                             struct store_error *err)
{
    if (why.tag == OTHER && !why.text.at)
        return wasi_no_memory(call);
    *tag = HOST_ERR;
    *err = why;
    return HOST_DONE;
}

/* --- Buckets ------------------------------------------------------------------------------------
 */

enum host_answer wasi_keyvalue_open(struct host_call *call, const void *args, void *result)
{
    const struct str *name = args;
    struct wasi *wasi = call->host;
    open_result *out = result;
    for (size_t i = 0; i < wasi->nstores; i++) {
        if (!str_eq(wasi->stores[i].name, *name))
            continue;
        out->ok = wasi_resource(wasi, sizeof *out->ok);
        if (!out->ok)
            return wasi_no_memory(call);
        out->ok->store = &wasi->stores[i];
        return HOST_DONE;
    }
    ask_denied(wasi, ASK_ROW_keyvalue_open, NULL, *name);
    out->tag = HOST_ERR;
    out->err.tag = wasi->nstores ? NO_SUCH_STORE : ACCESS_DENIED;
    return HOST_DONE;
}

bool wasi_drop_bucket(struct vm *vm, void *host, void *representation)
{
    (void)vm;
    wasi_resource_end(host, representation);
    return true;
}

struct key_args {
    struct bucket *self;
    struct str key;
    byte_list value; /* of set */
};

/* Asks about one key, and answers for what fails: `ret` says then ASK_STORE_FAILED. */
static enum host_answer ask_key(struct host_call *call, uint32_t kind, const struct key_args *args,
                                struct reply *ret, uint8_t *tag, struct store_error *err)
{
    const byte_list value = kind == ASK_STORE_SET ? args->value : (byte_list){0};
    const struct record_store_question question = {
        .kind = kind, .key_size = (uint32_t)args->key.len, .value_size = (uint32_t)value.len};
    struct store_error why = other("the key is longer than 4096 bytes");
    if (value.len > ASK_STORE_VALUE)
        why = other("the value is longer than 8 MiB");
    else if (args->key.len <= ASK_STORE_KEY &&
             ask(call, args->self->store, &question, args->key, value, ret, &why))
        return HOST_DONE;
    ret->status = ASK_STORE_FAILED;
    return fail(call, why, tag, err);
}

enum host_answer wasi_bucket_get(struct host_call *call, const void *args, void *result)
{
    get_result *out = result;
    struct reply reply;
    enum host_answer answer = ask_key(call, ASK_STORE_GET, args, &reply, &out->tag, &out->err);
    if (reply.status == ASK_STORE_DONE) {
        out->ok.some = true;
        out->ok.of = (byte_list){reply.at, reply.len};
    }
    return answer;
}

enum host_answer wasi_bucket_set(struct host_call *call, const void *args, void *result)
{
    unit_result *out = result;
    struct reply reply;
    return ask_key(call, ASK_STORE_SET, args, &reply, &out->tag, &out->err);
}

enum host_answer wasi_bucket_delete(struct host_call *call, const void *args, void *result)
{
    unit_result *out = result;
    struct reply reply;
    return ask_key(call, ASK_STORE_DELETE, args, &reply, &out->tag, &out->err);
}

enum host_answer wasi_bucket_exists(struct host_call *call, const void *args, void *result)
{
    exists_result *out = result;
    struct reply reply;
    enum host_answer answer = ask_key(call, ASK_STORE_EXISTS, args, &reply, &out->tag, &out->err);
    if (reply.status != ASK_STORE_FAILED)
        out->ok = reply.status == ASK_STORE_DONE;
    return answer;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

struct key_response {
    HOST_LIST(struct str) keys;
    HOST_OPTION(uint64_t) cursor;
};

struct list_args {
    struct bucket *self;
    HOST_OPTION(uint64_t) cursor;
};

/* Reads the next of the keys, each behind its size. False: there are no more. */
static bool next_key(const struct reply *reply, size_t *at, struct str *ret)
{
    uint32_t size;
    if (reply->len - *at < sizeof size)
        return false;
    memcpy(&size, reply->at + *at, sizeof size);
    if (size > reply->len - *at - sizeof size)
        return false;
    *ret = (struct str){(char *)reply->at + *at + sizeof size, size};
    *at += sizeof size + size;
    return true;
}

enum host_answer wasi_bucket_list_keys(struct host_call *call, const void *args, void *result)
{
    const struct list_args *a = args;
    HOST_RESULT(struct key_response, struct store_error) *out = result;
    const struct record_store_question question = {.kind = ASK_STORE_LIST,
                                                   .cursor = a->cursor.some ? a->cursor.of : 0};
    struct store_error why;
    struct reply reply;
    if (!ask(call, a->self->store, &question, (struct str){0}, (byte_list){0}, &reply, &why))
        return fail(call, why, &out->tag, &out->err);
    struct str *keys = host_alloc(call, (reply.len / sizeof(uint32_t) + 1) * sizeof *keys);
    if (!keys)
        return wasi_no_memory(call);
    out->ok.keys.at = keys;
    /* A key that is no text was not set by a component. */
    for (size_t at = 0; next_key(&reply, &at, keys);)
        if (utf8_valid((struct bytes){(const uint8_t *)keys->at, keys->len}))
            keys++;
    out->ok.keys.len = (size_t)(keys - out->ok.keys.at);
    out->ok.cursor.some = reply.cursor != 0;
    out->ok.cursor.of = reply.cursor;
    return HOST_DONE;
}
