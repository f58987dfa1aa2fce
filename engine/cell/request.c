/* Finds a publisher's policy; see request.h. Nobody reads what it says: it is text, a line of it a
 * name of the answer. (Core specification §5.5.2, custom sections; components have the same.) */
#include "engine/cell/request.h"

#include "engine/base/reader.h"

enum { PREAMBLE = 8, CUSTOM = 0 };

static const char section_name[] = "carrel:policy";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The lines that have something in them, without the blanks at their ends: those before the text
 * say where it belongs. */
static void tell_lines(struct bytes text, struct answer *answer)
{
    const char *at = (const char *)text.at, *end = at + text.len;
    while (at < end) {
        const char *line = at;
        while (at < end && *at != '\n')
            at++;
        const char *stop = at, *word = line;
        while (stop > line && is_blank(stop[-1]))
            stop--;
        while (word < stop && is_blank(*word))
            word++;
        if (word < stop)
            answer_name(answer, ANSWER_REQUEST, (struct str){line, (size_t)(stop - line)},
                        (struct str){0});
        if (at < end)
            at++;
    }
}

void request_tell(struct bytes file, struct answer *answer)
{
    struct err err = {0};
    if (file.len < PREAMBLE)
        return;
    struct reader sections =
        reader_of((struct bytes){file.at + PREAMBLE, file.len - PREAMBLE}, file.at, &err);
    while (reader_ok(&sections) && !reader_at_end(&sections)) {
        uint8_t id = reader_u8(&sections);
        struct reader section = reader_part(&sections, "section");
        if (id != CUSTOM || !reader_ok(&sections))
            continue;
        struct str name = reader_name(&section, "custom section");
        if (reader_ok(&section) && str_is(name, section_name))
            tell_lines((struct bytes){section.at, reader_left(&section)}, answer);
    }
}
