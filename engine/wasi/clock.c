/* wasi:clocks. */
#include "engine/wasi/clock.h"

#include "engine/base/deadline.h"
#include "engine/wasi/pollable.h"
#include "engine/wasi/table.h"
#include "engine/wasi/zone.h"

/* What the steady clock says when the guest first reads it: guests go back from there, and some
 * take 0 for a clock that does not work. */
#define HEAD_START UINT64_C(1000000000)

uint64_t clock_steady(struct wasi *wasi)
{
    if (!wasi->clock)
        return 0;
    uint64_t now = sys_now();
    if (!wasi->started) {
        wasi->started = true;
        wasi->clock_base = now > HEAD_START ? now - HEAD_START : 0;
    }
    return now - wasi->clock_base;
}

uint64_t clock_until(struct wasi *wasi, uint64_t steady)
{
    if (!wasi->clock)
        return 0;
    clock_steady(wasi); /* sets the base */
    return deadline_after(wasi->clock_base, steady);
}

uint64_t clock_after(struct wasi *wasi, uint64_t duration)
{
    return wasi->clock ? deadline_after(sys_now(), duration) : 0;
}

static uint64_t vm_now(void *data)
{
    (void)data;
    return sys_now();
}

static bool vm_wake(void *data, struct fiber *fiber, uint64_t moment)
{
    struct wasi *wasi = data;
    return reactor_time(&wasi->reactor, fiber, moment);
}

struct vm_clock clock_for_vm(struct wasi *wasi)
{
    bool passes = wasi->clock && wasi->steady;
    return (struct vm_clock){.now = passes ? vm_now : NULL, .wake = vm_wake, .data = wasi};
}

struct timespec clock_real(const struct wasi *wasi)
{
    struct timespec now = wasi->clock ? sys_real_time() : (struct timespec){0};
    return now.tv_sec < 0 ? (struct timespec){0} : now;
}

/* --- wasi:clocks/monotonic-clock ----------------------------------------------------------------
 */

enum host_answer wasi_monotonic_now(struct host_call *call, const void *args, void *result)
{
    (void)args;
    *(uint64_t *)result = clock_steady(call->host);
    return HOST_DONE;
}

enum host_answer wasi_monotonic_resolution(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    *(uint64_t *)result = CLOCK_RESOLUTION;
    return HOST_DONE;
}

static enum host_answer subscribe(struct host_call *call, uint64_t until, struct pollable **result)
{
    *result = pollable_time(call->host, until);
    return *result ? HOST_DONE : wasi_no_memory(call);
}

enum host_answer wasi_monotonic_subscribe_instant(struct host_call *call, const void *args,
                                                  void *result)
{
    return subscribe(call, clock_until(call->host, *(const uint64_t *)args), result);
}

enum host_answer wasi_monotonic_subscribe_duration(struct host_call *call, const void *args,
                                                   void *result)
{
    return subscribe(call, clock_after(call->host, *(const uint64_t *)args), result);
}

/* --- wasi:clocks/wall-clock ---------------------------------------------------------------------
 */

enum host_answer wasi_wall_now(struct host_call *call, const void *args, void *result)
{
    (void)args;
    struct timespec now = clock_real(call->host);
    *(struct datetime *)result = (struct datetime){(uint64_t)now.tv_sec, (uint32_t)now.tv_nsec};
    return HOST_DONE;
}

enum host_answer wasi_wall_resolution(struct host_call *call, const void *args, void *result)
{
    (void)call;
    (void)args;
    *(struct datetime *)result = (struct datetime){0, CLOCK_RESOLUTION};
    return HOST_DONE;
}

/* --- wasi:clocks/timezone (unstable) ------------------------------------------------------------
 */

struct timezone_display {
    int32_t utc_offset;
    struct str name;
    bool in_daylight_saving_time;
};

enum host_answer wasi_timezone_display(struct host_call *call, const void *args, void *result)
{
    const struct datetime *when = args;
    const struct zone_span *zone = zone_at(call->host, when->seconds);
    struct timezone_display *display = result;
    *display = (struct timezone_display){.name = str_of("UTC")};
    if (zone)
        *display = (struct timezone_display){zone->offset, zone->name, zone->daylight};
    return HOST_DONE;
}

enum host_answer wasi_timezone_utc_offset(struct host_call *call, const void *args, void *result)
{
    const struct datetime *when = args;
    const struct zone_span *zone = zone_at(call->host, when->seconds);
    *(int32_t *)result = zone ? zone->offset : 0;
    return HOST_DONE;
}
