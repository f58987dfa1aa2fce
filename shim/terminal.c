/* The filter between a guest and a terminal; see terminal.h. The bytes are hostile. It is a small
 * state machine and not a parser of meaning: what is not in the table never gets through, and what
 * is incomplete is held back, so a terminal never sees half of what was judged. */
#include "shim/terminal.h"
#include "engine/base/utf.h"
#include <stdlib.h>
#include <string.h>

enum {
    GROUND,    /* text */
    CHARACTER, /* within a UTF-8 sequence */
    ESCAPE,    /* after ESC */
    CSI,       /* after ESC [ */
    OSC,       /* after ESC ], up to BEL or ST */
    STRING,    /* device control and other strings, dropped up to ST */
    IGNORED,   /* a control sequence that is too long, dropped up to its final byte */
};

struct output {
    char *at;
    size_t size;
};

static bool control_allowed(unsigned char c)
{
    switch (c) {
#define CONTROL(code) case code:
#define ESCAPE(intermediate, final)
#define CSI(prefix, intermediate, final)
#define MODE(prefix, number)
#define OSC(number)
#include "shim/terminal.def"
        return true;
    default: return false;
    }
}

static bool escape_allowed(int intermediate, int final)
{
    static const char allowed[][2] = {
#define CONTROL(code)
#define ESCAPE(intermediate, final) {intermediate, final},
#define CSI(prefix, intermediate, final)
#define MODE(prefix, number)
#define OSC(number)
#include "shim/terminal.def"
    };
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i][0] == intermediate && allowed[i][1] == final)
            return true;
    }
    return false;
}

static bool mode_allowed(int prefix, long number)
{
    static const struct {
        int prefix;
        long number;
    } allowed[] = {
#define CONTROL(code)
#define ESCAPE(intermediate, final)
#define CSI(prefix, intermediate, final)
#define MODE(prefix, number) {prefix, number},
#define OSC(number)
#include "shim/terminal.def"
    };
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i].prefix == prefix && allowed[i].number == number)
            return true;
    }
    return false;
}

/* Every mode in a list like "25;7" must be allowed. */
static bool modes_allowed(int prefix, const char *list)
{
    char *end;
    do {
        long number = strtol(list, &end, 10);
        if (end == list || !mode_allowed(prefix, number))
            return false;
        list = end + 1;
    } while (*end == ';');
    return *end == '\0';
}

/* `held` is ESC [ prefix? parameters intermediate? final. */
static bool csi_allowed(const char *held, size_t size)
{
    static const char allowed[][3] = {
#define CONTROL(code)
#define ESCAPE(intermediate, final)
#define CSI(prefix, intermediate, final) {prefix, intermediate, final},
#define MODE(prefix, number)
#define OSC(number)
#include "shim/terminal.def"
    };
    int final = held[size - 1], prefix = 0, intermediate = 0;
    char list[TERMINAL_HELD];
    size_t length = 0;
    for (size_t i = 2; i + 1 < size; i++) {
        if (i == 2 && strchr("<=>?", held[i]) && held[i]) {
            prefix = held[i];
        } else if (held[i] >= '0' && held[i] <= ';') {
            if (intermediate)
                return false;
            list[length++] = held[i];
        } else if (!intermediate && held[i] >= ' ' && held[i] <= '/') {
            intermediate = held[i];
        } else {
            return false;
        }
    }
    list[length] = '\0';
    if ((final == 'h' || final == 'l') && !intermediate)
        return modes_allowed(prefix, list);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i][0] == prefix && allowed[i][1] == intermediate && allowed[i][2] == final)
            return true;
    }
    return false;
}

/* How many bytes the UTF-8 sequence that `c` starts has; 0 if it starts none. */
static size_t utf8_length(unsigned char c)
{
    return c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* A complete sequence of well-formed lead and continuation bytes: neither a C1 control, which
 * terminals obey as they do ESC sequences, nor an overlong form of something shorter, nor out of
 * range. */
static bool utf8_allowed(const char *held)
{
    unsigned char first = (unsigned char)held[0], second = (unsigned char)held[1];
    return !(first == 0xc2 && second < 0xa0) && !(first == 0xe0 && second < 0xa0) &&
           !(first == 0xed && second > 0x9f) && !(first == 0xf0 && second < 0x90) &&
           !(first == 0xf4 && second > 0x8f);
}

/* The text of a command: characters only, well-formed and no controls. A terminal might end the
 * command at a C1 control and obey what follows. */
static bool text_allowed(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size) {
        unsigned char byte = (unsigned char)text[i];
        size_t length = byte >= ' ' && byte < 0x7f ? 1 : utf8_length(byte);
        if (length == 0 || length > size - i || (length > 1 && !utf8_allowed(text + i)))
            return false;
        for (size_t rest = 1; rest < length; rest++) {
            if (((unsigned char)text[i + rest] & 0xc0) != 0x80)
                return false;
        }
        i += length;
    }
    return true;
}

/* `held` is ESC ] number ; text, without its end. */
static bool osc_allowed(const char *held, size_t size)
{
    long number = 0;
    size_t i = 2;
    while (i < size && i < 8 && held[i] >= '0' && held[i] <= '9')
        number = number * 10 + (held[i++] - '0');
    if (i == 2 || i == size || held[i] != ';')
        return false;
    switch (number) {
#define CONTROL(code)
#define ESCAPE(intermediate, final)
#define CSI(prefix, intermediate, final)
#define MODE(prefix, number)
#define OSC(number) case number:
#include "shim/terminal.def"
        return text_allowed(held + i, size - i);
    default: return false;
    }
}

static void put(struct output *out, const char *bytes, size_t size)
{
    memcpy(out->at + out->size, bytes, size);
    out->size += size;
}

static void hold(struct terminal *terminal, char c)
{
    if (terminal->held_size < TERMINAL_HELD)
        terminal->held[terminal->held_size++] = c;
}

static void begin(struct terminal *terminal, int state, char c)
{
    terminal->state = state;
    terminal->held_size = 0;
    hold(terminal, c);
}

/* What is held is complete: let it pass or drop it. */
static void finish(struct terminal *terminal, struct output *out, bool allowed)
{
    if (allowed && terminal->held_size < TERMINAL_HELD)
        put(out, terminal->held, terminal->held_size);
    terminal->state = GROUND;
    terminal->held_size = 0;
}

static void in_ground(struct terminal *terminal, struct output *out, char c)
{
    unsigned char byte = (unsigned char)c;
    if (byte >= ' ' && byte < 0x7f)
        put(out, &c, 1);
    else if (terminal->plain && byte < 0x80)
        put(out, c == '\n' || c == '\t' ? &c : "?", 1);
    else if (byte == 0x1b)
        begin(terminal, ESCAPE, c);
    else if (utf8_length(byte))
        begin(terminal, CHARACTER, c);
    else if (byte >= 0x80)
        put(out, "?", 1);
    else if (control_allowed(byte))
        put(out, &c, 1);
}

/* Well-formed, by utf8_allowed. */
static bool is_hidden(const char *held)
{
    const uint8_t *at = (const uint8_t *)held;
    return utf8_hides(utf8_next(&at));
}

static void in_character(struct terminal *terminal, struct output *out, char c)
{
    if (((unsigned char)c & 0xc0) != 0x80) {
        finish(terminal, out, false);
        put(out, "?", 1);
        in_ground(terminal, out, c);
        return;
    }
    hold(terminal, c);
    if (terminal->held_size == utf8_length((unsigned char)terminal->held[0]))
        finish(terminal, out,
               utf8_allowed(terminal->held) && !(terminal->plain && is_hidden(terminal->held)));
}

static void in_escape(struct terminal *terminal, struct output *out, char c)
{
    hold(terminal, c);
    if (terminal->held_size == 2 && c == '[')
        terminal->state = CSI;
    else if (terminal->held_size == 2 && c == ']')
        terminal->state = OSC;
    else if (terminal->held_size == 2 && strchr("PX^_", c) && c)
        terminal->state = STRING;
    else if (c >= ' ' && c <= '/' && terminal->held_size == 2)
        return;
    else
        finish(terminal, out, escape_allowed(terminal->held_size == 3 ? terminal->held[1] : 0, c));
}

static void in_csi(struct terminal *terminal, struct output *out, char c)
{
    hold(terminal, c);
    if (c >= '@' && c <= '~')
        finish(terminal, out,
               terminal->state == CSI && csi_allowed(terminal->held, terminal->held_size));
    else if (c < ' ' || c > '?')
        finish(terminal, out, false);
    else if (terminal->held_size == TERMINAL_HELD)
        terminal->state = IGNORED;
}

/* Strings end with BEL (commands only) or ST, which is ESC \. */
static void in_string(struct terminal *terminal, struct output *out, char c)
{
    bool escaped = terminal->held_size > 2 && terminal->held[terminal->held_size - 1] == 0x1b;
    bool ends = (c == '\a' && terminal->state == OSC) || (c == '\\' && escaped);
    if (ends) {
        size_t size = terminal->held_size - (escaped ? 1 : 0);
        bool allowed = terminal->state == OSC && osc_allowed(terminal->held, size);
        hold(terminal, c);
        finish(terminal, out, allowed);
        return;
    }
    if (escaped || (c >= 0 && c < ' ' && c != 0x1b)) {
        /* Terminals give up on a string here, so what follows is text again. */
        finish(terminal, out, false);
        if (escaped) {
            begin(terminal, ESCAPE, 0x1b);
            in_escape(terminal, out, c);
        }
        return;
    }
    if (terminal->held_size >= TERMINAL_HELD - 2) {
        terminal->state = STRING; /* too long: dropped, but its end is still looked for */
        terminal->held_size = 3;
    }
    hold(terminal, c);
}

struct terminal terminal_new(void)
{
    return (struct terminal){.state = GROUND};
}

struct terminal terminal_plain(void)
{
    return (struct terminal){.state = GROUND, .plain = true};
}

size_t terminal_filter(struct terminal *terminal, const char *from, size_t size, char *to)
{
    struct output out = {to, 0};
    for (size_t i = 0; i < size; i++) {
        char c = from[i];
        if (c == 0x1b && terminal->state != OSC && terminal->state != STRING &&
            terminal->state != GROUND)
            finish(terminal, &out, false);
        switch (terminal->state) {
        case GROUND: in_ground(terminal, &out, c); break;
        case CHARACTER: in_character(terminal, &out, c); break;
        case ESCAPE: in_escape(terminal, &out, c); break;
        case CSI:
        case IGNORED: in_csi(terminal, &out, c); break;
        default: in_string(terminal, &out, c); break;
        }
    }
    return out.size;
}
