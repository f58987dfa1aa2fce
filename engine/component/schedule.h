/* Who runs next: waiting, resuming, the queues of instances, entering and leaving them with fibers
 * (CanonicalABI.md "Threads", "Embedding").
 *
 * Scheduling is deterministic: threads that may go on stand in line, instances too. A thread whose
 * event came is *armed*: it stands in a queue of its instance, by what else must be so there (its
 * gate). An instance with such a thread and an open gate is in the store's list of runnable ones.
 * An armed thread may find its event gone, because another was faster: it is put back to wait, so
 * nobody has to be asked twice, and picking one takes constant time but for such threads. */
#ifndef CARREL_COMPONENT_SCHEDULE_H
#define CARREL_COMPONENT_SCHEDULE_H

#include "engine/component/waitable.h"

void queue_push(struct cm_queue *queue, struct cm_thread *thread);
void queue_remove(struct cm_thread *thread); /* from the queue that it is in */

/* To be called after anything that opens or closes a gate of the instance. */
void cm_reschedule(struct cm_instance *instance);

/* --- Waiting ------------------------------------------------------------------------------------
 */

/* The current thread begins to wait: `thread->set` or `->waitable` are given before. False if it
 * need not: what it waits for is there, or a request to cancel was (thread->cancelled). */
bool cm_wait_begin(struct cm_thread *thread, enum cm_wait wait, enum cm_gate gate,
                   bool cancellable);

/* Takes a request to cancel the thread's task that came while nobody listened. */
bool cm_take_cancel(struct cm_thread *thread, bool cancellable);

/* What a step answers while the current thread waits, called at each step until it gives true: the
 * thread may go on. Only for threads with frames. */
bool cm_wait_over(struct vm *vm, struct native *frame, struct cm_thread *thread,
                  enum native_answer *ret_answer);

/* It waits no more. */
void cm_wait_end(struct cm_thread *thread);

/* The thread, of whose waiting a set knows, may go on; or one more that waits for the set. */
void cm_arm(struct cm_thread *thread);
void cm_arm_waiters(struct waitable_set *set);

/* --- Running ------------------------------------------------------------------------------------
 */

/* Takes a thread of the instance that may go on, but not `except`; NULL: there is none. */
struct cm_thread *cm_pick(struct cm_instance *instance, const struct cm_thread *except);

/* Takes this thread, if it may go on and is the first of its queue. */
bool cm_pick_this(struct cm_thread *thread);

/* Takes a thread that the event loop may resume, of an instance that may be entered; NULL: there is
 * none. */
struct cm_thread *cm_pick_any(struct cm_store *store);

/* Resumes a thread that has a fiber or needs one: the step that calls this answers what it gives,
 * and calls cm_resumed when it is stepped again, with the thread that it runs on. */
enum native_answer cm_resume(struct vm *vm, struct native *frame, struct cm_thread *thread);
void cm_resumed(struct cm_store *store, struct cm_thread *current);

/* The current thread has no frames any more but the one that answers NATIVE_DONE next. */
void cm_give_fiber_up(struct cm_thread *thread);

#endif
