/* Lines; see lines.h. */
#include "shim/lines.h"

#include "policies/printable.h"
#include "shim/cell.h"
#include "shim/cleanup.h"
#include "shim/moment.h"
#include <errno.h>
#include <sys/socket.h>

/* Of one line before the shim looks at the others again. */
#define MESSAGES_AT_ONCE 8

/* Lines that were cut off, of which the operator is told. */
#define CUT_TOLD 32

void lines_start(struct lines *lines)
{
    lines->places = 0;
    lines->cut = 0;
}

int lines_open(struct lines *lines, int *ret_fd)
{
    int pair[2];
    const int none = 0;
    size_t number = 0;
    while (number < lines->places && lines->at[number].fd >= 0)
        number++;
    if (number == PROTOCOL_LINES)
        return -EMFILE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    /* As the cell's own socket: where the kernel has it not, that was told when it began. */
    (void)setsockopt(pair[0], SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
    lines->at[number] = (struct line){.fd = pair[0]};
    if (number == lines->places)
        lines->places++;
    *ret_fd = pair[1];
    return (int)number;
}

/* Its process has ended, or has to do without. */
static void end(struct cell *cell, size_t number)
{
    close(take_fd(&cell->lines.at[number].fd));
    network_forget(&cell->network, (uint32_t)number + 1);
}

/* It did what no honest engine does. Without a line it can have nothing made for it any more. */
static void cut(struct cell *cell, size_t number, const char *what)
{
    char file[512];
    if (cell->lines.cut < CUT_TOLD &&
        moment_say("carrel: %s: a request's process can ask nothing more because it sent %s; the "
                   "component may have taken over its engine\n",
                   printable(file, sizeof file, str_of(cell->component->name)), what))
        cell->lines.cut++;
    end(cell, number);
}

static void handle(struct cell *cell, size_t number, const union message *message, size_t size)
{
    struct line *line = &cell->lines.at[number];
    const char *wrong = protocol_judge(&line->counts, STATE_LINE, message, size);
    if (wrong) {
        cut(cell, number, wrong);
    } else if (message->kind == MESSAGE_DENIED) {
        /* How many one line may tell says nothing: there are always more lines. */
        network_charge(&cell->network, 1);
        network_denied(&cell->network, &message->denied);
    } else if (message->kind == MESSAGE_REQUEST_TRAP) {
        network_charge(&cell->network, 1);
        cell_request_trap(cell, &message->request_trap);
    } else {
        struct network_answer answer;
        cell->network.asker = (uint32_t)number + 1;
        network_answer(&cell->network, message, size, cell_now(), &answer);
        cell->network.asker = 0;
        if (network_send(line->fd, &answer))
            cut(cell, number, "questions without taking the answers");
    }
}

static void receive(struct cell *cell, size_t number)
{
    static union message message;
    struct line *line = &cell->lines.at[number];
    for (int i = 0; i < MESSAGES_AT_ONCE && line->fd >= 0; i++) {
        const char *wrong;
        ssize_t size = protocol_receive(line->fd, &message, &wrong);
        if (size == -EAGAIN)
            return;
        if (wrong)
            cut(cell, number, wrong);
        else if (size <= 0)
            end(cell, number);
        else
            handle(cell, number, &message, (size_t)size);
    }
}

void lines_wait(const struct lines *lines, bool listened, struct pollfd ret[PROTOCOL_LINES])
{
    for (size_t i = 0; i < lines->places; i++)
        ret[i] = (struct pollfd){listened ? lines->at[i].fd : -1, POLLIN, 0};
}

void lines_act(struct cell *cell, const struct pollfd waits[PROTOCOL_LINES])
{
    for (size_t i = 0; i < cell->lines.places; i++)
        if (waits[i].revents && cell->lines.at[i].fd == waits[i].fd)
            receive(cell, i);
}

void lines_close(struct lines *lines)
{
    for (size_t i = 0; i < lines->places; i++)
        if (lines->at[i].fd >= 0)
            close(take_fd(&lines->at[i].fd));
    lines->places = 0;
}
