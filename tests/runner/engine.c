/* An engine for tests of the command line: its "component" is a script that it obeys, one command a
 * line. As a reader it obeys the first group and answers with the demand that they make; as a cell
 * that runs, or inspects, it obeys the second.
 *
 *   is FACT            command, component, proxy: a fact of the demand (policies/demand.def)
 *   reach ROW          a row that is imported and reached, by its name in policies/row.def
 *   import ROW         a row that is imported only
 *   memory BYTES       that the component starts with
 *   name LIST TEXT     a name of the list import, export, unknown or mismatch; \e is an escape
 *   count LIST NUMBER  how many names the list has in truth
 *   malformed OFFSET TEXT   the component is refused
 *   lie                an answer without sense
 *
 *   print TEXT | error TEXT | args | env | grants | exit N | trap TEXT | spin | crash | memory-full
 *   call NUMBER        a system call without arguments
 *   refuse ROW TEXT    tells the shim that the function said no to this name; \e is an escape */
#include "engine/base/attr.h"
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
#define ROW(name) ROW_##name,
#include "policies/row.def"
    DEMAND_ROWS
};

enum {
#define LIST(name, meaning) LIST_##name,
#include "policies/demand.def"
    DEMAND_LISTS
};

static const char *const rows[] = {
#define ROW(name) #name,
#include "policies/row.def"
};

static const char *const lists[] = {
#define LIST(name, meaning) #name,
#include "policies/demand.def"
};

struct demand_head {
#define FIELD(type, name, count) type name[count];
#include "policies/demand.def"
};

static union {
    struct demand_head head;
    uint8_t bytes[16384];
} answer;
static size_t answer_size = sizeof answer.head;

static struct cell *cell;
static char *rest; /* of the line */

/* Takes the next word of the line. */
static char *word(void)
{
    rest += strspn(rest, " ");
    char *at = rest;
    rest += strcspn(rest, " ");
    if (*rest)
        *rest++ = '\0';
    return at;
}

static bool same_letters(const char *one, const char *other)
{
    while (*one && (*one | 0x20) == (*other | 0x20)) {
        one++;
        other++;
    }
    return *one == *other;
}

static size_t find(const char *name, const char *const *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same_letters(name, in[i]))
            return i;
    struct err err = {.offset = ERR_NOWHERE, .kind = ERR_FAULT};
    snprintf(err.text, sizeof err.text, "the script names %s, which there is not", name);
    tell_failure(&err);
    _exit(0);
}

/* --- The reader ---------------------------------------------------------------------------------
 */

static void do_is(void)
{
    const char *fact = word();
#define FACT(name, bit, meaning)                                                                   \
    if (same_letters(fact, #name))                                                                 \
        answer.head.facts[0] |= 1u << (bit);
#include "policies/demand.def"
}

static void do_import(void)
{
    size_t row = find(word(), rows, countof(rows));
    answer.head.imported[row / 8] |= (uint8_t)(1u << row % 8);
}

static void do_reach(void)
{
    size_t row = find(word(), rows, countof(rows));
    answer.head.imported[row / 8] |= (uint8_t)(1u << row % 8);
    answer.head.reachable[row / 8] |= (uint8_t)(1u << row % 8);
}

static void do_memory(void)
{
    answer.head.memory[0] = strtoull(word(), NULL, 0);
}

static void do_name(void)
{
    size_t list = find(word(), lists, DEMAND_LISTS);
    uint8_t *size = &answer.bytes[answer_size + 1];
    answer.bytes[answer_size] = (uint8_t)list;
    answer_size += 2;
    for (const char *at = rest; *at; at++) {
        bool escape = at[0] == '\\' && at[1] == 'e';
        answer.bytes[answer_size++] = escape ? 0x1b : (uint8_t)*at;
        at += escape;
        ++*size;
    }
    answer.head.totals[list]++;
}

static void do_count(void)
{
    size_t list = find(word(), lists, DEMAND_LISTS);
    answer.head.totals[list] = (uint32_t)strtoul(word(), NULL, 0);
}

static void do_malformed(void)
{
    struct err err = {.kind = ERR_MALFORMED};
    err.offset = strtoull(word(), NULL, 0);
    snprintf(err.text, sizeof err.text, "%s", rest);
    tell_failure(&err);
    _exit(0);
}

static void do_lie(void)
{
    answer.head.rows[0]++;
}

/* --- The cell that runs -------------------------------------------------------------------------
 */

static void put(enum grant_kind kind, const char *text, size_t size)
{
    for (size_t i = 0; i < cell->grant_count; i++)
        if (cell->grants[i].kind == kind && write(cell->grants[i].descriptor, text, size) < 0)
            _exit(1);
}

static void print(const char *format, ...) PRINTF(1, 2);
static void print(const char *format, ...)
{
    char text[4096];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put(GRANT_STDOUT, text, (size_t)size);
}

static void do_print(void)
{
    print("%s\n", rest);
}

static void do_error(void)
{
    put(GRANT_STDERR, rest, strlen(rest));
    put(GRANT_STDERR, "\n", 1);
}

static void do_args(void)
{
    for (size_t i = 0; i < cell->argument_count; i++)
        print("[" STR_FMT "]\n", STR_ARG(cell->arguments[i]));
}

static void do_env(void)
{
    for (size_t i = 0; i < cell->environment_count; i++)
        print("[" STR_FMT "]\n", STR_ARG(cell->environment[i]));
}

static void do_grants(void)
{
    static const char *const kinds[GRANT_KINDS] = {
#define GRANT(NAME, word) word,
#include "shim/protocol.def"
    };
    for (size_t i = 0; i < cell->grant_count; i++)
        print("%s %d " STR_FMT "\n", kinds[cell->grants[i].kind], (int)cell->grants[i].rights,
              STR_ARG(cell->grants[i].name));
}

static void do_exit(void)
{
    tell_exit((uint32_t)strtoul(word(), NULL, 0));
    _exit(0);
}

static void do_trap(void)
{
    static struct message_trap trap;
    trap.trap = 1;
    trap.depth = 3;
    snprintf(trap.text, sizeof trap.text, "%s", rest);
    snprintf(trap.frames[0].name, sizeof trap.frames[0].name, "inner\033[2J");
    snprintf(trap.frames[0].module, sizeof trap.frames[0].module, "app");
    trap.frames[0].offset = 77;
    trap.frames[1].function = 5;
    trap.frames[1].offset = 99;
    trap.frames[2].kind = FRAME_NATIVE;
    snprintf(trap.frames[2].name, sizeof trap.frames[2].name, "wasi:cli/exit");
    tell_trap(&trap);
    _exit(0);
}

static void do_spin(void)
{
    static volatile unsigned turns;
    for (;;)
        turns++;
}

static void do_crash(void)
{
    __builtin_trap();
}

static void do_full(void)
{
    struct err err = {.kind = ERR_MEMORY, .offset = ERR_NOWHERE, .text = "memory limit reached"};
    tell_failure(&err);
    _exit(0);
}

static void do_call(void)
{
    print("%ld\n", syscall(strtol(word(), NULL, 0), 0, 0, 0, 0, 0, 0));
}

static void do_refuse(void)
{
    struct message_denied denied = {.kind = MESSAGE_DENIED,
                                    .row = (uint32_t)find(word(), rows, countof(rows)),
                                    .capability = PROTOCOL_OWN_CAPABILITY};
    for (const char *at = rest; *at && denied.name_size < sizeof denied.name; at++) {
        bool escape = at[0] == '\\' && at[1] == 'e';
        char letter = *at;
        if (escape)
            letter = '\x1b';
        denied.name[denied.name_size++] = letter;
        at += escape;
    }
    if (write(PROTOCOL_SOCKET, &denied, sizeof denied) < 0)
        _exit(1);
}

static const struct command {
    const char *name;
    bool reader;
    void (*obey)(void);
} commands[] = {
    {"is", true, do_is},
    {"reach", true, do_reach},
    {"import", true, do_import},
    {"memory", true, do_memory},
    {"name", true, do_name},
    {"count", true, do_count},
    {"malformed", true, do_malformed},
    {"lie", true, do_lie},
    {"print", false, do_print},
    {"error", false, do_error},
    {"args", false, do_args},
    {"env", false, do_env},
    {"grants", false, do_grants},
    {"exit", false, do_exit},
    {"trap", false, do_trap},
    {"spin", false, do_spin},
    {"crash", false, do_crash},
    {"memory-full", false, do_full},
    {"call", false, do_call},
    {"refuse", false, do_refuse},
};

static void obey(char *line, bool reader)
{
    rest = line;
    const char *name = word();
    for (size_t i = 0; i < countof(commands); i++)
        if (commands[i].reader == reader && strcmp(commands[i].name, name) == 0)
            commands[i].obey();
}

static void obey_all(bool reader)
{
    static char line[4096];
    const uint8_t *at = cell->component.at, *end = at + cell->component.len;
    while (at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        size_t kept = length < sizeof line - 1 ? length : sizeof line - 1;
        memcpy(line, at, kept);
        line[kept] = '\0';
        obey(line, reader);
        at += length + 1;
    }
}

void role_reader(struct cell *self)
{
    cell = self;
    answer.head.rows[0] = DEMAND_ROWS;
    obey_all(true);
    tell_demand((struct bytes){answer.bytes, answer_size});
}

void role_resolver(struct cell *self)
{
    role_run(self);
}

void role_inspect(struct cell *self)
{
    cell = self;
    obey_all(false);
    tell_exit(0);
}

void role_serve(struct cell *self)
{
    cell = self;
    obey_all(false);
    tell_exit(0);
}

void role_run(struct cell *self)
{
    cell = self;
    obey_all(false);
    tell_exit(0);
}
