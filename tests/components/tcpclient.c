/* PORT TEXT: connects to the port of 127.0.0.1, sends the text, and prints the answer; ends with 1
 * where it may not. */
#include "text.h"

enum { IPV4 = 0, SEND = 1, WOULD_BLOCK = 8 };

/* 0, with the streams from byte 4 of the results on, or an error-code. */
static int connected(int tcp, int network, u32 port, int ready)
{
    w_tcp_socket_start_connect(tcp, network, IPV4, (int)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, R);
    if (TAG)
        return AT(1)[0];
    for (;;) {
        w_tcp_socket_finish_connect(tcp, R);
        if (!TAG)
            return 0;
        if (AT(4)[0] != WOULD_BLOCK)
            return AT(4)[0];
        w_pollable_block(ready);
    }
}

ROW(tcpclient, "", "")
{
    w_get_arguments(R);
    MUST(U32(4) == 3);
    const struct text *args = (const struct text *)(unsigned long)U32(0);
    struct text text = args[2];
    u32 port = number_of(args[1]);
    w_create_tcp_socket(IPV4, R);
    if (TAG)
        return 1;
    int tcp = (int)U32(4), out = w_get_stdout(), network = w_instance_network();
    int ready = w_tcp_socket_subscribe(tcp);
    if (connected(tcp, network, port, ready))
        return 1;
    int from = (int)U32(4), to = (int)U32(8);
    put(to, text);
    w_tcp_socket_shutdown(tcp, SEND, R);
    for (;;) {
        w_input_stream_blocking_read(from, 4096, R);
        if (TAG)
            break;
        put(out, (struct text){(const char *)(unsigned long)U32(4), U32(8)});
    }
    w_drop_input_stream(from);
    w_drop_output_stream(to);
    w_drop_pollable(ready);
    w_drop_tcp_socket(tcp);
    w_drop_network(network);
    return 0;
}
