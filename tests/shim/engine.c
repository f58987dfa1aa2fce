/* An engine for tests of the shim: its "component" is a script that it obeys, one command a line.
 * It stands for an engine that the component has taken over: it can try anything, with the walls of
 * a real cell around it.
 *
 *   exit N | print TEXT | error TEXT | cat | args | env | grants | crash | spin | wait
 *   call NUMBER ARG...    a system call; an argument is a number, or a text after `@`
 *   read FD | write FD TEXT
 *   touch MEGABYTES       of the arena; poke MEGABYTES touches one byte so far beyond its start
 *   trap NUMBER TEXT | fail NUMBER TEXT | answer SIZE
 *   packet KIND SIZE      one packet of that kind and size to the shim
 *   flood NUMBER KIND     so many of them, of four bytes
 *   questions NUMBER      so many questions, whose answers it does not take; ask NUMBER takes them
 *   smuggle NUMBER        so many descriptors, sent to the shim; prints what sendmsg returned
 *
 * Results are printed to the grant that is standard output, or to the shim's view of a trap. */
#include "engine/base/attr.h"
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ARGUMENTS 6

struct script {
    struct cell *cell;
    char line[4096];
    char *rest; /* of the line, after the command */
};

static int descriptor_of(const struct cell *cell, enum grant_kind kind)
{
    for (size_t i = 0; i < cell->grant_count; i++) {
        if (cell->grants[i].kind == kind)
            return cell->grants[i].descriptor;
    }
    return -1;
}

static void put(struct script *script, enum grant_kind kind, const char *text, size_t size)
{
    int fd = descriptor_of(script->cell, kind);
    while (fd >= 0 && size > 0) {
        ssize_t written = write(fd, text, size);
        if (written <= 0)
            return;
        text += written;
        size -= (size_t)written;
    }
}

static void print(struct script *script, const char *format, ...) PRINTF(2, 3);
static void print(struct script *script, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put(script, GRANT_STDOUT, text, (size_t)size);
}

static long number(struct script *script)
{
    return strtol(script->rest, &script->rest, 0);
}

static const char *text(struct script *script)
{
    while (*script->rest == ' ')
        script->rest++;
    return script->rest;
}

static void do_exit(struct script *script)
{
    tell_exit((uint32_t)number(script));
    _exit(0);
}

static void do_print(struct script *script)
{
    put(script, GRANT_STDOUT, text(script), strlen(text(script)));
    put(script, GRANT_STDOUT, "\n", 1);
}

static void do_error(struct script *script)
{
    put(script, GRANT_STDERR, text(script), strlen(text(script)));
    put(script, GRANT_STDERR, "\n", 1);
}

static void do_cat(struct script *script)
{
    static char bytes[65536];
    int in = descriptor_of(script->cell, GRANT_STDIN);
    ssize_t size;
    while ((size = read(in, bytes, sizeof bytes)) > 0)
        put(script, GRANT_STDOUT, bytes, (size_t)size);
}

static void list(struct script *script, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print(script, STR_FMT "\n", STR_ARG(texts[i]));
}

static void do_args(struct script *script)
{
    list(script, script->cell->arguments, script->cell->argument_count);
}

static void do_env(struct script *script)
{
    list(script, script->cell->environment, script->cell->environment_count);
}

static void do_grants(struct script *script)
{
    for (size_t i = 0; i < script->cell->grant_count; i++) {
        const struct cell_grant *grant = &script->cell->grants[i];
        const struct str name = grant->kind == GRANT_DIRECTORY ? grant->name : str_of("-");
        print(script, "%d %d %" PRIx64 " " STR_FMT "\n", (int)grant->kind, grant->descriptor,
              grant->rights, STR_ARG(name));
    }
    print(script, "arena %d\n", script->cell->arena_size > 0);
    print(script, "terminals %" PRIx32 "\n", script->cell->terminals);
}

static void do_crash(struct script *script)
{
    (void)script;
    __builtin_trap();
}

static void do_spin(struct script *script)
{
    (void)script;
    static volatile int turns;
    for (;;)
        turns++;
}

static void do_wait(struct script *script)
{
    char byte;
    (void)script;
    while (read(PROTOCOL_SOCKET, &byte, 1) > 0)
        ;
}

static void do_call(struct script *script)
{
    static char texts[ARGUMENTS][512];
    long call = number(script), arguments[ARGUMENTS] = {0};
    for (int i = 0; i < ARGUMENTS && *text(script); i++) {
        if (*script->rest != '@') {
            arguments[i] = number(script);
            continue;
        }
        size_t size = strcspn(++script->rest, " ");
        memset(texts[i], 0, sizeof texts[i]);
        memcpy(texts[i], script->rest, size < 511 ? size : 511);
        script->rest += size;
        arguments[i] = (long)texts[i];
    }
    long result = syscall(call, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
    print(script, "%ld\n", result < 0 ? -(long)errno : result);
}

static void do_read(struct script *script)
{
    char bytes[256];
    ssize_t size = read((int)number(script), bytes, sizeof bytes);
    if (size < 0)
        print(script, "%d\n", -errno);
    else
        put(script, GRANT_STDOUT, bytes, (size_t)size);
}

static void do_write(struct script *script)
{
    int fd = (int)number(script);
    ssize_t size = write(fd, text(script), strlen(text(script)));
    print(script, "%ld\n", size < 0 ? -(long)errno : (long)size);
}

static void do_touch(struct script *script)
{
    size_t size = (size_t)number(script) << 20;
    volatile char *at = script->cell->arena;
    for (size_t i = 0; i < size && i < script->cell->arena_size; i += 4096)
        at[i] = 1;
}

static void do_poke(struct script *script)
{
    volatile char *at = script->cell->arena;
    at[(size_t)number(script) << 20] = 1;
}

static void do_trap(struct script *script)
{
    static struct message_trap trap;
    trap.trap = (uint32_t)number(script);
    trap.depth = 2;
    snprintf(trap.text, sizeof trap.text, "%s", text(script));
    for (int i = 0; i < PROTOCOL_FRAMES; i++) {
        memset(trap.frames[i].name, 'f', sizeof trap.frames[i].name);
        trap.frames[i].offset = (uint64_t)i;
    }
    tell_trap(&trap);
    _exit(0);
}

static void do_fail(struct script *script)
{
    struct err err = {.kind = (enum err_kind)number(script), .offset = 42};
    snprintf(err.text, sizeof err.text, "%s", text(script));
    tell_failure(&err);
    _exit(0);
}

static void do_answer(struct script *script)
{
    static uint8_t answer[PROTOCOL_ANSWER];
    tell_demand((struct bytes){answer, (size_t)number(script)});
}

static void packet(uint32_t kind, size_t size)
{
    static uint8_t bytes[PROTOCOL_PACKET];
    memcpy(bytes, &kind, sizeof kind);
    ssize_t written = write(PROTOCOL_SOCKET, bytes, size < sizeof bytes ? size : sizeof bytes);
    (void)written;
}

static void do_packet(struct script *script)
{
    uint32_t kind = (uint32_t)number(script);
    packet(kind, (size_t)number(script));
}

static void do_flood(struct script *script)
{
    long count = number(script);
    uint32_t kind = (uint32_t)number(script);
    for (long i = 0; i < count; i++)
        packet(kind, 4);
}

static void question(void)
{
    const struct message_ask_socket ask = {MESSAGE_ASK_SOCKET, PROTOCOL_TCP, PROTOCOL_IPV4};
    ssize_t written = write(PROTOCOL_SOCKET, &ask, sizeof ask);
    (void)written;
}

static void do_questions(struct script *script)
{
    for (long count = number(script); count > 0; count--)
        question();
}

static void do_ask(struct script *script)
{
    struct message_answer answer;
    for (long count = number(script); count > 0; count--) {
        question();
        if (read(PROTOCOL_SOCKET, &answer, sizeof answer) < 0)
            return;
    }
}

static void do_smuggle(struct script *script)
{
    enum { MOST = 253 }; /* the kernel's */
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
    } control = {0};
    struct iovec part = {script->line, 8};
    size_t count = (size_t)number(script);
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
    if (count > 0) {
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            memcpy(CMSG_DATA(rights) + i * sizeof(int), &(int){PROTOCOL_SOCKET}, sizeof(int));
    } else {
        packet.msg_control = NULL;
        packet.msg_controllen = 0;
    }
    long result = sendmsg(PROTOCOL_SOCKET, &packet, 0);
    print(script, "%ld\n", result < 0 ? -(long)errno : result);
}

static const struct {
    const char *name;
    void (*obey)(struct script *script);
} commands[] = {
    {"exit", do_exit},           {"print", do_print}, {"error", do_error},     {"cat", do_cat},
    {"args", do_args},           {"env", do_env},     {"grants", do_grants},   {"crash", do_crash},
    {"spin", do_spin},           {"wait", do_wait},   {"call", do_call},       {"read", do_read},
    {"write", do_write},         {"touch", do_touch}, {"trap", do_trap},       {"fail", do_fail},
    {"answer", do_answer},       {"flood", do_flood}, {"packet", do_packet},   {"poke", do_poke},
    {"questions", do_questions}, {"ask", do_ask},     {"smuggle", do_smuggle},
};

static void obey(struct script *script)
{
    size_t length = strcspn(script->line, " ");
    script->rest = script->line + length;
    for (size_t i = 0; i < countof(commands); i++) {
        if (strncmp(commands[i].name, script->line, length) == 0 && !commands[i].name[length])
            commands[i].obey(script);
    }
}

static void obey_all(struct cell *cell)
{
    static struct script script;
    script.cell = cell;
    const char *at = (const char *)cell->component.at;
    const char *end = at + cell->component.len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        if (length < sizeof script.line) {
            memcpy(script.line, at, length);
            script.line[length] = '\0';
            obey(&script);
        }
        at += length + 1;
    }
}

void role_reader(struct cell *cell)
{
    obey_all(cell);
}

void role_resolver(struct cell *cell)
{
    role_run(cell);
}

void role_inspect(struct cell *cell)
{
    role_run(cell);
}

void role_serve(struct cell *cell)
{
    role_run(cell);
}

void role_run(struct cell *cell)
{
    obey_all(cell);
    tell_exit(0);
}
