/* Fetching a component from containerd; see artifact.h. The process that fetches tells first what
 * it found, and then writes the layer into a pipe; who asked copies and hashes it, and compares. */
#include "shim/containerd/artifact.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include "shim/containerd/grpc.h"
#include "shim/containerd/message.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DIGEST_TEXT   72 /* "sha256:", 64 digits, and NUL */
#define NAME_MOST     512
#define CHILDREN_MOST 64  /* of one blob */
#define DEPTH_MOST    3   /* an index, an index of its, a manifest */
#define BLOBS_MOST    512 /* that are looked at */

#define REFERENCE "containerd.io/gc.ref.content" /* how containerd labels what a blob names */

#define CONTAINERS_GET "/containerd.services.containers.v1.Containers/Get"

/* What a binary of WebAssembly begins with (core spec §5.5.16; a component's too). */
static const uint8_t magic[] = {0, 'a', 's', 'm'};

/* What goes before the layer. */
struct found {
    struct err err;
    char digest[DIGEST_TEXT];
};

/* One fetching. */
struct fetching {
    struct grpc grpc;
    const char *container;
    int to; /* the pipe */
    unsigned looked_at;
    unsigned components;
    struct found found;
};

/* --- One message ----------------------------------------------------------------------------- */

static int nonsense(struct err *err)
{
    return err_set(
        err, ERR_FAULT, ERR_NOWHERE,
        "containerd answers nonsense: check that its version is one that this carrel knows");
}

/* The text of an answer of containerd's; `ret` has NAME_MOST bytes. */
static int take_image_name(void *data, struct bytes message, struct err *err)
{
    struct message_wrapped wrapped;
    struct message_container container;
    char *ret = data;
    return message_get(wrapped, message, &wrapped) &&
                   message_get(container, wrapped.one, &container) &&
                   bytes_copy(container.image, ret, NAME_MOST)
               ? 0
               : nonsense(err);
}

static int take_target(void *data, struct bytes message, struct err *err)
{
    struct message_wrapped wrapped;
    struct message_image image;
    struct message_descriptor target;
    char *ret = data;
    return message_get(wrapped, message, &wrapped) && message_get(image, wrapped.one, &image) &&
                   message_get(descriptor, image.target, &target) &&
                   bytes_copy(target.digest, ret, DIGEST_TEXT)
               ? 0
               : nonsense(err);
}

struct children {
    unsigned count;
    char at[CHILDREN_MOST][DIGEST_TEXT];
};

/* The digests among a blob's labels. Others than SHA-256 are none of ours. */
static int take_children(void *data, struct bytes message, struct err *err)
{
    struct message_wrapped wrapped;
    struct message_content_info info;
    struct children *ret = data;
    struct bytes one;
    const size_t prefix = strlen(REFERENCE);
    if (!message_get(wrapped, message, &wrapped) || !message_get(content_info, wrapped.one, &info))
        return nonsense(err);
    while (message_next(&info.labels, 5, &one)) {
        struct message_label label;
        if (!message_get(label, one, &label))
            return nonsense(err);
        if (label.key.len < prefix || memcmp(label.key.at, REFERENCE, prefix) != 0)
            continue;
        if (ret->count == CHILDREN_MOST)
            return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                           "the image names more than %d blobs in one: make a smaller one",
                           CHILDREN_MOST);
        if (bytes_copy(label.value, ret->at[ret->count], DIGEST_TEXT))
            ret->count++;
    }
    return 0;
}

/* How the first bytes of a blob compare. */
struct beginning {
    size_t length; /* of what has come */
    bool wrong;
};

static int take_beginning(void *data, struct bytes message, struct err *err)
{
    struct message_read_answer answer;
    struct beginning *beginning = data;
    if (!message_get(read_answer, message, &answer))
        return nonsense(err);
    for (size_t i = 0; i < answer.data.len; i++, beginning->length++)
        beginning->wrong = beginning->wrong || beginning->length >= sizeof magic ||
                           answer.data.at[i] != magic[beginning->length];
    return 0;
}

static int take_layer(void *data, struct bytes message, struct err *err)
{
    const struct fetching *fetching = data;
    struct message_read_answer answer;
    if (!message_get(read_answer, message, &answer))
        return nonsense(err);
    return component_write(fetching->to, answer.data.at, answer.data.len)
               ? err_set(err, ERR_FAULT, ERR_NOWHERE,
                         "nobody takes the component any more: start the container again")
               : 0;
}

/* --- Asking ---------------------------------------------------------------------------------- */

/* *ret_there: there was an answer. */
static int call(struct fetching *fetching, const char *method, const struct writer *request,
                grpc_taker *take, void *data, bool *ret_there, struct err *err)
{
    size_t count = 0;
    if (grpc_call(&fetching->grpc, method, written(request), take, data, &count, err))
        return -1;
    *ret_there = count > 0;
    return 0;
}

/* Asks for something by its name. */
static int ask(struct fetching *fetching, const char *method, const char *name, grpc_taker *take,
               void *data, bool *ret_there, struct err *err)
{
    uint8_t bytes[NAME_MOST + 16];
    struct writer writer = WRITER(bytes);
    const struct message_named request = {bytes_of(name)};
    message_put(named, &request, &writer);
    return call(fetching, method, &writer, take, data, ret_there, err);
}

static int read_blob(struct fetching *fetching, const char *digest, uint64_t size, grpc_taker *take,
                     void *data, bool *ret_there, struct err *err)
{
    uint8_t bytes[DIGEST_TEXT + 32];
    struct writer writer = WRITER(bytes);
    const struct message_read_request request = {bytes_of(digest), 0, size};
    message_put(read_request, &request, &writer);
    return call(fetching, "/containerd.services.content.v1.Content/Read", &writer, take, data,
                ret_there, err);
}

/* Is it the component? Blobs that are not there are none: of another platform, most likely. */
static int look_at(struct fetching *fetching, const char *digest, bool *ret, struct err *err)
{
    bool there;
    struct beginning beginning = {0};
    *ret = false;
    if (strcmp(digest, fetching->found.digest) == 0)
        return 0; /* known already */
    if (++fetching->looked_at > BLOBS_MOST)
        return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                       "the image names more than %d blobs: make a smaller one", BLOBS_MOST);
    if (read_blob(fetching, digest, sizeof magic, take_beginning, &beginning, &there, err))
        return -1;
    *ret = beginning.length == sizeof magic && !beginning.wrong;
    return 0;
}

/* Goes through all that a blob names. */
static int walk(struct fetching *fetching, const char *digest, unsigned depth, struct err *err)
{
    struct children children = {.count = 0};
    bool there;
    if (ask(fetching, "/containerd.services.content.v1.Content/Info", digest, take_children,
            &children, &there, err))
        return -1;
    for (unsigned i = 0; i < children.count; i++) {
        bool component;
        if (look_at(fetching, children.at[i], &component, err))
            return -1;
        if (component) {
            fetching->components++;
            memcpy(fetching->found.digest, children.at[i], DIGEST_TEXT);
        } else if (depth + 1 < DEPTH_MOST && walk(fetching, children.at[i], depth + 1, err)) {
            return -1;
        }
    }
    return 0;
}

/* The layer that is the component: its digest is in `found` then. */
static int find_layer(struct fetching *fetching, struct err *err)
{
    char image[NAME_MOST] = "", target[DIGEST_TEXT] = "";
    bool there;
    if (ask(fetching, CONTAINERS_GET, fetching->container, take_image_name, image, &there, err))
        return -1;
    if (!there || !image[0])
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "the container has no image: make it from one");
    if (ask(fetching, "/containerd.services.images.v1.Images/Get", image, take_target, target,
            &there, err))
        return -1;
    if (!there)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "containerd has no image %s any more: fetch it again (ctr image pull)",
                       image);
    if (walk(fetching, target, 0, err))
        return -1;
    if (fetching->components == 1)
        return 0;
    return fetching->components
               ? err_set(err, ERR_USAGE, ERR_NOWHERE,
                         "the image %s has %u components, and carrel runs images of one: compose "
                         "them, or make an image of each",
                         image, fetching->components)
               : err_set(err, ERR_ABSENT, ERR_NOWHERE,
                         "no layer of the image %s is a component: name an image that has one",
                         image);
}

/* --- Labels ---------------------------------------------------------------------------------- */

struct labels {
    const char *prefix;
    artifact_label_taker *take;
    void *data;
};

static int take_labels(void *data, struct bytes message, struct err *err)
{
    const struct labels *labels = data;
    const size_t prefix = strlen(labels->prefix);
    struct message_wrapped wrapped;
    struct message_container container;
    struct message_label label;
    struct bytes one;
    if (!message_get(wrapped, message, &wrapped) ||
        !message_get(container, wrapped.one, &container))
        return nonsense(err);
    while (message_next(&container.labels, 2, &one))
        if (message_get(label, one, &label) && label.key.len > prefix &&
            memcmp(label.key.at, labels->prefix, prefix) == 0)
            labels->take(labels->data, label.key, label.value);
    return 0;
}

void artifact_labels(const struct artifact_place *place, const char *prefix,
                     artifact_label_taker *take, void *data)
{
    struct fetching fetching = {.container = place->container};
    struct labels labels = {prefix, take, data};
    bool there;
    if (place->address[0] &&
        grpc_connect(place->address, place->namespace, &fetching.grpc, NULL) == 0)
        ask(&fetching, CONTAINERS_GET, place->container, take_labels, &labels, &there, NULL);
    if (place->address[0])
        grpc_close(&fetching.grpc);
}

/* --- The process that fetches ---------------------------------------------------------------- */

/* It has two descriptors, and can read and write them, and have memory. */
static int close_walls(struct err *err)
{
    static const int calls[] = {
        SCMP_SYS(read),    SCMP_SYS(write), SCMP_SYS(munmap),          SCMP_SYS(mremap),
        SCMP_SYS(madvise), SCMP_SYS(brk),   SCMP_SYS(restart_syscall), SCMP_SYS(exit_group)};
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    const struct rlimit nothing = {0, 0};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int error = filter ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && i < countof(calls); i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    const struct scmp_arg_cmp plain = SCMP_A2(SCMP_CMP_EQ, PROT_READ | PROT_WRITE, 0);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, plain);
    if (error == 0 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setrlimit(RLIMIT_NOFILE, &nothing) ||
         setrlimit(RLIMIT_CORE, &nothing) || syscall(SYS_capset, &head, none)))
        error = -errno;
    if (error == 0)
        error = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return error ? err_set(err, ERR_WALL, ERR_NOWHERE,
                           "the walls of who fetches the component: %s: see what `carrel doctor` "
                           "says",
                           strerror(-error))
                 : 0;
}

enum { AT_CONTAINERD = 3, AT_PIPE };

static _Noreturn void fetch(struct fetching *fetching, pid_t parent)
{
    struct err err = {.offset = ERR_NOWHERE};
    bool there = false;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int containerd = fcntl(fetching->grpc.fd, F_DUPFD, AT_PIPE + 1);
    int to = fcntl(fetching->to, F_DUPFD, AT_PIPE + 1);
    if (getppid() != parent || containerd < 0 || to < 0 || dup2(containerd, AT_CONTAINERD) < 0 ||
        dup2(to, AT_PIPE) < 0)
        _exit(1);
    fetching->grpc.fd = AT_CONTAINERD;
    fetching->to = AT_PIPE;
    for (int fd = 0; fd < AT_CONTAINERD; fd++)
        close(fd);
    closefrom(AT_PIPE + 1);
    if (close_walls(&err) || find_layer(fetching, &err))
        fetching->found.err = err;
    if (component_write(AT_PIPE, &fetching->found, sizeof fetching->found) ||
        err.kind != ERR_NONE ||
        read_blob(fetching, fetching->found.digest, 0, take_layer, fetching, &there, &err))
        _exit(1);
    _exit(0);
}

/* --- Who asks -------------------------------------------------------------------------------- */

static int read_found(int from, struct found *ret, struct err *err)
{
    size_t used = 0;
    while (used < sizeof *ret) {
        ssize_t size = read(from, (char *)ret + used, sizeof *ret - used);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return err_set(err, ERR_FAULT, ERR_NOWHERE,
                           "who fetches the component died: see the kernel's log");
        used += (size_t)size;
    }
    ret->err.text[sizeof ret->err.text - 1] = '\0';
    if (ret->err.kind == ERR_NONE)
        return 0;
    return err_set(err, ret->err.kind, ERR_NOWHERE, "%s", ret->err.text);
}

/* Whether the copy is what containerd named: all of it, and nothing else. */
static bool is_named(const struct component *component, const char digest[DIGEST_TEXT])
{
    char text[DIGEST_TEXT];
    digest_text(component->digest, stpcpy(text, "sha256:"));
    return strncmp(text, digest, DIGEST_TEXT) == 0;
}

static int wait_for_more(void *data, int file, struct err *err)
{
    struct pollfd more = {file, POLLIN, 0};
    (void)data;
    (void)err; /* who fetches waits for containerd for a while, and no longer */
    while (poll(&more, 1, -1) < 0 && errno == EINTR)
        ;
    return 0;
}

static int take(int from, struct component *ret, struct err *err)
{
    struct found found;
    char path[32];
    if (read_found(from, &found, err))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", from);
    if (component_copy(path, wait_for_more, NULL, ret, err))
        return -1;
    if (is_named(ret, found.digest))
        return 0;
    component_close(ret);
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "the layer %.*s did not come whole from containerd: see its log",
                   DIGEST_TEXT - 1, found.digest);
}

int artifact_fetch(const struct artifact_place *place, struct component *ret, struct err *err)
{
    struct fetching fetching = {.container = place->container, .to = -1};
    int pipes[2];
    if (!place->address[0])
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "there is no containerd to fetch one from: `carrel pack` without --artifact "
                       "makes an image that has a file");
    if (grpc_connect(place->address, place->namespace, &fetching.grpc, err) ||
        pipe2(pipes, O_CLOEXEC)) {
        grpc_close(&fetching.grpc);
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "cannot make a pipe: %s: raise the limit on open files", strerror(errno));
    }
    fetching.to = pipes[1];
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        fetch(&fetching, parent);
    close(pipes[1]);
    grpc_close(&fetching.grpc);
    int result = pid < 0 ? err_set(err, ERR_FAULT, ERR_NOWHERE,
                                   "cannot start who fetches the component: %s: free some memory",
                                   strerror(errno))
                         : take(pipes[0], ret, err);
    close(pipes[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return result;
}
