/* The options of wasi:sockets/udp.udp-socket; see net_option.h. */
#include "engine/wasi/net_option.h"
#include "engine/wasi/table.h"

enum host_answer wasi_udp_socket_unicast_hop_limit(struct host_call *call, const void *args,
                                                   void *result)
{
    return net_option_get_hops(call, args, ASK_ROW_udp_socket_unicast_hop_limit, result);
}

enum host_answer wasi_udp_socket_set_unicast_hop_limit(struct host_call *call, const void *args,
                                                       void *result)
{
    return net_option_set_hops(call, args, ASK_ROW_udp_socket_set_unicast_hop_limit, result);
}

enum host_answer wasi_udp_socket_receive_buffer_size(struct host_call *call, const void *args,
                                                     void *result)
{
    return net_option_get_size(call, args, ASK_ROW_udp_socket_receive_buffer_size,
                               ASK_OPTION_RECEIVE_SIZE, result);
}

enum host_answer wasi_udp_socket_set_receive_buffer_size(struct host_call *call, const void *args,
                                                         void *result)
{
    return net_option_set_size(call, args, ASK_ROW_udp_socket_set_receive_buffer_size,
                               ASK_OPTION_RECEIVE_SIZE, result);
}

enum host_answer wasi_udp_socket_send_buffer_size(struct host_call *call, const void *args,
                                                  void *result)
{
    return net_option_get_size(call, args, ASK_ROW_udp_socket_send_buffer_size,
                               ASK_OPTION_SEND_SIZE, result);
}

enum host_answer wasi_udp_socket_set_send_buffer_size(struct host_call *call, const void *args,
                                                      void *result)
{
    return net_option_set_size(call, args, ASK_ROW_udp_socket_set_send_buffer_size,
                               ASK_OPTION_SEND_SIZE, result);
}
