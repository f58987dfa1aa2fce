/* A process for each request (--isolation=process). The server's own process accepts connections
 * and reads nothing of them: it looks whether a head has come whole, without taking it, and then
 * copies itself. The copy gives up every connection but this one, the socket to the shim for one of
 * its own, and the system calls that only the server needs; then it reads the request, answers it,
 * and ends. So no process that has seen one request ever sees another, whoever took its engine
 * over. */
#ifndef CARREL_SERVE_COPY_H
#define CARREL_SERVE_COPY_H

#include "engine/serve/server.h"

/* Makes room to know them. */
int copies_open(struct server *server, struct err *err);

/* As conn_go_on, where requests get processes. */
void copies_take(struct conn *conn);

/* The copy with this pidfd has ended. */
void copies_ended(struct server *server, int pidfd);

/* Ends those whose time is over, and tries again what could not be made; and when there is
 * something of this to do. */
void copies_check(struct server *server);
uint64_t copies_first(const struct server *server);

/* In a copy: as sys_wait, for its connection and whatever its guest waits for. */
int copy_wait(struct server *server, struct epoll_event *ret, int room, int timeout);

#endif
