/* Writes what carrel has to say about itself; see report.h. */
#include "runner/report.h"

#include "engine/base/attr.h"
#include "policies/printable.h"
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_line(const char *format, ...)
{
    char text[4096], shown[8192];
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

/* What to do with a file that does not begin as WebAssembly, by its name. */
static const char *advice_on_other(const char *file)
{
    static const struct {
        const char *end;
        const char *advice;
    } rows[] = {
        {".wat",
         ": it is text: make a module of it with wat2wasm, or a component with `jco parse`"},
        {".js", ": it is JavaScript: make a component of it with `jco componentize`"},
        {".mjs", ": it is JavaScript: make a component of it with `jco componentize`"},
        {".py", ": it is Python: make a component of it with componentize-py"},
        {".c", ": it is C: build it with `clang --target=wasm32-wasi`"},
        {".rs", ": it is Rust: build it with `rustc --target wasm32-wasip2`"},
        {".go", ": it is Go: build it with `GOOS=wasip1 GOARCH=wasm go build`"},
    };
    size_t length = file ? strlen(file) : 0;
    for (size_t i = 0; i < countof(rows); i++) {
        size_t end = strlen(rows[i].end);
        if (length > end && strcmp(file + length - end, rows[i].end) == 0)
            return rows[i].advice;
    }
    return ": it is no WebAssembly: name the .wasm that was built, or fetch it again";
}

/* Where the binary format has its magic number and its version (core specification §5.5.16). */
#define AT_MAGIC   0
#define AT_VERSION 4

/* What to do, for kinds of which no text says it: those of a component's own faults.
 * tests/messages.mjs holds all texts of the other kinds to saying it themselves. */
static const char *advice_on_kind(const char *file, const struct err *err)
{
    if (err->kind == ERR_MALFORMED && err->offset == AT_MAGIC)
        return advice_on_other(file);
    if (err->kind == ERR_MALFORMED && err->offset == AT_VERSION)
        return ": build it again, with tools of today: before 2023 the format was another";
    switch (err->kind) {
    case ERR_MALFORMED: return ": build or fetch the file again";
    case ERR_INVALID: return ": build it again, with other tools or newer ones";
    case ERR_LIMIT: return ": make it smaller or simpler";
    case ERR_MEMORY: return ": give it more with --memory";
    case ERR_TRAP: return ": a fault in the component, for its author to mend";
    default: return "";
    }
}

int report_error(const char *file, const struct err *err)
{
    char place[64] = "", kind[32] = "";
    if (err->offset != ERR_NOWHERE)
        snprintf(place, sizeof place, " (at byte %" PRIu64 ")", err->offset);
    if (!speaks_for_itself(err->kind))
        snprintf(kind, sizeof kind, "%s: ", err_word(err->kind));
    report_line("%s%s%s%s%s%s", file ? file : "", file ? ": " : "", kind, err->text, place,
                advice_on_kind(file, err));
    return err_exit_code(err->kind);
}

/* --- What is missing ----------------------------------------------------------------------------
 */

/* Names with commas between, as many as fit. */
struct names {
    char text[3072];
    size_t used;
};

static void add_name(struct names *names, const char *name)
{
    size_t room = sizeof names->text - names->used;
    int wrote = snprintf(names->text + names->used, room, "%s%s", names->used ? ", " : "", name);
    if (wrote > 0 && (size_t)wrote < room)
        names->used += (size_t)wrote;
}

static void report_missing(const char *file, const struct demand *demand,
                           const struct verdict *verdict)
{
    for (int first = 0; first < ROW_COUNT; first++) {
        const char *interface = row_infos[first].interface;
        struct names names = {.used = 0};
        int row = first;
        for (; row < ROW_COUNT && row_infos[row].interface == interface; row++)
            if (verdict->answers[row] == ANSWER_MISSING)
                add_name(&names, row_infos[row].name);
        first = row - 1;
        if (names.used)
            report_line("%s: not provided yet: %s: %s", file, interface, names.text);
    }
    size_t shown = 0;
    for (size_t i = 0; i < demand->name_count; i++) {
        const struct demand_name *name = &demand->names[i];
        bool wanted = name->list == DEMAND_UNKNOWN || name->list == DEMAND_MISMATCH;
        shown += wanted;
        if (wanted)
            report_line("%s: %s: " STR_FMT, file,
                        name->list == DEMAND_UNKNOWN ? "not known" : "of another type",
                        STR_ARG(name->text));
    }
    size_t all = (size_t)demand->head.totals[DEMAND_UNKNOWN] + demand->head.totals[DEMAND_MISMATCH];
    if (all > shown)
        report_line("%s: and %zu more, whose names did not fit the reader's answer", file,
                    all - shown);
}

void report_refusal(const char *file, const struct err *err, const struct examined *of)
{
    report_error(file, err);
    if (of && err->kind == ERR_UNLINKABLE)
        report_missing(file, &of->demand, &of->verdict);
}

/* --- How a cell ended ---------------------------------------------------------------------------
 */

/* A name out of the cell, which ends with the last byte that is no NUL. */
static char *shown(char *to, size_t size, const char *name, size_t most)
{
    while (most && !name[most - 1])
        most--;
    return printable(to, size, (struct str){name, most});
}

static void report_frame(const struct record_frame *frame)
{
    static const char *const words[FRAME_KINDS] = {
#define FRAME(NAME, word) word,
#include "shim/protocol.def"
    };
    bool code = frame->kind == FRAME_CODE;
    const char *word = words[frame->kind < FRAME_KINDS ? frame->kind : FRAME_NATIVE];
    char name[1024], module[1024], place[48] = "";
    shown(name, sizeof name, frame->name, sizeof frame->name);
    shown(module, sizeof module, frame->module, sizeof frame->module);
    if (code)
        snprintf(place, sizeof place, " (byte %" PRIu64 ")", frame->offset);
    if (!name[0] && code)
        snprintf(name, sizeof name, "function %" PRIu32, frame->function);
    else if (!name[0])
        snprintf(name, sizeof name, "(carrel)");
    fprintf(stderr, "carrel:     %s %s%s%s%s\n", word, name, module[0] ? " in " : "", module,
            place);
}

void report_outcome(const char *file, const struct outcome *outcome)
{
    if (outcome->by_guest) {
        if (outcome->told > EXIT_CODE_MAX)
            report_line("%s: it ended with %" PRIu32 ", and an exit code is at most %d: that is "
                        "carrel's",
                        file, outcome->told, EXIT_CODE_MAX);
        return;
    }
    report_error(file, &outcome->why);
    for (uint32_t i = 0; i < outcome->frame_count; i++)
        report_frame(&outcome->frames[i]);
    if (outcome->depth > outcome->frame_count)
        report_line("    and %" PRIu32 " more", outcome->depth - outcome->frame_count);
}

static void add_text(json_object *to, const char *key, const char *text)
{
    char shown[1024]; /* printable is UTF-8, whatever the text was */
    json_object_object_add(to, key,
                           json_object_new_string(printable(shown, sizeof shown, str_of(text))));
}

void report_status(int fd, int code, const struct err *why, int number)
{
    if (fd < 0)
        return;
    json_object *all = json_object_new_object();
    json_object_object_add(all, "exit", json_object_new_int(code));
    add_text(all, "by", why ? "carrel" : "guest");
    if (why) {
        add_text(all, "kind", err_word(why->kind));
        add_text(all, "text", why->text);
        if (why->offset != ERR_NOWHERE)
            json_object_object_add(all, "offset", json_object_new_uint64(why->offset));
    }
    const char *name = number ? sigabbrev_np(number) : NULL;
    if (name) {
        char text[32];
        snprintf(text, sizeof text, "SIG%s", name);
        add_text(all, "signal", text);
    }
    const char *line = json_object_to_json_string_ext(all, JSON_C_TO_STRING_NOSLASHESCAPE);
    if (dprintf(fd, "%s\n", line) < 0)
        report_line("--status-json: cannot write to descriptor %d: %s", fd, strerror(errno));
    json_object_put(all);
}
