/* What a cell sends is hostile: whatever it is, in whatever state, the shim's handlers take it and
 * the shim is what it was. The input is a state, then packets, each behind two bytes: a kind, and
 * how many of the bytes that follow it has, or (from 192 on) that it has its kind's exact size,
 * filled from them. They come over a socket, as a cell's do. Nothing is granted, so that nothing of
 * the machine is touched. */
#include "shim/cell.h"
#include "shim/cleanup.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give_up(const char *what)
{
    perror(what);
    abort();
}

/* One packet, and what the shim answers. */
static void send_packet(struct cell *cell, int socket, const uint8_t *packet, size_t size)
{
    char answers[65536];
    if (send(socket, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
    cell_receive(cell);
    while (recv(socket, answers, sizeof answers, MSG_DONTWAIT) > 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cell cell;
    static struct demand demand;
    static struct plan plan;
    static struct component component = {.memory = -1, .name = "fuzz"};
    int pair[2];
    if (size == 0)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        give_up("socketpair");
    cell_start(&cell);
    cell.plan = &plan;
    cell.component = &component;
    cell.demand = &demand;
    cell.state = (enum cell_state)(data[0] % STATES);
    cell.process.socket = pair[0];
    network_open(&cell.network, &plan, "fuzz", NULL);
    for (size_t at = 1; at + 2 <= size && cell.process.socket >= 0;) {
        static union message message;
        bool exact = data[at + 1] >= 192;
        uint32_t kind = data[at] % (MESSAGES + 1);
        size_t whole = exact && kind < MESSAGES ? messages[kind].size : data[at + 1];
        size_t given = exact ? data[at + 1] - 192u : data[at + 1];
        at += 2;
        given = given < size - at ? given : size - at;
        memset(&message, 0, whole < sizeof message ? whole : sizeof message);
        memcpy(&message, &kind, sizeof kind);
        memcpy((uint8_t *)&message + sizeof kind, data + at, given);
        send_packet(&cell, pair[1], (const uint8_t *)&message, whole);
        at += given;
    }
    if (cell.state >= STATES || cell.network.places > PROTOCOL_SOCKETS)
        abort();
    network_close(&cell.network);
    if (cell.process.socket >= 0)
        close(take_fd(&cell.process.socket));
    close(pair[1]);
    return 0;
}
