/* Explaining denials; see denial.h. What a cell chose is made printable, everything else is a row's
 * text. */
#include "shim/denial.h"
#include "policies/printable.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_SIZE 1024

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

static void tell_once(struct denials *denials, const char *line)
{
    uint64_t digest = digest_of(line);
    if (denials->count > DENIALS_TOLD)
        return;
    for (size_t i = 0; i < denials->count; i++)
        if (denials->told[i] == digest)
            return;
    if (!room_for_a_line())
        return;
    if (denials->count == DENIALS_TOLD) {
        dprintf(STDERR_FILENO, "carrel: %s: more was refused, which is not shown\n", denials->file);
    } else {
        denials->told[denials->count] = digest;
        dprintf(STDERR_FILENO, "carrel: %s\n", line);
    }
    denials->count++;
}

/* The word of --net that allows what this row does with an address or a name; NULL if none does. */
static const char *net_word(enum row row, const struct denied_subject *subject)
{
    if (subject->name.len)
        return "dns";
    if (!subject->address)
        return NULL;
    switch (row) {
    case ROW_tcp_socket_start_connect: return "connect";
    case ROW_tcp_socket_start_bind:
    case ROW_tcp_socket_start_listen: return "listen";
    default: return "udp";
    }
}

void denial_tell(struct denials *denials, enum row row, const struct denied_subject *subject,
                 bool by_rules)
{
    const struct row_info *info = &row_infos[row];
    const struct capability_info *capability = &capabilities[info->capability];
    char name[4 * NET_NAME_MAX + 8], address[NET_TEXT_MAX], file[512], line[LINE_MAX_SIZE];
    const char *what = "";
    if (subject->name.len)
        what = printable(name, sizeof name, subject->name);
    else if (subject->address)
        what = net_address_text(subject->address, address);
    const char *word = net_word(row, subject);
    int used =
        snprintf(line, sizeof line,
                 "%s: %s#%s%s%s was refused: ", printable(file, sizeof file, str_of(denials->file)),
                 info->interface, info->name, *what ? " " : "", what);
    size_t at = (size_t)used < sizeof line ? (size_t)used : sizeof line - 1;
    if (by_rules)
        used = snprintf(line + at, sizeof line - at, "no --net rule covers it");
    else
        used = snprintf(line + at, sizeof line - at, "%s is not granted", capability->word);
    at += (size_t)used < sizeof line - at ? (size_t)used : sizeof line - at - 1;
    if (word)
        snprintf(line + at, sizeof line - at, "; --net %s=%s allows it", word, what);
    else if (*capability->flag)
        snprintf(line + at, sizeof line - at, "; %s allows it", capability->flag);
    tell_once(denials, line);
}
