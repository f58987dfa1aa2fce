/* Lines of the audit log; see record.h. */
#include "runner/record.h"

#include "policies/digest.h"
#include <stdio.h>

int record_open(const struct options *options, struct audit_log *ret, struct err *err)
{
    *ret = audit_log_none();
    return audit_log_open(options->audit_log, options->denials_json, ret, err);
}

void record_begin(const struct audit_log *log, const char *path, const struct examined *of)
{
    char digest[DIGEST_DIGITS], capabilities_text[1024] = "";
    size_t used = 0;
    digest_text(of->component.digest, digest);
    for (int i = 0; i < CAP_COUNT; i++)
        if (capability_in(of->verdict.granted, (enum capability)i))
            used += (size_t)snprintf(capabilities_text + used, sizeof capabilities_text - used,
                                     "%s%s", used ? " " : "", capabilities[i].word);
    const struct audit_log_member members[] = {
        {"file", path}, {"sha256", digest}, {"granted", capabilities_text}};
    audit_log_add(log, "begin", members, countof(members));
}

void record_end(struct audit_log *log, const char *path, int code, const struct err *why)
{
    char text[16];
    snprintf(text, sizeof text, "%d", code);
    const struct audit_log_member members[] = {
        {"file", path}, {"exit", text}, {"why", why ? why->text : NULL}};
    audit_log_add(log, "end", members, countof(members));
    audit_log_close(log);
}
