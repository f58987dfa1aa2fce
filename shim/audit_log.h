/* What a supervisor keeps on record of its cells: one line of JSON for each event, appended to a
 * file whole, so that several supervisors can share it. Every line has the time, the id of the
 * session and its number in it: a gap in the numbers is a line that is missing. */
#ifndef CARREL_SHIM_AUDIT_LOG_H
#define CARREL_SHIM_AUDIT_LOG_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

struct audit_log {
    int file;  /* -1: nothing is kept */
    bool json; /* denials go to standard error as JSON, too, not as a sentence */
    uint64_t id;
    uint64_t *lines; /* how many there were; shared by all that hold a copy */
};

/* A member of a line. Its text is of any origin: it is made printable, so that no name can end a
 * line or look like another one. `text` NULL: the member is left out. */
struct audit_log_member {
    const char *key;
    const char *text;
};

/* A log that nothing was opened for: its lines are counted, and go nowhere. */
struct audit_log audit_log_none(void);

/* Opens `path` for appending, made for its owner alone if it is not there; NULL: no file. Errors:
 * USAGE. */
int audit_log_open(const char *path, bool json, struct audit_log *ret, struct err *err);
void audit_log_close(struct audit_log *log);

/* Appends a line, if there is a file. */
void audit_log_add(const struct audit_log *log, const char *event,
                   const struct audit_log_member *members, size_t count);

/* The same in steps, for lines that standard error gets as well: the number of the next line,
 * counted whether or not there is a file; the line with its newline, to be freed, NULL if memory
 * ran out; and its way to the file, if there is one. What cannot be written is said on standard
 * error, once. */
uint64_t audit_log_next(const struct audit_log *log);
char *audit_log_line(const struct audit_log *log, uint64_t number, const char *event,
                     const struct audit_log_member *members, size_t count);
void audit_log_write(const struct audit_log *log, const char *line);

#endif
