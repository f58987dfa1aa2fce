/* Orders; the form is that of protocol.def. Everything in them comes from the array of operations.
 */
#include "shim/order.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Appends to the data of an order; counts only while there is no memory yet. */
struct writer {
    uint8_t *at; /* or NULL */
    size_t size;
};

static void put(struct writer *out, const void *bytes, size_t size)
{
    if (out->at && size > 0)
        memcpy(out->at + out->size, bytes, size);
    out->size += size;
}

static void put_text(struct writer *out, const char *text)
{
    put(out, text, strlen(text) + 1);
}

static void put_list(struct writer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        put_text(out, list->at[i]);
}

static const struct operation_grant *grant_numbered(const struct plan *plan, uint64_t number)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind == OPERATION_GRANT && plan->at[i].of.grant.grant == number)
            return &plan->at[i].of.grant;
    }
    return NULL;
}

static int put_rules(struct writer *out, const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind != OPERATION_LANDLOCK_RULE)
            continue;
        const struct operation_landlock_rule *rule = &plan->at[i].of.landlock_rule;
        const struct operation_grant *grant = grant_numbered(plan, rule->grant);
        if (!grant)
            return err_set(
                err, ERR_FAULT, ERR_NOWHERE,
                "a Landlock rule without its grant: this is a mistake in carrel: please report it");
        struct record_rule record = {.files = rule->files,
                                     .descriptor = (uint32_t)grant->descriptor};
        put(out, &record, sizeof record);
    }
    return 0;
}

/* The descriptor that grant `number` becomes in the cell; see protocol.def. */
static uint64_t expected_descriptor(uint64_t number)
{
    return number < PROTOCOL_SOCKET ? number : number + 1;
}

static int put_grants(struct writer *out, const struct plan *plan, uint32_t count, struct err *err)
{
    for (uint32_t number = 0; number < count; number++) {
        const struct operation_grant *grant = grant_numbered(plan, number);
        if (!grant || grant->descriptor != expected_descriptor(number))
            return err_set(
                err, ERR_FAULT, ERR_NOWHERE,
                "grant %u is not where it will be: this is a mistake in carrel: please report it",
                number);
        struct record_grant record = {.kind = (uint32_t)grant->kind,
                                      .descriptor = (uint32_t)grant->descriptor,
                                      .rights = grant->rights};
        put(out, &record, sizeof record);
    }
    return 0;
}

static void put_texts(struct writer *out, const struct plan *plan, uint32_t grants)
{
    const struct operation *arguments = plan_find(plan, OPERATION_ARGUMENTS);
    const struct operation *environment = plan_find(plan, OPERATION_ENVIRONMENT);
    const struct operation *invoke = plan_find(plan, OPERATION_INVOKE);
    if (arguments)
        put_list(out, &arguments->of.arguments.list);
    const struct operation *config = plan_find(plan, OPERATION_CONFIG);
    const struct operation *zone = plan_find(plan, OPERATION_ZONE);
    if (environment)
        put_list(out, &environment->of.environment.list);
    if (config)
        put_list(out, &config->of.config.list);
    if (zone)
        put_text(out, zone->of.zone.table);
    for (uint32_t number = 0; number < grants; number++)
        put_text(out, grant_numbered(plan, number)->name);
    if (invoke)
        put_text(out, invoke->of.invoke.call);
}

/* The data in the order that protocol.def gives. */
static int put_data(struct writer *out, const struct plan *plan, const struct message_order *head,
                    struct err *err)
{
    if (put_rules(out, plan, err) || put_grants(out, plan, head->grants, err))
        return -1;
    const struct operation *seccomp = plan_find(plan, OPERATION_SECCOMP);
    if (seccomp)
        put(out, seccomp->of.seccomp.program.code,
            seccomp->of.seccomp.program.count * sizeof(struct record_instruction));
    const struct operation *narrow = plan_find(plan, OPERATION_NARROW);
    if (narrow)
        put(out, narrow->of.narrow.program.code,
            narrow->of.narrow.program.count * sizeof(struct record_instruction));
    put_texts(out, plan, head->grants);
    return 0;
}

/* Memory is given back in pages, and never more than there is. */
static uint64_t whole_pages(uint64_t size)
{
    const uint64_t all = UINT64_C(1) << PROTOCOL_ARENA_SHIFT, page = 4096;
    return size < all ? (size + page - 1) / page * page : all;
}

/* What one operation says about the head. */
static void fill_head(struct order *order, const struct operation *operation)
{
    struct message_order *head = &order->head;
    switch (operation->kind) {
    case OPERATION_ROLE: head->role = role_named(operation->of.role.role); break;
    case OPERATION_GRANT: head->grants++; break;
    case OPERATION_TERMINALS: head->terminals = (uint32_t)operation->of.terminals.streams; break;
    case OPERATION_ARGUMENTS: head->arguments = (uint32_t)operation->of.arguments.list.count; break;
    case OPERATION_ENVIRONMENT:
        head->environment = (uint32_t)operation->of.environment.list.count;
        break;
    case OPERATION_CONFIG: head->config = (uint32_t)operation->of.config.list.count; break;
    case OPERATION_ZONE: head->zone = 1; break;
    case OPERATION_SEED: memcpy(head->seed, operation->of.seed.seed, sizeof head->seed); break;
    case OPERATION_LIMITS:
        head->memory = operation->of.limits.memory;
        head->stack = operation->of.limits.stack;
        head->fuel = operation->of.limits.fuel;
        break;
    case OPERATION_GRANTED:
        head->capabilities = operation->of.granted.capabilities;
        head->allowed = operation->of.granted.rules;
        break;
    case OPERATION_TRACE: head->traced = 1; break;
    case OPERATION_INVOKE: head->invokes = 1; break;
    case OPERATION_SERVE:
        head->isolation = isolation_named(operation->of.serve.isolation);
        head->requests = (uint32_t)operation->of.serve.requests;
        head->secure = operation->of.serve.secure != 0;
        head->worker = (uint32_t)operation->of.serve.worker;
        head->log_json = operation->of.serve.log_json != 0;
        head->body = operation->of.serve.body;
        head->request_time = operation->of.serve.time;
        break;
    case OPERATION_NARROW: head->narrow = (uint32_t)operation->of.narrow.program.count; break;
    case OPERATION_TIME: order->time = operation->of.time.time; break;
    case OPERATION_ARENA_CUT: head->arena = whole_pages(operation->of.arena_cut.size); break;
    case OPERATION_LANDLOCK:
        head->landlocks = 1;
        head->landlock[0] = operation->of.landlock.files;
        head->landlock[1] = operation->of.landlock.net;
        head->landlock[2] = operation->of.landlock.scopes;
        break;
    case OPERATION_LANDLOCK_RULE: head->rules++; break;
    case OPERATION_SECCOMP:
        head->instructions = (uint32_t)operation->of.seccomp.program.count;
        break;
    default: break;
    }
}

int order_make(const struct plan *plan, const struct component *component, struct order *ret,
               struct err *err)
{
    *ret = (struct order){
        .head = {.kind = MESSAGE_ORDER,
                 .role = ROLES,
                 .component = component->size,
                 .arena = UINT64_C(1) << PROTOCOL_ARENA_SHIFT,
                 .memory = UINT64_MAX,
                 .fuel = UINT64_MAX},
        .time = UINT64_MAX,
    };
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->at[i];
        const struct operation_info *info = &operation_infos[operation->kind];
        fill_head(ret, operation);
        if (operation->may_fail && info->wall != WALL_NONE &&
            (info->phase == PHASE_START || info->phase == PHASE_LOCKDOWN))
            ret->head.may_miss |= WALL_BIT(info->wall);
    }
    if (ret->head.role == ROLES || ret->head.grants > PROTOCOL_GRANTS ||
        ret->head.instructions > PROTOCOL_INSTRUCTIONS || ret->head.narrow > PROTOCOL_INSTRUCTIONS)
        return err_set(
            err, ERR_FAULT, ERR_NOWHERE,
            "the plan of the cell makes no sense: this is a mistake in carrel: please report it");
    struct writer out = {NULL, 0};
    if (put_data(&out, plan, &ret->head, err))
        return -1;
    if (out.size > PROTOCOL_DATA)
        return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                       "arguments and environment take %zu bytes; a cell takes %d", out.size,
                       PROTOCOL_DATA);
    ret->head.data_size = (uint32_t)out.size;
    ret->data = malloc(out.size > 0 ? out.size : 1);
    if (!ret->data)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "out of memory for an order: close something and try again");
    out = (struct writer){ret->data, 0};
    return put_data(&out, plan, &ret->head, err);
}

static ssize_t send_packet(int socket, const void *head, size_t head_size, const uint8_t *data,
                           size_t data_size, void *control, size_t control_size)
{
    /* sendmsg does not write through these. */
    struct iovec parts[] = {{(void *)(uintptr_t)head, head_size},
                            {(void *)(uintptr_t)data, data_size}};
    struct msghdr packet = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = control_size};
    ssize_t sent;
    do
        sent = sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* The first packet: the head, the descriptors, and as much of the data as fits. */
static ssize_t send_first(const struct order *order, int socket, const struct component *component,
                          const struct grants *grants, size_t size)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE((PROTOCOL_GRANTS + 1) * sizeof(int))];
    } control = {0};
    size_t count = order->head.grants;
    control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN((count + 1) * sizeof(int))};
    memcpy(CMSG_DATA(&control.header), grants->at, count * sizeof(int));
    memcpy(CMSG_DATA(&control.header) + count * sizeof(int), &component->memory, sizeof(int));
    return send_packet(socket, &order->head, sizeof order->head, order->data, size, control.bytes,
                       CMSG_SPACE((count + 1) * sizeof(int)));
}

int order_send(struct order *order, int socket, const struct component *component,
               const struct grants *grants)
{
    while (!order->begun || order->sent < order->head.data_size) {
        const struct message_data more = {MESSAGE_DATA};
        size_t room = PROTOCOL_PACKET - (order->begun ? sizeof more : sizeof order->head);
        size_t left = order->head.data_size - order->sent;
        size_t size = left < room ? left : room;
        ssize_t sent = order->begun ? send_packet(socket, &more, sizeof more,
                                                  order->data + order->sent, size, NULL, 0)
                                    : send_first(order, socket, component, grants, size);
        if (sent < 0)
            return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
        order->sent += size;
        order->begun = true;
    }
    return 1;
}

void order_free(struct order *order)
{
    free(order->data);
    order->data = NULL;
}
