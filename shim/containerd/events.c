/* Telling events; see events.h. */
#include "shim/containerd/events.h"

#include "shim/cleanup.h"
#include "shim/containerd/task.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define MILLISECOND UINT64_C(1000000)
#define PATIENCE    (5000 * MILLISECOND) /* for an answer */
#define PAUSE_FIRST (20 * MILLISECOND)
#define PAUSE_MOST  (1000 * MILLISECOND)
#define REFUSALS    5 /* then an event is dropped: containerd does not want it */
#define QUEUE_MOST  (1u << 20)
/* The largest is of a creation: its ids, its bundle, the names of three streams, and what is around
 * them. */
#define EVENT_MOST (2 * ID_MAX + BUNDLE_MAX + 3 * STREAM_NAME + 512)

static const struct {
    const char *topic;
    const char *type;
    enum message_of of;
} kinds[EVENT_TOPICS] = {
#define EVENT(NAME, topic, type, message) {topic, type, OF_##message},
#include "shim/containerd/event.def"
};

void events_start(struct events *events, const char *address, const char *namespace)
{
    *events = (struct events){.fd = -1, .pause = PAUSE_FIRST};
    snprintf(events->address, sizeof events->address, "%s", address);
    snprintf(events->namespace, sizeof events->namespace, "%s", namespace);
}

void events_close(struct events *events)
{
    if (events->fd >= 0)
        close(take_fd(&events->fd));
    buffer_free(&events->queue);
    buffer_free(&events->in);
    buffer_free(&events->out);
}

void events_rest(struct events *events)
{
    buffer_rest(&events->queue);
    buffer_rest(&events->in);
    buffer_rest(&events->out);
}

/* The queue holds, for each event, the size of its envelope and the envelope. */
void events_tell(struct events *events, enum event_topic topic, const void *message)
{
    uint8_t event_bytes[EVENT_MOST], any_bytes[EVENT_MOST], time_bytes[32], envelope[EVENT_MOST];
    struct writer event = WRITER(event_bytes), any = WRITER(any_bytes), time = WRITER(time_bytes);
    struct writer whole = WRITER(envelope);
    struct timespec now;
    if (!events->address[0] || events->queue.used > QUEUE_MOST)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct message_timestamp at = {(uint64_t)now.tv_sec, (uint64_t)now.tv_nsec};
    message_put(timestamp, &at, &time);
    message_write(kinds[topic].of, message, &event);
    const struct message_any wrapped = {bytes_of(kinds[topic].type), written(&event)};
    message_put(any, &wrapped, &any);
    const struct message_envelope said = {written(&time), bytes_of(events->namespace),
                                          bytes_of(kinds[topic].topic), written(&any)};
    message_put(envelope, &said, &whole);
    uint32_t size = (uint32_t)written(&whole).len;
    if (!buffer_room(&events->queue, sizeof size + size))
        return;
    memcpy(events->queue.at + events->queue.used, &size, sizeof size);
    memcpy(events->queue.at + events->queue.used + sizeof size, envelope, size);
    events->queue.used += sizeof size + size;
}

/* The connection is of no use any more. Tries again after a while, which grows. */
static void retreat(struct events *events)
{
    if (events->fd >= 0)
        close(take_fd(&events->fd));
    buffer_drop(&events->in, events->in.used);
    buffer_drop(&events->out, events->out.used);
    events->asked = false;
    events->again = cell_now() + events->pause;
    events->pause = events->pause * 2 < PAUSE_MOST ? events->pause * 2 : PAUSE_MOST;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
        sizeof address.sun_path)
        return -1;
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        return -1;
    return take_fd(&fd);
}

/* Sends the first event of the queue, if there is one and it is time. */
static void advance(struct events *events)
{
    uint64_t now = cell_now();
    if (!events_pending(events) || events->asked || now < events->again)
        return;
    if (events->fd < 0 && (events->fd = connect_to(events->address)) < 0) {
        retreat(events);
        return;
    }
    uint32_t size;
    memcpy(&size, events->queue.at, sizeof size);
    uint8_t payload[EVENT_MOST + 16], frame[EVENT_MOST + 128];
    struct writer request = WRITER(payload), call = WRITER(frame);
    const struct message_forward_request forward = {{events->queue.at + sizeof size, size}};
    message_put(forward_request, &forward, &request);
    events->stream += 2;
    ttrpc_call(&call, events->stream | 1, "containerd.services.events.ttrpc.v1.Events", "Forward",
               written(&request));
    struct bytes bytes = written(&call);
    if (!buffer_room(&events->out, bytes.len)) {
        retreat(events);
        return;
    }
    memcpy(events->out.at + events->out.used, bytes.at, bytes.len);
    events->out.used += bytes.len;
    events->asked = true;
    events->again = now + PATIENCE;
    if (!buffer_send(&events->out, events->fd))
        retreat(events);
}

void events_wait(struct events *events, struct polls *polls)
{
    advance(events);
    short wanted = (short)(POLLIN | (events->out.used ? POLLOUT : 0));
    events->place = polls_add(polls, (struct pollfd){events->fd, wanted, 0});
    if (events_pending(events))
        polls_until(polls, events->again);
}

/* The first event was taken, or will never be. */
static void done(struct events *events)
{
    uint32_t size;
    memcpy(&size, events->queue.at, sizeof size);
    buffer_drop(&events->queue, sizeof size + size);
    events->refused = 0;
    events->pause = PAUSE_FIRST;
    events->again = 0;
}

static void take_answer(struct events *events, const struct frame *frame, struct bytes body)
{
    struct message_response response;
    struct message_status status;
    if (!events->asked || frame->type != TTRPC_RESPONSE || frame->stream != (events->stream | 1))
        return;
    events->asked = false;
    bool taken = message_get(response, body, &response) &&
                 message_get(status, response.status, &status) && status.code == CODE_OK;
    if (taken || ++events->refused >= REFUSALS)
        done(events);
    else
        events->again = cell_now() + PAUSE_MOST;
}

static void take_answers(struct events *events)
{
    for (;;) {
        struct frame frame;
        struct bytes body;
        enum frame_found found = frame_find(buffer_bytes(&events->in), &frame, &body);
        if (found == FRAME_TOO_LARGE)
            retreat(events);
        if (found != FRAME_WHOLE)
            return;
        take_answer(events, &frame, body);
        buffer_drop(&events->in, TTRPC_HEAD + body.len);
    }
}

void events_act(struct events *events, const struct polls *polls)
{
    int happened = events->fd >= 0 ? polls_events(polls, events->place) : 0;
    if (happened & POLLOUT && !buffer_send(&events->out, events->fd))
        retreat(events);
    else if (happened & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t size = buffer_read(&events->in, events->fd, 4096);
        if (size > 0)
            take_answers(events);
        else if (size == 0 || (errno != EAGAIN && errno != EINTR))
            retreat(events);
    }
    if (events->asked && cell_now() >= events->again)
        retreat(events); /* no answer: once more, elsewhere */
    advance(events);
}
