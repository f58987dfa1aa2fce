/* What a cell may send, and when. The whole judgement follows from the rows of protocol.def; the
 * handlers (cell.c) see only what passed here. */
#include "shim/protocol.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define IN(state) (1u << STATE_##state)

/* A kind by the row's small name. */
enum {
#define MESSAGE(NAME, name, direction, states, most, meaning) kind_##name = MESSAGE_##NAME,
#include "shim/protocol.def"
};

/* The sizes of those that end with LAST, when nothing is in it; of the others 0. */
static const size_t unfilled[MESSAGES] = {
#define LAST(owner, type, name, count) [kind_##owner] = offsetof(struct message_##owner, name),
#include "shim/protocol.def"
};

const struct message_info messages[MESSAGES] = {
#define MESSAGE(NAME, name, direction, states, most, meaning)                                      \
    [MESSAGE_##NAME] = {#name, direction, states, most, sizeof(struct message_##name)},
#include "shim/protocol.def"
};

const char *state_meaning(enum cell_state state)
{
    static const char *const meanings[STATES] = {
#define STATE(NAME, meaning) [STATE_##NAME] = meaning,
#include "shim/protocol.def"
    };
    return meanings[state];
}

enum isolation isolation_named(const char *word)
{
    static const char *const words[ISOLATIONS] = {
#define ISOLATION(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    int i = 0;
    while (i < ISOLATIONS && strcmp(words[i], word) != 0)
        i++;
    return (enum isolation)i;
}

enum role role_named(const char *word)
{
    static const char *const words[ROLES] = {
#define ROLE(NAME, word, meaning) [ROLE_##NAME] = word,
#include "shim/protocol.def"
    };
    enum role role = 0;
    while (role < ROLES && strcmp(words[role], word) != 0)
        role++;
    return role;
}

static const char wrong_size[] = "a message of the wrong size";

ssize_t protocol_receive(int socket, union message *ret, const char **ret_wrong)
{
    /* No room for descriptors: the kernel drops them, and says so. */
    struct iovec part = {ret, sizeof *ret};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t size;
    /* Whoever ended with messages unread resets: that is said once, and before what it sent. */
    bool reset = false, again;
    do {
        size = recvmsg(socket, &packet, MSG_DONTWAIT);
        again = size < 0 && (errno == EINTR || (errno == ECONNRESET && !reset));
        reset = reset || (again && errno == ECONNRESET);
    } while (again);
    *ret_wrong = NULL;
    if (size <= 0)
        return size < 0 ? -errno : 0;
    if (packet.msg_flags & MSG_CTRUNC)
        *ret_wrong = "descriptors";
    else if (packet.msg_flags & MSG_TRUNC)
        *ret_wrong = wrong_size;
    return *ret_wrong ? -EBADMSG : size;
}

const char *protocol_judge(struct message_counts *counts, enum cell_state state,
                           const union message *message, size_t size)
{
    if (size < sizeof message->kind)
        return "a message without a kind";
    if (message->kind >= MESSAGES || messages[message->kind].direction != TO_SHIM)
        return "a message of an unknown kind";
    const struct message_info *info = &messages[message->kind];
    if (unfilled[message->kind] ? size < unfilled[message->kind] || size > info->size
                                : size != info->size)
        return wrong_size;
    if (!(info->states >> state & 1))
        return "a message that is not permitted now";
    if (counts->of[message->kind] >= info->most)
        return "a message too often";
    counts->of[message->kind]++;
    return NULL;
}
