/* Writes what carrel has to say about itself; see report.h. */
#include "runner/report.h"

#include "policies/printable.h"
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void report_line(const char *format, ...)
{
    char text[1024], shown[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "carrel: %s\n", printable(shown, sizeof shown, str_of(text)));
}

/* Those whose text is enough for people; for the others the word says what happened. */
static bool speaks_for_itself(enum err_kind kind)
{
    return kind == ERR_USAGE || kind == ERR_FAULT || kind == ERR_ABSENT || kind == ERR_UNLINKABLE ||
           kind == ERR_DENIED || kind == ERR_WALL;
}

void report_error(const char *file, const struct err *err)
{
    char place[64] = "", kind[32] = "";
    if (err->offset != ERR_NOWHERE)
        snprintf(place, sizeof place, " (at byte %" PRIu64 ")", err->offset);
    if (!speaks_for_itself(err->kind))
        snprintf(kind, sizeof kind, "%s: ", err_word(err->kind));
    report_line("%s%s%s%s%s", file ? file : "", file ? ": " : "", kind, err->text, place);
}

static void add_text(json_object *to, const char *key, const char *text)
{
    char shown[1024]; /* printable is UTF-8, whatever the text was */
    json_object_object_add(to, key,
                           json_object_new_string(printable(shown, sizeof shown, str_of(text))));
}

void report_status(int fd, const struct report_end *end)
{
    if (fd < 0)
        return;
    json_object *all = json_object_new_object();
    json_object_object_add(all, "exit", json_object_new_int(end->code));
    add_text(all, "by", end->by_guest ? "guest" : "carrel");
    if (!end->by_guest) {
        add_text(all, "kind", err_word(end->why.kind));
        add_text(all, "text", end->why.text);
        if (end->why.offset != ERR_NOWHERE)
            json_object_object_add(all, "offset", json_object_new_uint64(end->why.offset));
    }
    const char *line = json_object_to_json_string_ext(all, JSON_C_TO_STRING_NOSLASHESCAPE);
    if (dprintf(fd, "%s\n", line) < 0)
        report_line("--status-json: cannot write to descriptor %d: %s", fd, strerror(errno));
    json_object_put(all);
}
