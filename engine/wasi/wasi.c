/* Making the host state; see wasi.h. */
#include "engine/wasi/wasi.h"

#include "engine/base/utf.h"
#include "engine/wasi/descriptor.h"
#include "engine/wasi/zone.h"

#include <inttypes.h>

static int exhausted(struct err *err)
{
    return err_set(err, ERR_MEMORY, ERR_NOWHERE, "no memory for what the component was given");
}

/* A copy that is UTF-8 and NUL-terminated, which preview 1 and the kernel need. */
static int copy(struct wasi *wasi, struct str from, const char *what, struct str *ret_str,
                struct err *err)
{
    if (!utf8_valid((struct bytes){(const uint8_t *)from.at, from.len}))
        return err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "%s is not UTF-8, which is all that a component can be given: write it in UTF-8", what);
    char *at = heap_take(wasi->heap, from.len + 1);
    if (!at)
        return exhausted(err);
    if (from.len)
        memcpy(at, from.at, from.len);
    at[from.len] = 0;
    *ret_str = (struct str){at, from.len};
    return 0;
}

static int copy_variables(struct wasi *wasi, const struct wasi_variable *from, size_t count,
                          const char *name, const char *value, struct wasi_variable **ret,
                          struct err *err)
{
    *ret = heap_zeroed(wasi->heap, count, sizeof **ret);
    if (!*ret)
        return exhausted(err);
    for (size_t i = 0; i < count; i++)
        if (copy(wasi, from[i].name, name, &(*ret)[i].name, err) < 0 ||
            copy(wasi, from[i].value, value, &(*ret)[i].value, err) < 0)
            return -1;
    return 0;
}

static int copy_zone(struct wasi *wasi, struct str from, struct err *err)
{
    struct str table;
    if (copy(wasi, from, "the time zone", &table, err) < 0)
        return -1;
    if (zone_read(wasi->heap, table, &wasi->zone, &wasi->nzone) < 0)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "the table of the time zone is none: choose another with --timezone");
    return 0;
}

static int copy_texts(struct wasi *wasi, const struct wasi_config *config, struct err *err)
{
    wasi->arguments = heap_zeroed(wasi->heap, config->narguments, sizeof *wasi->arguments);
    if (!wasi->arguments)
        return exhausted(err);
    for (size_t i = 0; i < config->narguments; i++)
        if (copy(wasi, config->arguments[i], "an argument", &wasi->arguments[i], err) < 0)
            return -1;
    if (copy_variables(wasi, config->environment, config->nenvironment, "a name in the environment",
                       "a value in the environment", &wasi->environment, err) < 0 ||
        copy_variables(wasi, config->config, config->nconfig, "the name of a setting",
                       "the value of a setting", &wasi->config, err) < 0 ||
        copy_zone(wasi, config->zone, err) < 0)
        return -1;
    wasi->narguments = config->narguments;
    wasi->nenvironment = config->nenvironment;
    wasi->nconfig = config->nconfig;
    return copy(wasi, config->cwd, "the working directory", &wasi->cwd, err);
}

static int open_streams(struct wasi *wasi, const struct wasi_config *config, struct err *err)
{
    for (int i = 0; i < 3; i++) {
        const struct wasi_stream *stream = &config->streams[i];
        struct descriptor *descriptor = descriptor_new(wasi, stream->fd);
        if (!descriptor)
            return exhausted(err);
        descriptor->granted = true;
        descriptor->fd = stream->kind == WASI_CLOSED ? -1 : stream->fd;
        descriptor->flags = i == 0 ? DESCRIPTOR_READ : DESCRIPTOR_WRITE;
        descriptor->type = config->terminals[i] ? TYPE_CHARACTER_DEVICE : TYPE_FIFO;
        descriptor->sequential = true;
        descriptor->never_waits = stream->kind == WASI_FILE;
        descriptor->never_blocks = stream->kind == WASI_OWN;
        wasi->streams[i] = descriptor;
        wasi->terminal[i] = config->terminals[i];
    }
    return 0;
}

static int open_directories(struct wasi *wasi, const struct wasi_config *config, struct err *err)
{
    wasi->preopens = heap_zeroed(wasi->heap, config->ndirectories, sizeof *wasi->preopens);
    if (!wasi->preopens)
        return exhausted(err);
    for (size_t i = 0; i < config->ndirectories; i++) {
        const struct wasi_directory *directory = &config->directories[i];
        struct descriptor *descriptor = descriptor_new(wasi, directory->fd);
        if (!descriptor)
            return exhausted(err);
        descriptor->granted = true;
        descriptor->type = TYPE_DIRECTORY;
        descriptor->flags = DESCRIPTOR_READ | (directory->mutable ? DESCRIPTOR_MUTATE : 0);
        descriptor->writable = directory->writable;
        descriptor->no_links = directory->no_links;
        descriptor->grant = directory->grant;
        wasi->preopens[i].descriptor = descriptor;
        if (copy(wasi, directory->name, "the name of a directory", &wasi->preopens[i].name, err) <
            0)
            return -1;
    }
    wasi->npreopens = config->ndirectories;
    return 0;
}

static int open_listeners(struct wasi *wasi, const struct wasi_config *config, struct err *err)
{
    wasi->listeners = heap_zeroed(wasi->heap, config->nlisteners, sizeof *wasi->listeners);
    if (!wasi->listeners)
        return exhausted(err);
    for (size_t i = 0; i < config->nlisteners; i++) {
        struct descriptor *listener = descriptor_new(wasi, config->listeners[i]);
        if (!listener)
            return exhausted(err);
        listener->granted = true;
        listener->type = TYPE_SOCKET;
        listener->sequential = true;
        listener->never_blocks = true;
        wasi->listeners[i] = listener;
    }
    wasi->nlisteners = config->nlisteners;
    return 0;
}

static int open_stores(struct wasi *wasi, const struct wasi_config *config, struct err *err)
{
    wasi->stores = heap_zeroed(wasi->heap, config->nstores, sizeof *wasi->stores);
    if (!wasi->stores)
        return exhausted(err);
    for (size_t i = 0; i < config->nstores; i++) {
        wasi->stores[i].fd = config->stores[i].fd;
        if (copy(wasi, config->stores[i].name, "the name of a store", &wasi->stores[i].name, err) <
            0)
            return -1;
    }
    wasi->nstores = config->nstores;
    return 0;
}

struct wasi *wasi_new(struct heap *heap, const struct wasi_config *config, struct err *err)
{
    struct wasi *wasi = heap_zeroed(heap, 1, sizeof *wasi);
    if (!wasi) {
        exhausted(err);
        return NULL;
    }
    wasi->heap = heap;
    wasi->clock = config->clock;
    wasi->random = config->random;
    wasi->may_poll = config->may_poll;
    wasi->steady = config->steady;
    wasi->concurrent = config->concurrent;
    wasi->network = config->network;
    wasi->refusals = config->refusals;
    wasi->withheld = config->withheld;
    reactor_init(&wasi->reactor, heap, config->may_poll);
    wasi_seed(wasi, config->seed);
    if (open_streams(wasi, config, err) < 0 || open_directories(wasi, config, err) < 0 ||
        open_listeners(wasi, config, err) < 0 || open_stores(wasi, config, err) < 0 ||
        copy_texts(wasi, config, err) < 0)
        return NULL;
    return wasi;
}

void wasi_seed(struct wasi *wasi, const uint8_t seed[RANDOM_SEED])
{
    generators_seed(&wasi->generators, seed);
}

struct generators *wasi_numbers(struct wasi *wasi)
{
    generators_make(&wasi->generators);
    return &wasi->generators;
}

void *wasi_resource(struct wasi *wasi, size_t size)
{
    if (wasi->resources >= WASI_RESOURCES)
        return NULL;
    void *resource = heap_zeroed(wasi->heap, 1, size);
    if (resource)
        wasi->resources++;
    return resource;
}

void wasi_resource_end(struct wasi *wasi, void *resource)
{
    heap_give(wasi->heap, resource);
    wasi->resources--;
}

void wasi_hold(struct wasi *wasi, struct wasi_held *held,
               void (*let_go)(struct wasi *wasi, struct wasi_held *held))
{
    *held = (struct wasi_held){.after = wasi->held, .let_go = let_go};
    if (wasi->held)
        wasi->held->before = held;
    wasi->held = held;
}

void wasi_unhold(struct wasi *wasi, struct wasi_held *held)
{
    if (held->before)
        held->before->after = held->after;
    else
        wasi->held = held->after;
    if (held->after)
        held->after->before = held->before;
}

void wasi_abandon(struct wasi *wasi)
{
    for (struct wasi_held *held = wasi->held; held; held = held->after)
        held->let_go(wasi, held);
}

bool wasi_ready(const struct wasi *wasi, int fd, short events)
{
    struct pollfd poll = {.fd = fd, .events = events};
    return !wasi->may_poll || sys_poll(&poll, 1, 0) != 0;
}

uint8_t *wasi_scratch(struct wasi *wasi)
{
    if (!wasi->scratch)
        wasi->scratch = heap_take(wasi->heap, WASI_CHUNK);
    return wasi->scratch;
}
