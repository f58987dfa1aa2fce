/* How an audit's text is laid out: colours, and words on lines of a given width. What is printed
 * has to be printable already. */
#ifndef CARREL_POLICIES_AUDIT_FLOW_H
#define CARREL_POLICIES_AUDIT_FLOW_H

#include "policies/audit.h"

enum colour { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

struct page {
    const struct audit *audit;
    const struct audit_style *style;
    FILE *out;
};

/* Words on lines that begin at `indent` and end before the page does. */
struct flow {
    const struct page *page;
    unsigned indent;
    unsigned at; /* the column */
};

/* From here on in this colour, if there are colours. */
void page_paint(const struct page *page, enum colour colour);

/* A text in this colour. */
void page_painted(const struct page *page, enum colour colour, const char *format, ...)
    PRINTF(3, 4);

/* An empty line and a title. */
void page_heading(const struct page *page, const char *text);

/* Words from column `indent` on; the line is at column `at`. */
struct flow flow_from(const struct page *page, unsigned indent, unsigned at);
void flow_word(struct flow *flow, const char *word, size_t length);

/* Each word of a text, which spaces part. */
void flow_text(struct flow *flow, const char *text);

/* Up to `most` of the rows' names with commas between; `whole` adds the interface where the name
 * alone does not tell it. */
void flow_rows(struct flow *flow, const uint16_t *rows, size_t count, size_t most, bool whole);
void flow_end(const struct flow *flow);

/* The colour of an answer. */
enum colour answer_colour(enum row_answer answer);

#endif
