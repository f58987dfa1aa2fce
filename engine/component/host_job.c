/* Async functions of the host at work; see async.h, and host.h for what they are told. */
#include "engine/component/async.h"

#include "engine/component/called.h"
#include "engine/component/layout.h"
#include "engine/component/limits.h"
#include "engine/component/store.h"

/* --- The store's lists --------------------------------------------------------------------------
 */

static void list_add(struct cm_store *store, struct cm_subtask *subtask)
{
    struct host_job *job = &subtask->job;
    job->listed = true;
    job->before = NULL;
    job->after = store->host_calls;
    if (job->after)
        job->after->job.before = subtask;
    store->host_calls = subtask;
    store->nasync++;
}

static void list_remove(struct cm_store *store, struct cm_subtask *subtask)
{
    struct host_job *job = &subtask->job;
    if (job->before)
        job->before->job.after = job->after;
    else
        store->host_calls = job->after;
    if (job->after)
        job->after->job.before = job->before;
    job->listed = false;
    store->nasync--;
}

static void woken_remove(struct cm_store *store, struct cm_subtask *subtask)
{
    struct host_job *job = &subtask->job;
    if (!job->woken)
        return;
    if (job->woken_before)
        job->woken_before->job.woken_after = job->woken_after;
    else
        store->host_woken = job->woken_after;
    if (job->woken_after)
        job->woken_after->job.woken_before = job->woken_before;
    else
        store->host_woken_last = job->woken_before;
    job->woken = false;
}

static void wake(struct cm_store *store, struct cm_subtask *subtask)
{
    struct host_job *job = &subtask->job;
    if (job->woken)
        return;
    job->woken = true;
    job->woken_before = store->host_woken_last;
    job->woken_after = NULL;
    if (store->host_woken_last)
        store->host_woken_last->job.woken_after = subtask;
    else
        store->host_woken = subtask;
    store->host_woken_last = subtask;
}

void cm_wake(struct cm_store *store, void *waiter)
{
    struct cm_subtask *subtask = waiter;
    if (subtask) {
        subtask->job.waits = false; /* forgotten, by who wakes it */
        wake(store, subtask);
    }
    for (struct cm_subtask *at = store->host_calls; !waiter && at; at = at->job.after)
        wake(store, at);
}

void *host_waiter(const struct host_call *call)
{
    return call->job ? call->job : vm_fiber(call->vm);
}

/* --- Calls --------------------------------------------------------------------------------------
 */

/* Its result was not lowered: the trap says whose, because any frame may be at work now. False. */
static COLD bool lost(const struct lowered *low)
{
    char text[96];
    struct cm_text name = {text, sizeof text, 0};
    cm_called_func(&name, low->instance->component, low->canon->func);
    vm_trap_within(low->instance->store->vm, "%s: ", text);
    return false;
}

/* Calls the function, and does what its answer means. False: it trapped. */
static bool try(struct cm_subtask *subtask, struct native *frame)
{
    const struct lowered *low = subtask->low;
    struct cm_store *store = low->instance->store;
    struct host_job *job = &subtask->job;
    /* It looks again for itself, and may be gone after that: nobody may know its address then. */
    if (job->waits && low->callee->forget)
        low->callee->forget(low->callee->host, subtask);
    job->waits = false;
    enum host_answer answer =
        low->callee->fn(&job->call, low->type->nparams ? job->args : NULL, job->result);
    job->call.resumed = true;
    if (answer == HOST_BLOCKED) {
        job->waits = true;
        if (!job->listed)
            list_add(store, subtask);
        return true;
    }
    bool done = answer == HOST_DONE && (subtask_return(subtask, frame, job->result) || lost(low));
    if (answer == HOST_CANCELLED && job->call.cancelled) {
        subtask_cancelled(subtask);
        done = true;
    }
    if (job->listed)
        list_remove(store, subtask);
    woken_remove(store, subtask);
    scratch_release(&job->values);
    return done;
}

bool host_job_begin(struct cm_subtask *subtask, struct vm *vm, struct native *frame)
{
    const struct lowered *low = subtask->low;
    struct cm_store *store = low->instance->store;
    struct host_job *job = &subtask->job;
    size_t args = low->type->layout.host_size;
    size_t result = low->type->result ? low->type->result->layout.host_size : 0;
    if (!async_may_begin(store))
        return false;
    job->values.store = store;
    job->args = scratch_take(&job->values, args);
    job->result = scratch_take(&job->values, result);
    if (!job->args || !job->result)
        return scratch_full(&job->values, args > result ? args : result);
    memset(job->args, 0, args);
    memset(job->result, 0, result);
    job->call = (struct host_call){
        .vm = vm, .host = low->callee->host, .job = subtask, .scratch = &job->values};
    return subtask_start(subtask, &job->values, true, job->args) && try(subtask, frame);
}

bool host_job_cancel(struct cm_subtask *subtask, struct native *frame)
{
    subtask->job.call.cancelled = true;
    return try(subtask, frame);
}

bool host_jobs_run(struct cm_store *store, struct native *frame)
{
    /* Those that are woken meanwhile have to wait. */
    const struct cm_subtask *last = store->host_woken_last;
    for (bool end = false; store->host_woken && !end;) {
        struct cm_subtask *subtask = store->host_woken;
        end = subtask == last;
        woken_remove(store, subtask);
        if (!try(subtask, frame))
            return false;
    }
    return true;
}
