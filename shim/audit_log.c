/* Lines of the audit log; see audit_log.h. Opens one file, at the start. */
#include "shim/audit_log.h"

#include "policies/printable.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t lines; /* of this process; it has one log */

int audit_log_open(const char *path, bool json, struct audit_log *ret, struct err *err)
{
    *ret = (struct audit_log){.file = -1, .json = json, .lines = &lines};
    if (getrandom(&ret->id, sizeof ret->id, 0) != (ssize_t)sizeof ret->id)
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "no random id for the log: %s",
                       strerror(errno));
    if (!path)
        return 0;
    ret->file = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (ret->file < 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "--audit-log %s: %s", path,
                       errno == ELOOP ? "a symbolic link: name the file itself" : strerror(errno));
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

char *audit_log_line(const struct audit_log *log, const char *event,
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
    json_object_object_add(all, "number", json_object_new_uint64(*log->lines));
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

void audit_log_add(const struct audit_log *log, const char *event,
                   const struct audit_log_member *members, size_t count)
{
    static bool complained;
    if (log->file < 0)
        return;
    char *line = audit_log_line(log, event, members, count);
    size_t length = line ? strlen(line) : 0;
    ++*log->lines;
    /* In one write, so that lines of others do not get into it; a full disk leaves a gap. */
    if ((!line || write(log->file, line, length) != (ssize_t)length) && !complained) {
        complained = true;
        dprintf(STDERR_FILENO, "carrel: the audit log cannot be written: %s\n", strerror(errno));
    }
    free(line);
}
