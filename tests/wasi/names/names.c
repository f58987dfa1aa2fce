/* Looks its argument up and connects to the first address that was found, port 8080. Exit codes: 0
 * it is connected; 10, 40, 70 and 100 plus an error code: of the look-up, of its answers, of
 * start-connect, of connecting. 9: the name has no address. */
#include "rows.h"

enum { WOULD_BLOCK = 8 };

static void end(int code)
{
    w_exit_with_code(code);
    __builtin_unreachable();
}

/* The first address into `ret`: family, then its numbers. 0: there is none. */
static int first(int stream, int ret[9])
{
    int wait = w_resolve_address_stream_subscribe(stream), found = 0;
    for (;;) {
        w_resolve_address_stream_resolve_next_address(stream, R);
        if (TAG) {
            if (AT(2)[0] != WOULD_BLOCK)
                end(40 + AT(2)[0]);
            w_pollable_block(wait);
            continue;
        }
        if (!AT(2)[0])
            return found;
        if (found++)
            continue;
        ret[0] = AT(4)[0];
        for (int i = 0; i < 8; i++)
            ret[1 + i] = ret[0] == 0 ? AT(6)[i & 3] : U16(6 + 2 * i);
    }
}

static int start(int socket, int network, const int to[9])
{
    const int *n = to + 1;
    if (to[0] == 0)
        w_tcp_socket_start_connect(socket, network, 0, 8080, n[0], n[1], n[2], n[3], 0, 0, 0, 0, 0,
                                   0, R);
    else
        w_tcp_socket_start_connect(socket, network, 1, 8080, 0, n[0], n[1], n[2], n[3], n[4], n[5],
                                   n[6], n[7], 0, R);
    return TAG ? AT(1)[0] : -1;
}

ROW(names, "", "")
{
    int to[9], network = w_instance_network();
    w_get_arguments(R);
    const int *arguments = (const int *)(unsigned long)U32(0);
    w_resolve_addresses(network, arguments[2], arguments[3], R);
    if (TAG)
        end(10 + AT(4)[0]);
    if (!first((int)U32(4), to))
        end(9);
    w_create_tcp_socket(to[0], R);
    MUST(TAG == 0);
    int socket = (int)U32(4), wait = w_tcp_socket_subscribe(socket);
    int error = start(socket, network, to);
    if (error >= 0)
        end(70 + error);
    for (;;) {
        w_tcp_socket_finish_connect(socket, R);
        if (!TAG)
            return 0;
        if (AT(4)[0] != WOULD_BLOCK)
            end(100 + AT(4)[0]);
        w_pollable_block(wait);
    }
}
