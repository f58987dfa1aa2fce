/* wasi:random. Nothing here asks the kernel; see random.h. */
#include "engine/wasi/table.h"
#include "engine/wasi/types.h"

static enum host_answer random_bytes(struct host_call *call, uint64_t len, byte_list *result,
                                     bool secure)
{
    struct wasi *wasi = call->host;
    if (len > WASI_RANDOM)
        return host_trap(call, "%llu random bytes by one call, at most %d are given",
                         (unsigned long long)len, WASI_RANDOM);
    uint8_t *bytes = host_alloc(call, len ? (size_t)len : 1);
    if (!bytes)
        return wasi_no_memory(call);
    if (secure)
        chacha_bytes(&wasi_numbers(wasi)->chacha, bytes, (size_t)len);
    else
        mixer_bytes(&wasi_numbers(wasi)->mixer, bytes, (size_t)len);
    result->at = bytes;
    result->len = (size_t)len;
    return HOST_DONE;
}

/* There is no value that would say no, and none that may be foreseen. */
static enum host_answer not_granted(struct host_call *call)
{
    return host_trap(call, "random numbers are not granted");
}

enum host_answer wasi_get_random_bytes(struct host_call *call, const void *args, void *result)
{
    const struct wasi *wasi = call->host;
    return wasi->random ? random_bytes(call, *(const uint64_t *)args, result, /*secure=*/true)
                        : not_granted(call);
}

enum host_answer wasi_get_random_u64(struct host_call *call, const void *args, void *result)
{
    struct wasi *wasi = call->host;
    (void)args;
    if (!wasi->random)
        return not_granted(call);
    *(uint64_t *)result = chacha_u64(&wasi_numbers(wasi)->chacha);
    return HOST_DONE;
}

enum host_answer wasi_get_insecure_random_bytes(struct host_call *call, const void *args,
                                                void *result)
{
    return random_bytes(call, *(const uint64_t *)args, result, /*secure=*/false);
}

enum host_answer wasi_get_insecure_random_u64(struct host_call *call, const void *args,
                                              void *result)
{
    struct wasi *wasi = call->host;
    (void)args;
    *(uint64_t *)result = mixer_u64(&wasi_numbers(wasi)->mixer);
    return HOST_DONE;
}

enum host_answer wasi_insecure_seed(struct host_call *call, const void *args, void *result)
{
    const struct generators *numbers = wasi_numbers(call->host);
    (void)args;
    memcpy(result, numbers->insecure_seed, sizeof numbers->insecure_seed);
    return HOST_DONE;
}
