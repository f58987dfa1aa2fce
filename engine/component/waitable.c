/* Waitables; see waitable.h. */
#include "engine/component/waitable.h"

#include "engine/base/list.h"
#include "engine/component/async.h"
#include "engine/component/schedule.h"
#include "engine/component/stream.h"

/* --- The events of a set ------------------------------------------------------------------------
 */

static void set_add(struct waitable_set *set, struct waitable *waitable)
{
    LIST_APPEND(set->first, set->last, waitable, before, after);
    set->npending++;
    cm_arm_waiters(set);
}

static void set_remove(struct waitable_set *set, struct waitable *waitable)
{
    LIST_REMOVE(set->first, set->last, waitable, before, after);
    set->npending--;
}

/* --- Waitables ----------------------------------------------------------------------------------
 */

void waitable_notify(struct waitable *waitable)
{
    if (waitable->pending)
        return;
    waitable->pending = true;
    if (waitable->set)
        set_add(waitable->set, waitable);
    if (waitable->waiter && !waitable->waiter->shared)
        cm_arm(waitable->waiter);
}

void waitable_clear(struct waitable *waitable)
{
    if (waitable->pending && waitable->set)
        set_remove(waitable->set, waitable);
    waitable->pending = false;
}

struct event waitable_take(struct waitable *waitable)
{
    waitable_clear(waitable);
    if (waitable->handle_kind == HANDLE_SUBTASK)
        return subtask_event((struct cm_subtask *)waitable);
    return end_event((struct cm_end *)waitable);
}

struct event waitable_set_take(struct waitable_set *set)
{
    return waitable_take(set->first);
}

void waitable_join(struct waitable *waitable, struct waitable_set *set)
{
    if (waitable->set) {
        if (waitable->pending)
            set_remove(waitable->set, waitable);
        waitable->set->members--;
    }
    waitable->set = set;
    if (!set)
        return;
    set->members++;
    if (waitable->pending)
        set_add(set, waitable);
}
