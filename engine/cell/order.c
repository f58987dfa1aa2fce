/* Takes in an order. The shim is trusted, but what does not add up is a fault of carrel's and ends
 * the cell rather than being guessed at. See shim/protocol.def for the form. */
#include "engine/cell/order.h"
#include "engine/base/arena.h"
#include "engine/base/attr.h"
#include "engine/base/region.h"
#include "engine/cell/tell.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ends the cell: a message that is none can only come from another version of carrel. */
static _Noreturn void no_order(const char *call, int error)
{
    tell_refused(WALL_COUNT, call, error);
}

/* One packet into `parts`; the number of bytes. Ends the cell if the shim is gone. */
static size_t receive(struct msghdr *packet)
{
    ssize_t size;
    do
        size = recvmsg(PROTOCOL_SOCKET, packet, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        _exit(0);
    if (packet->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        no_order("recvmsg", EMSGSIZE);
    return (size_t)size;
}

/* The order's own packet: its head, the first of its data, and all descriptors. The number of bytes
 * of data is returned; `*ret_last` is the last descriptor, or -1. */
static size_t receive_head(struct message_order *ret, void *data, size_t room, int *ret_last)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE((PROTOCOL_GRANTS + 1) * sizeof(int))];
    } control;
    struct iovec parts[] = {{ret, sizeof *ret}, {data, room}};
    struct msghdr packet = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    size_t size = receive(&packet);
    if (size < sizeof *ret || ret->kind != MESSAGE_ORDER || ret->role >= ROLES)
        no_order("recvmsg", EBADMSG);

    *ret_last = -1;
    size_t count = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
        count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_last, CMSG_DATA(rights) + (count - 1) * sizeof(int), sizeof(int));
    }
    if (count != (size_t)ret->grants + 1)
        no_order("recvmsg", EBADF);
    return size - sizeof *ret;
}

/* The rest of the data, in packets of their own. */
static void receive_data(uint8_t *data, size_t have, size_t want)
{
    while (have < want) {
        struct message_data head;
        struct iovec parts[] = {{&head, sizeof head}, {data + have, want - have}};
        struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
        size_t size = receive(&packet);
        if (size <= sizeof head || head.kind != MESSAGE_DATA)
            no_order("recvmsg", EBADMSG);
        have += size - sizeof head;
    }
    if (have != want)
        no_order("recvmsg", EBADMSG);
}

/* `count` records of `size` bytes from the front of what is left of the data. */
static const void *take(struct bytes *left, size_t count, size_t size)
{
    if (count > left->len / size)
        no_order("recvmsg", EBADMSG);
    const void *records = left->at;
    left->at += count * size;
    left->len -= count * size;
    return records;
}

static struct bytes map_component(int descriptor, uint64_t size)
{
    struct bytes component = {NULL, 0};
    if (size > 0) {
        void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (at == MAP_FAILED)
            no_order("mmap", errno);
        component = (struct bytes){at, size};
    }
    close(descriptor);
    return component;
}

/* What a grant of this kind shares: the page in which the shim counts time, those in which servers
 * count. NULL: there is no such grant. */
static void *map_shared(const struct order *order, enum grant_kind kind, size_t size, int access)
{
    for (uint32_t i = 0; i < order->head.grants; i++) {
        if (order->grants[i].kind != kind)
            continue;
        void *at = mmap(NULL, size, access, MAP_SHARED, (int)order->grants[i].descriptor, 0);
        if (at == MAP_FAILED)
            no_order("mmap", errno);
        return at;
    }
    return NULL;
}

/* Before the walls stand: behind them nobody can ask. */
static enum cell_stream stream_of(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return STREAM_FILE;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && flags & O_NONBLOCK ? STREAM_OWN : STREAM_WAITS;
}

void order_receive(void *arena, size_t size, struct order *ret)
{
    *ret = (struct order){0};
    int last;
    size_t have = receive_head(&ret->head, arena, PROTOCOL_PACKET, &last);
    const struct message_order *head = &ret->head;
    if (head->data_size > PROTOCOL_DATA || head->data_size > size || have > head->data_size)
        no_order("recvmsg", EMSGSIZE);
    receive_data(arena, have, head->data_size);

    struct bytes left = {arena, head->data_size};
    ret->rules = take(&left, head->rules, sizeof *ret->rules);
    ret->grants = take(&left, head->grants, sizeof *ret->grants);
    ret->program = take(&left, head->instructions, sizeof *ret->program);
    ret->narrow = take(&left, head->narrow, sizeof *ret->narrow);
    ret->texts = left;
    ret->used = ((size_t)head->data_size + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
    ret->component = map_component(last, head->component);
    for (uint32_t i = 0; i < head->grants; i++)
        if (ret->grants[i].descriptor < countof(ret->streams))
            ret->streams[ret->grants[i].descriptor] = stream_of((int)ret->grants[i].descriptor);
    ret->ticks = map_shared(ret, GRANT_TICKS, ARENA_PAGE, PROT_READ);
    ret->counters = map_shared(ret, GRANT_COUNTERS, PROTOCOL_COUNTERS * PROTOCOL_WORKERS,
                               PROT_READ | PROT_WRITE);
}

/* The next NUL-terminated text. */
static struct str next_text(struct bytes *left)
{
    const uint8_t *end = left->len ? memchr(left->at, 0, left->len) : NULL;
    if (!end)
        _exit(1);
    struct str text = {(const char *)left->at, (size_t)(end - left->at)};
    left->at += text.len + 1;
    left->len -= text.len + 1;
    return text;
}

static struct str *next_texts(struct bytes *left, struct region *region, size_t count)
{
    struct str *texts = region_array(region, struct str, count);
    if (count > 0 && !texts)
        _exit(1);
    for (size_t i = 0; i < count; i++)
        texts[i] = next_text(left);
    return texts;
}

/* What a cell that serves was told, and handed. */
static const struct cell_serving *serving_of(const struct order *order, struct region *region)
{
    const struct message_order *head = &order->head;
    if (head->role != ROLE_SERVE)
        return NULL;
    struct cell_serving *serving = region_new(region, struct cell_serving);
    if (!serving || head->isolation >= ISOLATIONS)
        _exit(1);
    *serving = (struct cell_serving){.isolation = (enum isolation)head->isolation,
                                     .requests = head->requests,
                                     .secure = head->secure == 1,
                                     .body = head->body,
                                     .time = head->request_time,
                                     .listener = -1,
                                     .events = -1,
                                     .leave = -1,
                                     .watch = -1,
                                     .log = -1,
                                     .log_json = head->log_json == 1,
                                     .worker = head->worker,
                                     .counters = order->counters,
                                     .narrow = order->narrow,
                                     .narrow_count = head->narrow,
                                     .ticks = order->ticks};
    for (uint32_t i = 0; i < head->grants; i++) {
        int fd = (int)order->grants[i].descriptor;
        serving->free = fd + 1;
        if (order->grants[i].kind == GRANT_HTTP_LISTENER)
            serving->listener = fd;
        else if (order->grants[i].kind == GRANT_EVENTS)
            serving->events = fd;
        else if (order->grants[i].kind == GRANT_LEAVE)
            serving->leave = fd;
        else if (order->grants[i].kind == GRANT_WATCH)
            serving->watch = fd;
        else if (order->grants[i].kind == GRANT_ACCESS_LOG)
            serving->log = fd;
    }
    if (serving->worker >= PROTOCOL_WORKERS)
        _exit(1);
    if (serving->listener < 0 || serving->events < 0 || serving->leave < 0 || !serving->ticks)
        _exit(1);
    return serving;
}

void order_open(const struct order *order, void *arena, size_t size, struct cell *ret)
{
    const struct message_order *head = &order->head;
    struct region region =
        region_of((uint8_t *)arena + order->used, (size - order->used) & ~(size_t)(ARENA_PAGE - 1));
    struct bytes left = order->texts;
    *ret = (struct cell){
        .component = order->component,
        .argument_count = head->arguments,
        .environment_count = head->environment,
        .config_count = head->config,
        .grant_count = head->grants,
        .invokes = head->invokes,
        .traced = head->traced,
        .terminals = head->terminals,
        .memory = head->memory,
        .stack = head->stack,
        .fuel = head->fuel,
        .capabilities = head->capabilities,
        .rules = head->allowed,
    };
    memcpy(ret->seed, head->seed, sizeof ret->seed);
    ret->arguments = next_texts(&left, &region, head->arguments);
    ret->environment = next_texts(&left, &region, head->environment);
    ret->config = next_texts(&left, &region, head->config);
    if (head->zone)
        ret->zone = next_text(&left);
    ret->grants = region_array(&region, struct cell_grant, head->grants);
    if (head->grants > 0 && !ret->grants)
        _exit(1);
    for (size_t i = 0; i < head->grants; i++) {
        const struct record_grant *grant = &order->grants[i];
        ret->grants[i] = (struct cell_grant){.kind = (enum grant_kind)grant->kind,
                                             .descriptor = (int)grant->descriptor,
                                             .rights = grant->rights,
                                             .stream = grant->descriptor < countof(order->streams)
                                                           ? order->streams[grant->descriptor]
                                                           : STREAM_WAITS,
                                             .name = next_text(&left)};
    }
    if (head->invokes)
        ret->call = next_text(&left);
    ret->serving = serving_of(order, &region);
    size_t taken = ((size_t)(region.at - region.base) + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
    ret->arena = region.base + taken;
    ret->arena_size = (size_t)(region.end - region.base) - taken;
}
