/* Words on lines, painted or not; see audit_flow.h. */
#include "policies/audit_parts.h"

#include <stdarg.h>

void page_paint(const struct page *page, enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m",  [BOLD] = "\033[1m",    [DIM] = "\033[2m",
        [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [RED] = "\033[31m",
    };
    if (page->style->colour)
        fputs(codes[colour], page->out);
}

void page_painted(const struct page *page, enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    page_paint(page, colour);
    vfprintf(page->out, format, args);
    page_paint(page, PLAIN);
    va_end(args);
}

void page_heading(const struct page *page, const char *text)
{
    fputc('\n', page->out);
    page_painted(page, BOLD, "%s", text);
    fputc('\n', page->out);
}

/* --- Flowing text ------------------------------------------------------------------------------
 */

struct flow flow_from(const struct page *page, unsigned indent, unsigned at)
{
    if (at < indent)
        fprintf(page->out, "%*s", (int)(indent - at), "");
    return (struct flow){page, indent, indent};
}

/* How many columns it takes: bytes of UTF-8 that begin a character. */
static unsigned columns(const char *text, size_t length)
{
    unsigned count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

void flow_word(struct flow *flow, const char *word, size_t length)
{
    unsigned wide = columns(word, length);
    if (flow->at > flow->indent) {
        if (flow->at + 1 + wide > flow->page->style->width) {
            fprintf(flow->page->out, "\n%*s", (int)flow->indent, "");
            flow->at = flow->indent;
        } else {
            fputc(' ', flow->page->out);
            flow->at++;
        }
    }
    fprintf(flow->page->out, "%.*s", (int)length, word);
    flow->at += wide;
}

void flow_text(struct flow *flow, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, " ");
        flow_word(flow, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

void flow_end(const struct flow *flow)
{
    fputc('\n', flow->page->out);
}

void flow_rows(struct flow *flow, const uint16_t *rows, size_t count, size_t most, bool whole)
{
    char name[96], word[192];
    for (size_t i = 0; i < count && i < most; i++) {
        const char *interface = row_infos[rows[i]].interface;
        const char *package_end = strchr(interface, '/');
        audit_row_name((enum row)rows[i], name);
        bool tells = !whole || strchr(name, '.') || !package_end;
        int length = snprintf(word, sizeof word, "%s%s%s%s", tells ? "" : package_end + 1,
                              tells ? "" : "/", name, i + 1 < count ? "," : "");
        flow_word(flow, word, (size_t)length);
    }
    if (count > most) {
        snprintf(word, sizeof word, "and %zu more", count - most);
        flow_text(flow, word);
    }
}

enum colour answer_colour(enum row_answer answer)
{
    return answer == ANSWER_GRANTED    ? GREEN
           : answer == ANSWER_WITHHELD ? YELLOW
           : answer == ANSWER_MISSING  ? RED
                                       : DIM;
}
