/* Reading bodies; see body.h. */
#include "engine/http/body.h"

#include "engine/http/syntax.h"

/* Where in the chunked coding the next byte stands (RFC 9112, 7.1). */
enum state {
    SIZE,       /* first or further digit */
    SIZE_BLANK, /* blanks behind the digits: only an extension may follow */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LAST, /* the trailer section follows */
};

struct http_body http_body_new(const struct http_message *message)
{
    return (struct http_body){
        .framing = message->framing,
        .left = message->framing == HTTP_LENGTH ? message->length : 0,
        .state = SIZE,
    };
}

bool http_body_over(const struct http_body *body)
{
    switch (body->framing) {
    case HTTP_NO_BODY: return true;
    case HTTP_LENGTH: return !body->left;
    case HTTP_CHUNKED: return body->state == LAST;
    case HTTP_CLOSE: break;
    }
    return false;
}

enum http_body_progress http_body_cut(struct http_body *body)
{
    if (body->framing == HTTP_CLOSE || (body->framing != HTTP_CHUNKED && http_body_over(body)))
        return HTTP_BODY_END;
    body->fault = HTTP_FAULT_INCOMPLETE;
    return HTTP_BODY_BAD;
}

/* --- Chunks -------------------------------------------------------------------------------------
 */

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first line of a chunk is over. */
static void begin_chunk(struct http_body *body)
{
    /* What data weighs up is no excess: small chunks with short extensions are nobody's attack. */
    uint64_t weight = 32 + body->left;
    body->excess += body->line;
    body->excess -= body->excess < weight ? body->excess : (uint32_t)weight;
    body->line = 0;
    body->digits = 0;
    body->state = body->left ? DATA : LAST;
}

static enum http_fault size_byte(struct http_body *body, uint8_t c)
{
    int value = digit(c);
    if (value >= 0) {
        if (++body->digits > HTTP_MAX_CHUNK_DIGITS)
            return HTTP_FAULT_CHUNK_SIZE;
        body->left = body->left << 4 | (uint64_t)value;
        return HTTP_FAULT_NONE;
    }
    if (!body->digits)
        return HTTP_FAULT_CHUNK_SIZE;
    switch (c) {
    case ' ':
    case '\t': body->state = SIZE_BLANK; return HTTP_FAULT_NONE;
    case ';': body->state = EXTENSION; return HTTP_FAULT_NONE;
    case '\r': body->state = SIZE_LF; return HTTP_FAULT_NONE;
    default: return HTTP_FAULT_CHUNK_SIZE;
    }
}

/* One byte that is no data. */
static enum http_fault coding_byte(struct http_body *body, uint8_t c)
{
    if (body->state < DATA && ++body->line > HTTP_MAX_CHUNK_LINE)
        return HTTP_FAULT_CHUNK_EXTENSION;
    switch ((enum state)body->state) {
    case SIZE: return size_byte(body, c);
    case SIZE_BLANK:
        if (c == ';')
            body->state = EXTENSION;
        return c == ';' || c == ' ' || c == '\t' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
    case EXTENSION:
        if (c == '\r')
            body->state = SIZE_LF;
        return c == '\r' || http_class[c] & HTTP_VALUE ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
    case SIZE_LF:
        if (c != '\n')
            return HTTP_FAULT_CHUNK;
        begin_chunk(body);
        return body->excess > HTTP_MAX_CHUNK_EXCESS ? HTTP_FAULT_CHUNK_EXTENSION : HTTP_FAULT_NONE;
    case DATA_CR: body->state = DATA_LF; return c == '\r' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
    case DATA_LF: body->state = SIZE; return c == '\n' ? HTTP_FAULT_NONE : HTTP_FAULT_CHUNK;
    case DATA:
    case LAST: break;
    }
    return HTTP_FAULT_CHUNK;
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static enum http_body_progress data(struct http_body *body, struct bytes in, size_t most,
                                    size_t *used, struct bytes *ret)
{
    size_t len = in.len < most ? in.len : most;
    if (body->framing != HTTP_CLOSE) {
        len = len < body->left ? len : (size_t)body->left;
        body->left -= len;
        if (body->framing == HTTP_CHUNKED && !body->left)
            body->state = DATA_CR;
    }
    *ret = (struct bytes){in.at, len};
    *used += len;
    return len ? HTTP_BODY_DATA : HTTP_BODY_MORE;
}

enum http_body_progress http_body_read(struct http_body *body, struct bytes in, size_t most,
                                       size_t *ret_used, struct bytes *ret_data)
{
    *ret_used = 0;
    *ret_data = (struct bytes){in.at, 0};
    if (body->fault)
        return HTTP_BODY_BAD;
    if (http_body_over(body))
        return body->framing == HTTP_CHUNKED ? HTTP_BODY_TRAILERS : HTTP_BODY_END;
    if (body->framing != HTTP_CHUNKED)
        return data(body, in, most, ret_used, ret_data);
    while (*ret_used < in.len && body->state != LAST) {
        if (body->state == DATA)
            return data(body, (struct bytes){in.at + *ret_used, in.len - *ret_used}, most, ret_used,
                        ret_data);
        body->fault = coding_byte(body, in.at[(*ret_used)++]);
        if (body->fault)
            return HTTP_BODY_BAD;
    }
    return body->state == LAST ? HTTP_BODY_TRAILERS : HTTP_BODY_MORE;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

size_t http_chunk_head(uint64_t size, char ret[HTTP_CHUNK_HEAD])
{
    size_t digits = 1;
    while (digits < 16 && size >> (4 * digits))
        digits++;
    for (size_t i = 0; i < digits; i++)
        ret[i] = "0123456789abcdef"[size >> (4 * (digits - 1 - i)) & 15];
    ret[digits] = '\r';
    ret[digits + 1] = '\n';
    return digits + 2;
}
