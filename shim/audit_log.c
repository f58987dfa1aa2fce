/* Lines of the audit log; see audit_log.h. Opens one file, at the start. */
#include "shim/audit_log.h"

#include "policies/printable.h"
#include "shim/moment.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static uint64_t lines; /* of this process; it has one log */

struct audit_log audit_log_none(void)
{
    return (struct audit_log){.file = -1, .lines = &lines};
}

int audit_log_open(const char *path, bool json, struct audit_log *ret, struct err *err)
{
    *ret = audit_log_none();
    ret->json = json;
    if (!path && !json)
        return 0; /* no line is ever made */
    if (getrandom(&ret->id, sizeof ret->id, 0) != (ssize_t)sizeof ret->id)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no random id for the log: %s: see what `carrel doctor` says",
                       strerror(errno));
    if (!path)
        return 0;
    ret->file = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (ret->file < 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "--audit-log %s: %s%s", path,
                       errno == ELOOP ? "a symbolic link" : strerror(errno),
                       errno == ELOOP    ? ": name the file itself"
                       : errno == ENOENT ? ": make its folder, or name another file"
                                         : ": name a file that you may write");
    return 0;
}

void audit_log_close(struct audit_log *log)
{
    if (log->file >= 0)
        close(log->file);
    log->file = -1;
}

static void put(json_object *to, const char *key, const char *text)
{
    char shown[2048]; /* printable is UTF-8, whatever the text was */
    json_object_object_add(to, key,
                           json_object_new_string(printable(shown, sizeof shown, str_of(text))));
}

uint64_t audit_log_next(const struct audit_log *log)
{
    return log->lines ? (*log->lines)++ : 0; /* it was never opened: carrel itself failed before */
}

char *audit_log_line(const struct audit_log *log, uint64_t number, const char *event,
                     const struct audit_log_member *members, size_t count)
{
    char text[64];
    struct timespec now;
    struct tm parts;
    json_object *all = json_object_new_object();
    clock_gettime(CLOCK_REALTIME, &now);
    size_t used = gmtime_r(&now.tv_sec, &parts) ? strftime(text, sizeof text, "%FT%T", &parts) : 0;
    snprintf(text + used, sizeof text - used, ".%06ldZ", now.tv_nsec / 1000);
    put(all, "time", text);
    snprintf(text, sizeof text, "%016" PRIx64, log->id);
    put(all, "session", text);
    json_object_object_add(all, "number", json_object_new_uint64(number));
    put(all, "event", event);
    for (size_t i = 0; i < count; i++)
        if (members[i].text)
            put(all, members[i].key, members[i].text);
    const char *line = json_object_to_json_string_ext(all, JSON_C_TO_STRING_NOSLASHESCAPE);
    char *whole = NULL;
    if (asprintf(&whole, "%s\n", line) < 0)
        whole = NULL;
    json_object_put(all);
    return whole;
}

/* In one write, so that lines of others do not get into it. What did not fit leaves a torn line and
 * a gap in the numbers; the next line begins on one of its own. */
void audit_log_write(const struct audit_log *log, const char *line)
{
    static bool complained, torn;
    if (log->file < 0)
        return;
    const struct iovec parts[] = {{(char *)(uintptr_t)"\n", torn ? 1 : 0},
                                  {(char *)(uintptr_t)line, line ? strlen(line) : 0}};
    ssize_t whole = (ssize_t)(parts[0].iov_len + parts[1].iov_len);
    ssize_t put = writev(log->file, parts, countof(parts));
    if (line && put == whole) {
        torn = false;
        return;
    }
    const char *why = put < 0 ? strerror(errno) : line ? "the disk is full" : "no memory";
    torn = torn || put > 0;
    if (!complained)
        complained = moment_say("carrel: the audit log is not whole: %s\n", why);
}

void audit_log_add(const struct audit_log *log, const char *event,
                   const struct audit_log_member *members, size_t count)
{
    uint64_t number = audit_log_next(log);
    if (log->file < 0)
        return;
    char *line = audit_log_line(log, number, event, members, count);
    audit_log_write(log, line);
    free(line);
}
