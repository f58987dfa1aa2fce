/* Bodies that come, of requests and of responses alike. After rows.h. */
enum { CLOSED = 1 }; /* stream-error */

static int stream_of(int body)
{
    w_http_incoming_body_stream(body, R);
    MUST(TAG == 0);
    return (int)U32(4);
}

/* All of it; its length. */
static u32 read_all(int stream)
{
    u32 size = 0;
    for (;;) {
        w_input_stream_blocking_read(stream, 1000, R);
        if (TAG)
            break;
        size += U32(8);
    }
    MUST(AT(4)[0] == CLOSED);
    return size;
}
