/* Flags and a policy file become options; see options.h. The file's settings are made into flags
 * that stand before those of the command line, so that each means the same in both places; what a
 * file can say and no flag can, is done here. Opens nothing but the policy file. */
#include "runner/options.h"

#include "runner/nearest.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- What no flag says --------------------------------------------------------------------------
 */

static int wrong(const struct policy_setting *setting, struct err *err, const char *format,
                 const char *first, const char *second)
{
    char text[256];
    snprintf(text, sizeof text, format, first, second);
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s: %s", setting->where, text);
}

static int find_capabilities(const struct policy_setting *setting, capability_set *ret,
                             struct err *err)
{
    const char *best = NULL;
    size_t distance = 0;
    *ret = capability_matching(setting->value);
    if (*ret)
        return 0;
    for (int i = 0; i < CAP_COUNT; i++)
        nearest_try(setting->value, capabilities[i].word, &best, &distance);
    return best ? wrong(setting, err, "there is no capability '%s': did you mean '%s'?",
                        setting->value, best)
                : wrong(setting, err, "there is no capability '%s': `carrel help %s` lists them",
                        setting->value, "policy");
}

/* Is `path` the same as `folder`, or does it lie in it? Both are absolute, without links or dots.
 * Not the names alone say so: a folder that is mounted at two places is one. */
static bool within(const char *path, const char *folder)
{
    char above[PATH_MAX];
    struct stat one, other;
    size_t length = strlen(folder);
    if (length > 0 && folder[length - 1] == '/') /* the root */
        length--;
    if (strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0'))
        return true;
    if (stat(folder, &other) || strlen(path) >= sizeof above)
        return false;
    memcpy(above, path, strlen(path) + 1);
    for (char *end = above + strlen(above); end > above; end = strrchr(above, '/')) {
        *end = '\0';
        if (stat(*above ? above : "/", &one) == 0 && one.st_dev == other.st_dev &&
            one.st_ino == other.st_ino)
            return true;
    }
    return false;
}

/* The path without links or dots, as far as it exists: what is not there yet may be tomorrow. NULL
 * if there is no memory. */
static char *real_path(const char *text)
{
    char *path = realpath(text, NULL), *whole = NULL;
    if (path || errno == ENOMEM)
        return path;
    char *head = strdup(text);
    for (char *slash; !path && head && (slash = strrchr(head, '/'));) {
        *slash = '\0';
        path = realpath(*head ? head : "/", NULL);
    }
    size_t rest = head ? strlen(head) : 0;
    if (path && asprintf(&whole, "%s%s", strcmp(path, "/") == 0 ? "" : path, text + rest) < 0)
        whole = NULL;
    free(head);
    free(path);
    return whole;
}

static int deny_directory(const struct options *options, const struct policy_setting *setting,
                          struct err *err)
{
    char *denied = real_path(setting->value);
    int failed = denied ? 0
                        : err_set(err, ERR_FAULT, ERR_NOWHERE,
                                  "cannot look for %s: %s: name a path that can be looked at",
                                  setting->value, strerror(errno));
    for (size_t i = 0; !failed && i < options->policy.directory_count; i++) {
        const char *host = options->policy.directories[i].host;
        if (within(host, denied))
            failed =
                wrong(setting, err, "denies %s, so %s cannot be given: leave one of the two out",
                      denied, host);
        else if (within(denied, host))
            failed = wrong(setting, err,
                           "denies %s, which lies in %s: give the directories beside it one by one",
                           denied, host);
    }
    for (size_t i = 0; !failed && i < options->policy.store_count; i++)
        if (within(options->policy.stores[i].path, denied))
            failed =
                wrong(setting, err, "denies %s, so no store can be in %s: leave one of the two out",
                      denied, options->policy.stores[i].path);
    free(denied);
    return failed;
}

static int deny_net(struct options *options, const struct policy_setting *setting,
                    int (*read)(const char *, struct net_rule *, struct err *), struct err *err)
{
    struct err one = {.offset = ERR_NOWHERE};
    if (read(setting->value, &options->net_denied[options->policy.net_denied_count], &one))
        return wrong(setting, err, "%s%s",
                     strncmp(one.text, "--", 2) == 0 ? one.text + 2 : one.text, "");
    options->policy.net_denied_count++;
    return 0;
}

static int apply(struct options *options, const struct policy_setting *setting, struct err *err)
{
    capability_set set = 0;
    switch (setting->key->meaning) {
    case MEANS_FLAG: return 0; /* done */
    case MEANS_ALLOW_CAPABILITY:
        if (find_capabilities(setting, &set, err))
            return -1;
        options->policy.allowed |= set;
        return 0;
    case MEANS_DENY_CAPABILITY:
        if (find_capabilities(setting, &set, err))
            return -1;
        options->policy.denied |= set;
        return 0;
    case MEANS_DENY_NET: return deny_net(options, setting, net_rule_read, err);
    case MEANS_DENY_HTTP: return deny_net(options, setting, net_origin_rule_read, err);
    case MEANS_DENY_DIR: return deny_directory(options, setting, err);
    }
    return 0;
}

static int apply_all(struct options *options, const struct policy_file *file,
                     const struct policy_subject *subject, struct err *err)
{
    options->file = file;
    options->net_denied = calloc(file->count + 1, sizeof *options->net_denied);
    options->policy.net_denied = options->net_denied;
    int failed = options->net_denied
                     ? 0
                     : err_set(err, ERR_FAULT, ERR_NOWHERE,
                               "out of memory for %s: close something and try again", file->path);
    for (size_t i = 0; !failed && i < file->count; i++) {
        const struct policy_setting *setting = &file->settings[i];
        if (policy_applies(file, setting, subject))
            failed = apply(options, setting, err);
    }
    options->policy.allowed &= ~options->policy.denied;
    return failed;
}

/* --- Both together ------------------------------------------------------------------------------
 */

int options_with_policy(const struct cli *cli, const struct policy_file *file,
                        const struct policy_subject *subject, struct options *ret, struct err *err)
{
    struct cli both = *cli;
    both.given = calloc(file->count + cli->given_count + 1, sizeof *both.given);
    both.given_count = 0;
    if (!both.given)
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "out of memory for %s: close something and try again", file->path);
    /* What holds for all components, and then what does for one, wherever it stands: the later
     * wins. */
    for (size_t i = 0; i < 2 * file->count; i++) {
        bool general = i < file->count;
        const struct policy_setting *setting = &file->settings[i % file->count];
        if (setting->key->meaning == MEANS_FLAG && general == (setting->component == 0) &&
            policy_applies(file, setting, subject))
            both.given[both.given_count++] = (struct cli_given){
                .flag = setting->key->flag, .value = setting->value, .where = setting->where};
    }
    for (size_t i = 0; i < cli->given_count; i++)
        both.given[both.given_count++] = cli->given[i];
    int failed = options_make(&both, ret, err);
    free(both.given);
    if (failed)
        return -1;
    ret->cli = cli;
    failed = apply_all(ret, file, subject, err);
    if (failed)
        options_free(ret);
    return failed;
}

int options_of_command(const struct cli *cli, struct policy_file *file, struct options *ret,
                       struct err *err)
{
    const char *path = cli_value(cli, FLAG_POLICY), *check = cli_value(cli, FLAG_CHECK);
    if (path && check)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--check has a policy already: leave out --policy %s", path);
    if (!path && !check)
        return options_make(cli, ret, err);
    if (policy_file_read(path ? "--policy" : "--check", path ? path : check, file, err))
        return -1;
    /* What is wrong in the section of one component is wrong before that component comes, and what
     * it needs of the host is there. */
    bool bounded = false;
    for (size_t i = 0; i < file->component_count; i++) {
        const struct policy_subject subject = {.component = i + 1};
        struct options one;
        if (options_with_policy(cli, file, &subject, &one, err))
            return -1;
        bounded = bounded || one.bounded;
        options_free(&one);
    }
    if (options_with_policy(cli, file, &(struct policy_subject){.name = NULL}, ret, err))
        return -1;
    ret->bounded = ret->bounded || bounded;
    return 0;
}
