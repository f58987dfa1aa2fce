/* The shim of a container that an OCI runtime's commands made, and calls of it; see oci.h. */
#include "shim/containerd/oci.h"

#include "shim/cleanup.h"
#include "shim/containerd/service.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SERVICE "containerd.task.v2.Task"
#define IDLE    UINT64_C(60000000000) /* without a container: whoever made it is gone */

/* --- Calls ----------------------------------------------------------------------------------- */

int oci_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address))
        return -1;
    return take_fd(&fd);
}

static int hung_up(struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "the container's shim hung up, because it was ended: delete the container");
}

int oci_ask(int fd, const char *method, struct bytes request, struct err *err)
{
    uint8_t bytes[OCI_REQUEST_MOST + 256];
    struct writer frame = WRITER(bytes);
    ttrpc_call(&frame, 1, SERVICE, method, request);
    struct bytes whole = written(&frame);
    if (!whole.len)
        return err_set(err, ERR_LIMIT, ERR_NOWHERE, "the request has more than %d bytes: say less",
                       OCI_REQUEST_MOST);
    while (whole.len) {
        ssize_t size = send(fd, whole.at, whole.len, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return hung_up(err);
        whole.at += size;
        whole.len -= (size_t)size;
    }
    return 0;
}

static int take_answer(struct bytes body, struct writer *space, struct bytes *ret, struct err *err)
{
    struct message_response response;
    struct message_status status;
    if (!message_get(response, body, &response) || !message_get(status, response.status, &status) ||
        response.payload.len > space->size)
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "the container's shim answers nonsense: is carrel-oci of another version than it?");
    if (status.code != CODE_OK)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "%.*s", (int)status.text.len,
                       status.text.len ? (const char *)status.text.at : "");
    if (response.payload.len)
        memcpy(space->at, response.payload.at, response.payload.len);
    *ret = (struct bytes){space->at, response.payload.len};
    return 0;
}

int oci_hear(int fd, struct writer *space, struct bytes *ret, struct err *err)
{
    struct buffer in = {0};
    struct frame frame;
    struct bytes body;
    while (frame_find(buffer_bytes(&in), &frame, &body) == FRAME_PART) {
        ssize_t size = buffer_read(&in, fd, 4096);
        if (size == 0 || (size < 0 && errno != EINTR)) {
            buffer_free(&in);
            return hung_up(err);
        }
    }
    int result = take_answer(body, space, ret, err);
    buffer_free(&in);
    return result;
}

int oci_call(int fd, const char *method, struct bytes request, struct writer *space,
             struct bytes *ret, struct err *err)
{
    return oci_ask(fd, method, request, err) ? -1 : oci_hear(fd, space, ret, err);
}

int oci_call_task(int fd, const char *method, const char *id, const char *exec,
                  struct writer *space, struct bytes *ret, struct err *err)
{
    uint8_t bytes[2 * ID_MAX + 16];
    struct writer writer = WRITER(bytes);
    const struct message_task_request request = {bytes_of(id), bytes_of(exec)};
    message_put(task_request, &request, &writer);
    return oci_call(fd, method, written(&writer), space, ret, err);
}

int oci_call_kill(int fd, const char *id, const char *exec, uint64_t signal, struct err *err)
{
    uint8_t bytes[2 * ID_MAX + 32], answer[256];
    struct writer writer = WRITER(bytes), space = WRITER(answer);
    struct bytes nothing;
    const struct message_kill_request request = {
        .id = bytes_of(id), .exec = bytes_of(exec), .signal = signal};
    message_put(kill_request, &request, &writer);
    return oci_call(fd, "Kill", written(&writer), &space, &nothing, err);
}

void oci_wait_end(int fd)
{
    char byte;
    ssize_t size;
    while ((size = read(fd, &byte, 1)) > 0 || (size < 0 && errno == EINTR))
        ;
}

/* --- The shim -------------------------------------------------------------------------------- */

static void move(int from, int to)
{
    if (dup2(from, to) < 0) /* the caller's is closed */
        close(to);
    else
        fcntl(to, F_SETFD, FD_CLOEXEC);
}

_Noreturn void oci_serve(int listener)
{
    static struct service service;
    /* Neither of these is the other's place. */
    int kept = fcntl(listener, F_DUPFD, OCI_STREAMS + 3);
    for (int stream = 0; stream < 3; stream++)
        move(stream, OCI_STREAMS + stream);
    move(kept, 3);
    for (int fd = 4; fd < OCI_STREAMS; fd++)
        close(fd);
    closefrom(OCI_STREAMS + 3);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int stream = 0; null >= 0 && stream < 3; stream++)
        dup2(null, stream);
    close(null);
    setsid();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    prctl(PR_SET_NAME, "carrel-shim", 0, 0, 0);
    service.once = true;
    service_run(&service, 3, OCI_WORD, "", IDLE);
    _exit(service.exit_status);
}
