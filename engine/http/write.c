/* Writing heads; see write.h. */
#include "engine/http/write.h"

#include "engine/http/syntax.h"

void http_write(struct http_writer *writer, struct str text)
{
    if (text.len && writer->used <= writer->room && text.len <= writer->room - writer->used)
        memcpy(writer->at + writer->used, text.at, text.len);
    writer->used += text.len;
}

static void put(struct http_writer *writer, const char *text)
{
    http_write(writer, str_of(text));
}

void http_write_request_line(struct http_writer *writer, struct str method, struct str target)
{
    writer->bad = writer->bad || !http_is_token(method) || method.len > HTTP_MAX_METHOD ||
                  !target.len || !http_all(target, HTTP_TARGET) || target.len > HTTP_MAX_TARGET;
    http_write(writer, method);
    put(writer, " ");
    http_write(writer, target);
    put(writer, " HTTP/1.1\r\n");
}

void http_write_status_line(struct http_writer *writer, unsigned status)
{
    writer->bad = writer->bad || status < 100 || status > 999;
    const char code[] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                         (char)('0' + status % 10), ' '};
    put(writer, "HTTP/1.1 ");
    http_write(writer, (struct str){code, sizeof code});
    http_write(writer, http_status_reason(status));
    put(writer, "\r\n");
}

void http_write_field(struct http_writer *writer, struct str name, struct str value)
{
    writer->bad = writer->bad || !http_is_token(name) || !http_is_value(value);
    http_write(writer, name);
    put(writer, ": ");
    http_write(writer, value);
    put(writer, "\r\n");
}

void http_write_length(struct http_writer *writer, uint64_t length)
{
    char digits[20];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + length % 10);
    while (length /= 10);
    http_write_field(writer, str_of("Content-Length"),
                     (struct str){digits + first, sizeof digits - first});
}

void http_write_end(struct http_writer *writer)
{
    put(writer, "\r\n");
}
