/* Explaining denials; see denial.h. What a cell chose is made printable, everything else is a row's
 * text. */
#include "shim/denial.h"

#include "policies/printable.h"
#include "shim/moment.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ROW_COUNT <= UINT16_MAX && CAP_COUNT <= UINT8_MAX, "struct denials holds both");

/* FNV-1a: distinct lines rarely meet, and if they do, one is said less. */
static uint64_t digest_of(const char *text)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        digest = (digest ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return digest;
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

#define DIRECTORY_MAX 1024 /* bytes of HOST::GUEST in advice; of longer ones none is given */

/* The parts of an explanation. */
struct denial {
    char function[160];
    char subject[4 * NET_NAME_MAX + 8];
    char why[512];
    char flag[DIRECTORY_MAX + 32];    /* that allows it; empty: none does */
    char instead[DIRECTORY_MAX + 32]; /* the flag that it is to take the place of; empty: of none */
    char policy[DIRECTORY_MAX + 64];  /* the same as `flag` as a line of a policy file */
    bool beside; /* they do not allow this very thing, but give what was looked for */
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

/* Is the subject what it should be, so that whoever pastes it into a shell or a policy gets that
 * and nothing else? A cell sends what it likes. */
static bool harmless(const struct denied_subject *subject)
{
    struct str name = subject->origin ? subject->origin->name : subject->name;
    if (subject->directory) /* the guest's words are in no advice but where they are looked at */
        return true;
    return name.len == 0 || net_name_valid(net_name_bare(name));
}

/* --- Directories --------------------------------------------------------------------------------
 */

/* May this text be pasted into a shell between single quotes, and into YAML between double ones? */
static bool quotable(const char *text)
{
    char shown[4 * DIRECTORY_MAX];
    return strlen(text) < DIRECTORY_MAX && !strpbrk(text, "'\"\\") &&
           strcmp(printable(shown, sizeof shown, str_of(text)), text) == 0;
}

/* Is it a word of a shell as it is? */
static bool plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "@%_+=:,./-";
    return text[strspn(text, letters)] == '\0';
}

static void put_flag(char *ret, size_t size, const char *mapping)
{
    const char *quote = plain(mapping) ? "" : "'";
    snprintf(ret, size, "--dir %s%s%s", quote, mapping, quote);
}

/* "--dir HOST::GUEST" with these two; false if they cannot be written so. */
static bool give_directory(const char *host, const char *guest, bool read_only, struct denial *ret)
{
    char mapping[DIRECTORY_MAX];
    int length = snprintf(mapping, sizeof mapping, "%s::%s%s", host, guest, read_only ? ":ro" : "");
    if (length < 0 || (size_t)length >= sizeof mapping || strstr(host, "::") || !quotable(mapping))
        return false;
    put_flag(ret->flag, sizeof ret->flag, mapping);
    snprintf(ret->policy, sizeof ret->policy, "allow: {dir: \"%s\"}", mapping);
    return true;
}

/* The directory is given, but not to be changed. */
static bool give_it_whole(const struct denied_directory *directory, struct denial *ret)
{
    char mapping[DIRECTORY_MAX];
    if (!give_directory(directory->host, directory->guest, /*read_only=*/false, ret))
        return false;
    int length = snprintf(mapping, sizeof mapping, "%s::%s:ro", directory->host, directory->guest);
    if (length > 0 && (size_t)length < sizeof mapping)
        put_flag(ret->instead, sizeof ret->instead, mapping);
    return true;
}

/* The directory of the host that holds what a path leads to, as far as its letters say, and nothing
 * below it leads elsewhere. False if that is the whole host, or cannot be told. */
static bool find_holder(const struct denied_subject *subject, char ret[DIRECTORY_MAX])
{
    const char *at = subject->name.at, *end = at + subject->name.len;
    size_t length = strlen(subject->directory->host);
    if (subject->leaves != PROTOCOL_LEAVES_GRANT ||
        length + subject->name.len + 2 > DIRECTORY_MAX || subject->name.len >= NET_NAME_MAX)
        return false;
    memcpy(ret, subject->directory->host, length + 1);
    bool above = false;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t step = (size_t)((slash ? slash : end) - at);
        if (step == 2 && memcmp(at, "..", 2) == 0) {
            char *last = strrchr(ret, '/');
            *(last ? last : ret) = '\0';
            above = above || strlen(ret) < length;
        } else if (slash && step > 0 && !(step == 1 && *at == '.')) {
            snprintf(ret + strlen(ret), DIRECTORY_MAX - strlen(ret), "/%.*s", (int)step, at);
        }
        at += step + 1;
    }
    return above && *ret && plain(ret);
}

static void find_directory(const struct denied_subject *subject, struct denial *ret)
{
    char holder[DIRECTORY_MAX];
    bool reads = subject->capability == CAP_DIR_READ;
    if (subject->leaves == PROTOCOL_LEAVES_NOT && give_it_whole(subject->directory, ret))
        return;
    ret->beside = subject->leaves != PROTOCOL_LEAVES_NOT;
    if (ret->beside && find_holder(subject, holder) && give_directory(holder, holder, reads, ret))
        return;
    snprintf(ret->flag, sizeof ret->flag, "%s", capabilities[subject->capability].flag);
    snprintf(ret->policy, sizeof ret->policy, "allow: {dir: \"HOST::GUEST%s\"}",
             reads ? ":ro" : "");
}

static void find_remedy(const struct denials *denials, enum row row,
                        const struct denied_subject *subject, struct denial *ret)
{
    const struct capability_info *capability = &capabilities[subject->capability];
    const char *word = net_word(row, subject);
    if (subject->by || subject->leads_astray || subject->unspoken || !harmless(subject) ||
        capability_in(denials->denied, subject->capability))
        return;
    if (subject->directory) {
        find_directory(subject, ret);
    } else if (subject->origin) {
        snprintf(ret->flag, sizeof ret->flag, "--http %.*s", NET_TEXT_MAX, ret->subject);
        snprintf(ret->policy, sizeof ret->policy, "allow: {http: \"%.*s\"}", NET_TEXT_MAX,
                 ret->subject);
    } else if (word) {
        /* A rule for datagrams covers where they come from: the kernel chooses among its ports. */
        bool any = subject->any_port || (strcmp(word, "udp") == 0 && subject->address->port == 0);
        const char *port = any ? strrchr(ret->subject, ':') : NULL;
        int length = port ? (int)(port - ret->subject) + 1 : NET_TEXT_MAX;
        snprintf(ret->flag, sizeof ret->flag, "--net %s=%.*s%s", word, length, ret->subject,
                 port ? "*" : "");
        snprintf(ret->policy, sizeof ret->policy, "allow: {net: \"%s=%.*s%s\"}", word, length,
                 ret->subject, port ? "*" : "");
    } else if (*capability->flag) {
        const char *value = strchr(capability->flag, ' ');
        int length = value ? (int)(value - capability->flag) - 2 : 0;
        snprintf(ret->flag, sizeof ret->flag, "%s", capability->flag);
        if (value)
            snprintf(ret->policy, sizeof ret->policy, "allow: {%.*s: \"%s\"}", length,
                     capability->flag + 2, value + 1);
    }
}

static void explain_directory(const struct denied_subject *subject, struct denial *ret)
{
    char guest[256];
    const struct denied_directory *directory = subject->directory;
    printable(guest, sizeof guest, str_of(directory->guest));
    if (subject->leaves != PROTOCOL_LEAVES_NOT)
        snprintf(ret->why, sizeof ret->why, "it leads out of %s%s, as no path may",
                 subject->leaves == PROTOCOL_LEAVES_BELOW ? "a directory in " : "", guest);
    else
        snprintf(ret->why, sizeof ret->why, "%s is not granted below %s%s",
                 capabilities[subject->capability].word, guest,
                 directory->read_only ? ", which is given to be read only" : "");
}

static void find_why(const struct denials *denials, const struct denied_subject *subject,
                     enum denied_why why, struct denial *ret)
{
    char address[NET_TEXT_MAX];
    if (subject->by)
        snprintf(ret->why, sizeof ret->why, "the policy denies %.*s", NET_TEXT_MAX,
                 subject->by->text);
    else if (capability_in(denials->denied, subject->capability))
        snprintf(ret->why, sizeof ret->why, "the policy denies %s",
                 capabilities[subject->capability].word);
    else if (subject->directory)
        explain_directory(subject, ret);
    else if (subject->unspoken)
        snprintf(ret->why, sizeof ret->why, "there is nobody here who speaks TLS");
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

static void explain(const struct denials *denials, enum row row,
                    const struct denied_subject *subject, enum denied_why why, struct denial *ret)
{
    const struct row_info *info = &row_infos[row];
    *ret = (struct denial){.function = ""};
    snprintf(ret->function, sizeof ret->function, "%s#%s", info->interface, info->name);
    find_subject(subject, ret);
    find_remedy(denials, row, subject, ret);
    find_why(denials, subject, why, ret);
}

/* What programs of every toolchain ask for before they begin, most of them without need: refusing
 * it is for the record, and no news to whoever runs them unless the run fails. */
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

/* Its line for the log and for machines; to be freed. */
static char *line_of(const struct denials *denials, const struct denial *denial, uint64_t number)
{
    const struct audit_log_member members[] = {
        {"file", denials->file},
        {"function", denial->function},
        {"subject", *denial->subject ? denial->subject : NULL},
        {"why", denial->why},
        {"flag", *denial->flag ? denial->flag : NULL},
        {"in_place_of", *denial->instead ? denial->instead : NULL},
        {"policy", *denial->policy ? denial->policy : NULL},
    };
    return audit_log_line(denials->log, number, "denied", members, countof(members));
}

/* Standard error as sentences, for people? */
static bool sentences(const struct denials *denials)
{
    return !denials->log || !denials->log->json;
}

/* False if there was no room for it: it is said when the same is refused again. */
static bool say(const struct denials *denials, const struct denial *denial, uint64_t number)
{
    char file[512];
    if (sentences(denials))
        return moment_say("carrel: %s: %s%s%s was refused: %s%s%s%s%s%s%s%s\n",
                          printable(file, sizeof file, str_of(denials->file)), denial->function,
                          *denial->subject ? " " : "", denial->subject, denial->why,
                          *denial->flag ? "; " : "", denial->flag,
                          *denial->instead ? " in place of " : "", denial->instead,
                          *denial->policy ? " or, in a policy, " : "", denial->policy,
                          !*denial->flag   ? ""
                          : denial->beside ? " gives what it leads to a name of its own"
                                           : " allows it");
    char *line = line_of(denials, denial, number);
    bool said = line && moment_say("%s", line);
    free(line);
    return said;
}

/* There is no room to remember more causes. */
static void say_full(struct denials *denials)
{
    const struct audit_log_member members[] = {{"file", denials->file}};
    if (denials->full || !denials->log)
        return;
    denials->full = true;
    char *line = audit_log_line(denials->log, audit_log_next(denials->log), "denied-more", members,
                                countof(members));
    audit_log_write(denials->log, line);
    if (line && !sentences(denials))
        moment_say("%s", line);
    free(line);
}

static void say_cut(struct denials *denials)
{
    char file[512];
    if (!denials->cut)
        denials->cut = moment_say("carrel: %s: more was refused, which is not shown\n",
                                  printable(file, sizeof file, str_of(denials->file)));
}

/* What was told stays untouched: most cells are refused nothing. */
void denials_start(struct denials *denials)
{
    memset(denials, 0, offsetof(struct denials, directories));
    denials->file = "";
}

/* Where the cause is among those that are known; the end if it is not. */
static size_t find(const struct denials *denials, uint64_t digest)
{
    size_t i = 0;
    while (i < denials->count && denials->told[i].digest != digest)
        i++;
    return i;
}

/* A new cause goes on record, whatever standard error has room for. */
static void record(struct denials *denials, const struct denial *denial, uint64_t digest)
{
    uint64_t number = denials->log ? audit_log_next(denials->log) : 0;
    denials->told[denials->count].digest = digest;
    denials->told[denials->count].number = number;
    denials->told[denials->count].kept = false;
    denials->told[denials->count++].shown = false;
    if (!denials->log || denials->log->file < 0)
        return;
    char *line = line_of(denials, denial, number);
    audit_log_write(denials->log, line);
    free(line);
}

const struct denied_directory *denials_directory(const struct denials *denials, uint64_t grant)
{
    for (size_t i = 0; i < denials->directory_count; i++)
        if (denials->directories[i].grant == grant)
            return &denials->directories[i];
    return NULL;
}

/* The grant comes first, then how it is told to the cell. */
void denials_note(struct denials *denials, const struct operation *operation)
{
    if (operation->kind == OPERATION_DIRECTORY && denials->directory_count < PROTOCOL_GRANTS) {
        const struct operation_directory *from = &operation->of.directory;
        denials->directories[denials->directory_count++] =
            (struct denied_directory){.host = from->path, .guest = "", .grant = from->grant};
    } else if (operation->kind == OPERATION_GRANT) {
        const struct operation_grant *from = &operation->of.grant;
        for (size_t i = 0; i < denials->directory_count; i++) {
            struct denied_directory *directory = &denials->directories[i];
            if (directory->grant != from->grant)
                continue;
            directory->guest = from->name;
            directory->read_only = !(from->rights & (RIGHT_WRITE | RIGHT_MUTATE));
        }
    }
}

void denial_tell(struct denials *denials, enum row row, const struct denied_subject *subject,
                 enum denied_why why)
{
    struct denial denial;
    char cause[sizeof denial];
    explain(denials, row, subject, why, &denial);
    snprintf(cause, sizeof cause, "%s %s %s", denial.function, denial.subject, denial.why);
    uint64_t digest = digest_of(cause);
    size_t at = find(denials, digest);
    if (at == DENIALS_LOGGED) {
        say_full(denials);
        if (sentences(denials))
            say_cut(denials);
        return;
    }
    if (at == denials->count)
        record(denials, &denial, digest);
    bool people = sentences(denials);
    if (denials->told[at].shown)
        return;
    denials->told[at].kept = people && routine(row) && !denials->all;
    denials->told[at].row = (uint16_t)row;
    denials->told[at].capability = (uint8_t)subject->capability;
    if (denials->told[at].kept)
        return;
    if (people && denials->shown == DENIALS_TOLD)
        say_cut(denials);
    else if (say(denials, &denial, denials->told[at].number)) {
        denials->told[at].shown = true;
        denials->shown++;
    }
}

void denial_tell_kept(struct denials *denials)
{
    denials->all = true;
    for (size_t i = 0; i < denials->count; i++) {
        struct denied_subject subject = {.capability =
                                             (enum capability)denials->told[i].capability};
        if (denials->told[i].kept)
            denial_tell(denials, (enum row)denials->told[i].row, &subject, DENIED_NOT_GRANTED);
    }
}
