/* Explaining denials; see denial.h. What a cell chose is made printable, everything else is a row's
 * text. */
#include "shim/denial.h"
#include "policies/printable.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a: distinct lines rarely meet, and if they do, one is said less. */
static uint64_t digest_of(const char *text)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        digest = (digest ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return digest;
}

/* The shim waits for nobody, and least of all for whoever reads what the cell writes, too: a cell
 * could fill that pipe and be refused something. A line for which there is no room now is said when
 * the same is refused again. */
static bool room_for_a_line(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT);
}

enum novelty { SAID_BEFORE, NEW, TOO_MANY };

/* Is there something to say? `line` alone decides. */
static enum novelty novelty_of(struct denials *denials, const char *line)
{
    uint64_t digest = digest_of(line);
    if (denials->count > DENIALS_TOLD)
        return SAID_BEFORE;
    for (size_t i = 0; i < denials->count; i++)
        if (denials->told[i] == digest)
            return SAID_BEFORE;
    if (!room_for_a_line())
        return SAID_BEFORE;
    if (denials->count++ == DENIALS_TOLD)
        return TOO_MANY;
    denials->told[denials->count - 1] = digest;
    return NEW;
}

/* The word of --net that allows what this row does with an address or a name; NULL if none does. */
static const char *net_word(enum row row, const struct denied_subject *subject)
{
    if (subject->name.len)
        return row == ROW_resolve_addresses ? "dns" : NULL;
    if (!subject->address)
        return NULL;
    switch (row) {
    case ROW_tcp_socket_start_connect: return "connect";
    case ROW_tcp_socket_start_bind:
    case ROW_tcp_socket_start_listen: return "listen";
    default: return "udp";
    }
}

/* The parts of an explanation. */
struct denial {
    char function[160];
    char subject[4 * NET_NAME_MAX + 8];
    char why[512];
    char flag[NET_TEXT_MAX + 32];   /* that allows it; empty: none does */
    char policy[NET_TEXT_MAX + 64]; /* the same as a line of a policy file */
};

static void find_subject(const struct denied_subject *subject, struct denial *ret)
{
    char text[NET_TEXT_MAX];
    if (subject->origin)
        printable(ret->subject, sizeof ret->subject,
                  str_of(net_origin_text(subject->origin, text)));
    else if (subject->name.len)
        printable(ret->subject, sizeof ret->subject, subject->name);
    else if (subject->address)
        snprintf(ret->subject, sizeof ret->subject, "%s", net_address_text(subject->address, text));
}

static void find_remedy(enum row row, const struct denied_subject *subject, struct denial *ret)
{
    const struct capability_info *capability = &capabilities[subject->capability];
    const char *word = net_word(row, subject);
    if (subject->by || subject->leads_astray)
        return;
    if (subject->origin) {
        snprintf(ret->flag, sizeof ret->flag, "--http %.*s", NET_TEXT_MAX, ret->subject);
        snprintf(ret->policy, sizeof ret->policy, "allow: {http: \"%.*s\"}", NET_TEXT_MAX,
                 ret->subject);
    } else if (word) {
        snprintf(ret->flag, sizeof ret->flag, "--net %s=%.*s", word, NET_TEXT_MAX, ret->subject);
        snprintf(ret->policy, sizeof ret->policy, "allow: {net: \"%s=%.*s\"}", word, NET_TEXT_MAX,
                 ret->subject);
    } else if (*capability->flag) {
        const char *value = strchr(capability->flag, ' ');
        int length = value ? (int)(value - capability->flag) - 2 : 0;
        snprintf(ret->flag, sizeof ret->flag, "%s", capability->flag);
        if (value)
            snprintf(ret->policy, sizeof ret->policy, "allow: {%.*s: \"%s\"}", length,
                     capability->flag + 2, value + 1);
    }
}

static void find_why(const struct denied_subject *subject, enum denied_why why, struct denial *ret)
{
    char address[NET_TEXT_MAX];
    if (subject->by)
        snprintf(ret->why, sizeof ret->why, "the policy denies %.*s", NET_TEXT_MAX,
                 subject->by->text);
    else if (subject->leads_astray)
        snprintf(ret->why, sizeof ret->why,
                 "it leads to %s, which is not public: a rule has to name the host, and the host's "
                 "own hosts file has to have this address of it",
                 net_address_text(&subject->origin->address, address));
    else if (why == DENIED_NO_RULE)
        snprintf(ret->why, sizeof ret->why, "no %s rule covers it",
                 subject->origin ? "--http" : "--net");
    else
        snprintf(ret->why, sizeof ret->why, "%s is not granted",
                 capabilities[subject->capability].word);
}

static void explain(enum row row, const struct denied_subject *subject, enum denied_why why,
                    struct denial *ret)
{
    const struct row_info *info = &row_infos[row];
    *ret = (struct denial){.function = ""};
    snprintf(ret->function, sizeof ret->function, "%s#%s", info->interface, info->name);
    find_subject(subject, ret);
    find_remedy(row, subject, ret);
    find_why(subject, why, ret);
}

/* What programs of every toolchain ask for before they begin, most of them without need: refusing
 * it is for the record, and no news to whoever runs them. */
static bool routine(enum row row)
{
    switch (row) {
    case ROW_get_environment:
    case ROW_get_directories:
    case ROW_p1_environ_get:
    case ROW_p1_environ_sizes_get:
    case ROW_p1_fd_prestat_get:
    case ROW_p1_fd_prestat_dir_name: return true;
    default: return false;
    }
}

static void say(const struct denials *denials, const struct denial *denial, const char *file,
                bool quietly)
{
    const struct audit_log_member members[] = {
        {"file", denials->file},
        {"function", denial->function},
        {"subject", *denial->subject ? denial->subject : NULL},
        {"why", denial->why},
        {"flag", *denial->flag ? denial->flag : NULL},
        {"policy", *denial->policy ? denial->policy : NULL},
    };
    if (denials->log)
        audit_log_add(denials->log, "denied", members, countof(members));
    if (denials->log && denials->log->json) {
        char *line = audit_log_line(denials->log, "denied", members, countof(members));
        if (line)
            dprintf(STDERR_FILENO, "%s", line);
        free(line);
        return;
    }
    if (quietly)
        return;
    dprintf(STDERR_FILENO, "carrel: %s: %s%s%s was refused: %s%s%s%s%s%s\n", file, denial->function,
            *denial->subject ? " " : "", denial->subject, denial->why, *denial->flag ? "; " : "",
            denial->flag, *denial->policy ? " or, in a policy, " : "", denial->policy,
            *denial->flag ? " allows it" : "");
}

void denial_tell(struct denials *denials, enum row row, const struct denied_subject *subject,
                 enum denied_why why)
{
    struct denial denial;
    char file[512], line[sizeof denial];
    explain(row, subject, why, &denial);
    printable(file, sizeof file, str_of(denials->file));
    snprintf(line, sizeof line, "%s %s %s", denial.function, denial.subject, denial.why);
    enum novelty novelty = novelty_of(denials, line);
    if (novelty == NEW)
        say(denials, &denial, file, routine(row));
    else if (novelty == TOO_MANY)
        dprintf(STDERR_FILENO, "carrel: %s: more was refused, which is not shown\n", file);
}
