/* Text on its way out, piece by piece, through a small buffer. What goes wrong at the other end is
 * the other end's business: it stays in its `data`. */
#ifndef CARREL_BASE_OUT_H
#define CARREL_BASE_OUT_H

#include "engine/base/attr.h"
#include "engine/base/bytes.h"

#define OUT_BUFFER 4096

/* A new one is {.put = ..., .data = ...}. */
struct out {
    void (*put)(void *data, struct str piece);
    void *data;
    size_t used;
    char text[OUT_BUFFER];
};

void out_str(struct out *out, struct str text);
void out_text(struct out *out, const char *text);
void out_char(struct out *out, char c);

/* At most 255 bytes. */
void out_format(struct out *out, const char *format, ...) PRINTF(2, 3);

void out_spaces(struct out *out, uint32_t count);

/* In double quotes, as a string of the text format: what is no UTF-8, and what people do not see,
 * as
 * \hh for each byte. */
void out_quoted(struct out *out, struct bytes text);

/* In double quotes, as a string of JSON: bytes that are no UTF-8 become U+FFFD. */
void out_json(struct out *out, struct bytes text);

/* Passes on what is still in the buffer. */
void out_flush(struct out *out);

#endif
