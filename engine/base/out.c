/* Text on its way out; see out.h. */
#include "engine/base/out.h"

#include "engine/base/utf.h"
#include <stdarg.h>
#include <stdio.h>

void out_flush(struct out *out)
{
    if (out->used)
        out->put(out->data, (struct str){out->text, out->used});
    out->used = 0;
}

void out_str(struct out *out, struct str text)
{
    while (text.len) {
        size_t room = OUT_BUFFER - out->used;
        size_t len = text.len < room ? text.len : room;
        memcpy(out->text + out->used, text.at, len);
        out->used += len;
        text.at += len;
        text.len -= len;
        if (out->used == OUT_BUFFER)
            out_flush(out);
    }
}

void out_text(struct out *out, const char *text)
{
    out_str(out, str_of(text));
}

void out_char(struct out *out, char c)
{
    out_str(out, (struct str){&c, 1});
}

void out_format(struct out *out, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    out_text(out, text);
}

void out_spaces(struct out *out, uint32_t count)
{
    while (count--)
        out_char(out, ' ');
}

/* The scalar value at `at`, and its length; 0 if the bytes there are no UTF-8. */
static size_t scalar_at(const uint8_t *at, size_t left, uint32_t *ret)
{
    size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    if (len > left || !utf8_valid((struct bytes){at, len}))
        return 0;
    *ret = utf8_next(&at);
    return len;
}

void out_quoted(struct out *out, struct bytes text)
{
    out_char(out, '"');
    while (text.len) {
        uint32_t scalar = 0;
        size_t len = scalar_at(text.at, text.len, &scalar);
        bool plain = len && !utf8_hides(scalar) && scalar != '"' && scalar != '\\';
        len = len ? len : 1;
        if (plain)
            out_str(out, (struct str){(const char *)text.at, len});
        for (size_t i = 0; !plain && i < len; i++)
            out_format(out, "\\%02x", text.at[i]);
        text.at += len;
        text.len -= len;
    }
    out_char(out, '"');
}

void out_json(struct out *out, struct bytes text)
{
    out_char(out, '"');
    while (text.len) {
        uint32_t scalar = 0xfffd;
        size_t len = scalar_at(text.at, text.len, &scalar);
        if (len && !utf8_hides(scalar) && scalar != '"' && scalar != '\\')
            out_str(out, (struct str){(const char *)text.at, len});
        else if (scalar < 0x10000)
            out_format(out, "\\u%04x", scalar);
        else
            out_format(out, "\\u%04x\\u%04x", 0xd7c0 + (scalar >> 10), 0xdc00 + (scalar & 0x3ff));
        len = len ? len : 1;
        text.at += len;
        text.len -= len;
    }
    out_char(out, '"');
}
