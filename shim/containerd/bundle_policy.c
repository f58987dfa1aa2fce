/* From a specification to a policy; see bundle.h. A bind mount is a directory of the component's
 * only if an annotation names its target: a pod's service account token is a bind mount, too. */
#include "shim/containerd/bundle.h"

#include "policies/quantity.h"
#include "shim/zone.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MEMORY_DEFAULT       (UINT64_C(4) << 30) /* as of the command line */
#define REQUESTS_DEFAULT     64
#define REQUEST_TIME_DEFAULT UINT64_C(30000000000)
#define RULES_MOST           128
#define TARGETS_MOST         64
#define SETTINGS_MOST        256

enum annotation {
#define ANNOTATION(NAME, key, beside, what) ANNOTATION_##NAME,
#include "shim/containerd/annotation.def"
    ANNOTATIONS
};

/* Beside what a container's annotation says, an option of the runtime... */
enum beside {
    YIELDS, /* is not looked at */
    HOLDS,  /* counts, too */
};

static const struct {
    const char *key;
    enum beside beside;
} keys[ANNOTATIONS] = {
#define ANNOTATION(NAME, key, beside, what) {key, beside},
#include "shim/containerd/annotation.def"
};

/* --- Memory that lasts ----------------------------------------------------------------------- */

void *prepared_keep(struct prepared *prepared, const void *bytes, size_t size)
{
    size_t start = (prepared->used + 15) & ~(size_t)15;
    if (start > PREPARED_TEXTS || size > PREPARED_TEXTS - start)
        return NULL;
    prepared->used = start + size;
    if (bytes && size)
        memcpy(prepared->texts + start, bytes, size);
    return prepared->texts + start;
}

const char *prepared_text(struct prepared *prepared, const char *text)
{
    return prepared_keep(prepared, text, strlen(text) + 1);
}

static int too_much(struct err *err)
{
    return err_set(err, ERR_LIMIT, ERR_NOWHERE,
                   "arguments, environment and annotations have more than %u bytes",
                   PREPARED_TEXTS);
}

/* A NUL would end a text before its end, and what was meant would not be in force. */
static bool is_text(json_object *value)
{
    return json_object_is_type(value, json_type_string) &&
           strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
}

/* An array of texts, which is copied. What is no text is an error. */
static int keep_list(struct prepared *prepared, json_object *list, struct text_list *ret,
                     struct err *err)
{
    if (list && !json_object_is_type(list, json_type_array))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "process.args or process.env is no list: write one of strings");
    size_t count = list ? json_object_array_length(list) : 0;
    const char **at = prepared_keep(prepared, NULL, (count + 1) * sizeof *at);
    if (!at)
        return too_much(err);
    for (size_t i = 0; i < count; i++) {
        json_object *one = json_object_array_get_idx(list, i);
        if (!is_text(one))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "an argument or variable is no text: write a string, without NUL");
        at[i] = prepared_text(prepared, json_object_get_string(one));
        if (!at[i])
            return too_much(err);
    }
    at[count] = NULL;
    *ret = (struct text_list){at, count};
    return 0;
}

/* --- Annotations ----------------------------------------------------------------------------- */

static int unknown(const char *key, struct err *err)
{
    char list[512] = "";
    for (size_t i = 0, used = 0; i < ANNOTATIONS && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, " %s", keys[i].key);
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "the annotation %s is not known: write one of " ANNOTATION_PREFIX "%s", key,
                   list);
}

/* Calls `take` for each part of a value, between characters of `between`. */
typedef int taker(void *data, char *word, struct err *err);

static int each_part(struct prepared *prepared, const char *value, const char *between, taker *take,
                     void *data, struct err *err)
{
    while (*value) {
        size_t blank = strspn(value, between), length = strcspn(value + blank, between);
        value += blank;
        if (length == 0)
            return 0;
        char *word = prepared_keep(prepared, NULL, length + 1);
        if (!word)
            return too_much(err);
        memcpy(word, value, length);
        word[length] = '\0';
        value += length;
        if (take(data, word, err))
            return -1;
    }
    return 0;
}

static int each_word(struct prepared *prepared, const char *value, taker *take, void *data,
                     struct err *err)
{
    return each_part(prepared, value, " \t\n", take, data, err);
}

/* What the words of one annotation add to. */
struct filling {
    struct prepared *prepared;
    const struct bundle *bundle;
    struct net_rule *rules, *denied;
    struct policy_directory *directories;
    const char **settings;
};

typedef int rule_reader(const char *text, struct net_rule *ret, struct err *err);

static int read_rule(struct net_rule *list, size_t *count, const char *word, rule_reader *read,
                     const char *where, struct err *err)
{
    if (*count == RULES_MOST)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s has more than %d rules: leave some out",
                       where, RULES_MOST);
    if (read(word, &list[*count], err))
        return err_within(err, "%s", where);
    ++*count;
    return 0;
}

static int add_rule(struct filling *filling, const char *word, rule_reader *read, const char *where,
                    struct err *err)
{
    struct policy *policy = &filling->prepared->policy;
    if (read_rule(filling->rules, &policy->net_count, word, read, where, err))
        return -1;
    policy->allowed |= net_rule_gives(&filling->rules[policy->net_count - 1]);
    return 0;
}

/* A capability by its word, else what net and http give. */
static int take_denial(void *data, char *word, struct err *err)
{
    struct filling *filling = data;
    struct policy *policy = &filling->prepared->policy;
    capability_set set = capability_matching(word);
    policy->denied |= set;
    if (set)
        return 0;
    return read_rule(filling->denied, &policy->net_denied_count, word,
                     strncmp(word, "http", 4) == 0 ? net_origin_rule_read : net_rule_read,
                     "the annotation carrel.policy/deny", err);
}

static int take_setting(void *data, char *line, struct err *err)
{
    struct filling *filling = data;
    struct policy *policy = &filling->prepared->policy;
    size_t name = strcspn(line, "=") + 1;
    if (name == 1 || line[name - 1] != '=' || policy->config.count == SETTINGS_MOST)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/config: '%s': write NAME=VALUE, a line each, %d at most",
                       line, SETTINGS_MOST);
    for (size_t i = 0; i < policy->config.count; i++)
        if (strncmp(filling->settings[i], line, name) == 0)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "carrel.policy/config: two settings of the name %.*s: leave one out",
                           (int)name - 1, line);
    filling->settings[policy->config.count++] = line;
    policy->allowed |= CAPABILITY(CONFIG);
    return 0;
}

static int take_requests(struct prepared *prepared, const char *value, struct err *err)
{
    uint64_t count = 0;
    const char *wrong = quantity_count(value, &count);
    if (wrong || count > CELL_REQUESTS_MOST)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/max-requests: '%s': write a number, at most %d", value,
                       CELL_REQUESTS_MOST);
    prepared->serve.requests = count;
    return 0;
}

static int take_zone(struct prepared *prepared, const char *name, struct err *err)
{
    char *table = zone_table(name, err);
    if (!table)
        return err_within(err, "carrel.policy/timezone");
    prepared->policy.zone = prepared_text(prepared, table);
    prepared->policy.zone_name = prepared_text(prepared, name);
    free(table);
    if (!prepared->policy.zone || !prepared->policy.zone_name)
        return too_much(err);
    prepared->policy.allowed |= CAPABILITY(TIMEZONE);
    return 0;
}

static int take_rule(void *data, char *word, struct err *err)
{
    return add_rule(data, word, net_rule_read, "the annotation carrel.policy/net", err);
}

static int take_origin(void *data, char *word, struct err *err)
{
    return add_rule(data, word, net_origin_rule_read, "the annotation carrel.policy/http", err);
}

/* The pod's network has to be somewhere: into an empty one nobody can connect. */
static int take_serve(struct prepared *prepared, const char *value, struct err *err)
{
    if (!net_listen_address(value, &prepared->serve_at))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/serve: '%s' is no address with a port: write *:8080 or "
                       "127.0.0.1:8080",
                       value);
    if (prepared->own_network)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/serve: the container's network is new and empty, so nobody "
                       "could connect: give it a pod's, or the host's (ctr run --net-host)");
    net_address_text(&prepared->serve_at, prepared->serve_text);
    prepared->policy.allowed |= CAPABILITY(HTTP_IN);
    prepared->serves = true;
    return 0;
}

static bool has_target(const struct policy *policy, const char *target)
{
    for (size_t i = 0; i < policy->directory_count; i++) {
        if (strcmp(policy->directories[i].guest, target) == 0)
            return true;
    }
    return false;
}

/* TARGET or TARGET:ro -> the clean path. */
static const char *target_of(struct prepared *prepared, char *word, bool *ret_read_only)
{
    char cleaned[PATH_MAX];
    size_t length = strlen(word);
    *ret_read_only = length > 3 && strcmp(word + length - 3, ":ro") == 0;
    if (*ret_read_only)
        word[length - 3] = '\0';
    return bundle_clean_path(word, cleaned) ? prepared_text(prepared, cleaned) : NULL;
}

static int take_target(void *data, char *word, struct err *err)
{
    struct filling *filling = data;
    struct policy *policy = &filling->prepared->policy;
    struct bind_mount mount;
    struct stat status;
    char real[PATH_MAX];
    bool read_only;
    const char *target = target_of(filling->prepared, word, &read_only);
    if (!target || policy->directory_count == TARGETS_MOST)
        return too_much(err);
    if (has_target(policy, target))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/dir names %s twice: leave one out", target);
    if (!bundle_bind_mount(filling->bundle, target, &mount))
        return err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "carrel.policy/dir names %s, and no bind mount has that target: add the mount", target);
    if (!realpath(mount.source, real) || stat(real, &status) || !S_ISDIR(status.st_mode))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "carrel.policy/dir names %s, whose source %s is no directory: mount one",
                       target, mount.source);
    const char *host = prepared_text(filling->prepared, real);
    if (!host)
        return too_much(err);
    read_only = read_only || mount.read_only;
    filling->directories[policy->directory_count++] =
        (struct policy_directory){host, target, read_only};
    policy->allowed |= CAPABILITY(DIR_READ);
    if (!read_only)
        policy->allowed |= CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE);
    return 0;
}

static int take_wall(void *data, char *word, struct err *err)
{
    struct filling *filling = data;
    wall_set accepted = wall_named(word);
    filling->prepared->policy.degraded |= accepted;
    return accepted
               ? 0
               : err_set(err, ERR_USAGE, ERR_NOWHERE,
                         "carrel.policy/degrade: there is no wall %s: `carrel doctor` lists them",
                         word);
}

static int quantity(const char *key, const char *wrong, const char *value, struct err *err)
{
    return wrong ? err_set(err, ERR_USAGE, ERR_NOWHERE, "carrel.policy/%s: '%s' %s", key, value,
                           wrong)
                 : 0;
}

static void take_less(uint64_t *limit, uint64_t other)
{
    *limit = other < *limit ? other : *limit;
}

/* One of the limits of which the smaller holds, however many are said. */
static int take_limit(struct policy *policy, enum annotation annotation, const char *value,
                      struct err *err)
{
    uint64_t limit = POLICY_UNLIMITED;
    const char *wrong = annotation == ANNOTATION_MEMORY    ? quantity_size(value, &limit)
                        : annotation == ANNOTATION_TIMEOUT ? quantity_duration(value, &limit)
                                                           : quantity_count(value, &limit);
    if (quantity(keys[annotation].key, wrong, value, err))
        return -1;
    take_less(annotation == ANNOTATION_MEMORY    ? &policy->memory
              : annotation == ANNOTATION_TIMEOUT ? &policy->timeout
                                                 : &policy->fuel,
              limit);
    return 0;
}

static int take_annotation(struct filling *filling, enum annotation annotation, const char *value,
                           struct err *err)
{
    struct prepared *prepared = filling->prepared;
    struct policy *policy = &prepared->policy;
    const char *key = keys[annotation].key;
    switch (annotation) {
    case ANNOTATION_CONFIG: return each_part(prepared, value, "\r\n", take_setting, filling, err);
    case ANNOTATION_TIMEZONE: return take_zone(prepared, value, err);
    case ANNOTATION_DENY: return each_word(prepared, value, take_denial, filling, err);
    case ANNOTATION_MAX_REQUESTS: return take_requests(prepared, value, err);
    case ANNOTATION_MAX_BODY:
        return quantity(key, quantity_size(value, &prepared->serve.body), value, err);
    case ANNOTATION_WALLS:
        policy->fresh = strcmp(value, "fresh") == 0;
        return quantity(key, policy->fresh ? NULL : "is not `fresh`", value, err);
    case ANNOTATION_NET: return each_word(prepared, value, take_rule, filling, err);
    case ANNOTATION_HTTP: return each_word(prepared, value, take_origin, filling, err);
    case ANNOTATION_SERVE: return take_serve(prepared, value, err);
    case ANNOTATION_REQUEST_TIMEOUT:
        return quantity(key, quantity_duration(value, &prepared->serve.time), value, err);
    case ANNOTATION_DIR: return each_word(prepared, value, take_target, filling, err);
    case ANNOTATION_DEGRADE: return each_word(prepared, value, take_wall, filling, err);
    case ANNOTATION_MEMORY:
    case ANNOTATION_TIMEOUT:
    case ANNOTATION_FUEL: return take_limit(policy, annotation, value, err);
    case ANNOTATION_INVOKE:
        prepared->invoke = prepared_text(prepared, value);
        return prepared->invoke ? 0 : too_much(err);
    case ANNOTATIONS: break;
    }
    return 0;
}

static json_object *annotations_of(const struct bundle *bundle)
{
    json_object *all = NULL;
    json_object_object_get_ex(bundle->config, "annotations", &all);
    return json_object_is_type(all, json_type_object) ? all : NULL;
}

/* ANNOTATIONS if there is none of that key. */
static enum annotation annotation_named(const char *key)
{
    int at = 0;
    while (at < ANNOTATIONS && strcmp(key, keys[at].key) != 0)
        at++;
    return (enum annotation)at;
}

/* A pod's annotations are those of its containers, too, of which its own process is none: it only
 * has to be known what they mean. */
static int take_annotations(struct filling *filling, struct err *err)
{
    json_object *all = annotations_of(filling->bundle);
    if (!all)
        return 0;
    json_object_object_foreach(all, key, value)
    {
        size_t prefix = strlen(ANNOTATION_PREFIX);
        if (strncmp(key, ANNOTATION_PREFIX, prefix) != 0)
            continue;
        enum annotation annotation = annotation_named(key + prefix);
        if (annotation == ANNOTATIONS)
            return unknown(key, err);
        if (!is_text(value))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "the annotation %s is no text: write a string, without NUL", key);
        if (!filling->prepared->sandbox &&
            take_annotation(filling, annotation, json_object_get_string(value), err))
            return -1;
    }
    return 0;
}

static bool is_said(json_object *annotations, enum annotation annotation)
{
    char key[64];
    snprintf(key, sizeof key, ANNOTATION_PREFIX "%s", keys[annotation].key);
    return annotations && json_object_object_get_ex(annotations, key, NULL);
}

/* Those of the container's runtime. */
static int take_options(struct filling *filling, json_object *options, struct err *err)
{
    json_object *annotations = annotations_of(filling->bundle);
    json_object_object_foreach(options, key, value)
    {
        enum annotation annotation = annotation_named(key);
        if (annotation == ANNOTATIONS)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "the runtime has an option %s, which is not known: write what stands "
                           "behind " ANNOTATION_PREFIX " in annotations",
                           key);
        if (!is_text(value))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "the runtime's option %s has a NUL: write a text without", key);
        if (filling->prepared->sandbox ||
            (keys[annotation].beside == YIELDS && is_said(annotations, annotation)))
            continue;
        if (take_annotation(filling, annotation, json_object_get_string(value), err))
            return err_within(err, "an option of the runtime");
    }
    return 0;
}

/* --- The whole ------------------------------------------------------------------------------- */

/* What is given without a word, and the limits of the specification. */
static int start_policy(const struct bundle *bundle, struct prepared *ret, struct err *err)
{
    struct group_limits limits;
    if (bundle_limits(bundle_resources(bundle), &limits, err))
        return -1;
    ret->policy = (struct policy){
        .allowed = capability_defaults() | CAPABILITY(ENV),
        .memory = limits.memory > 0 && (uint64_t)limits.memory < MEMORY_DEFAULT
                      ? (uint64_t)limits.memory
                      : MEMORY_DEFAULT,
        .timeout = POLICY_UNLIMITED,
        .fuel = POLICY_UNLIMITED,
    };
    ret->serve = (struct cell_serve){.address = ret->serve_text,
                                     .watch = -1,
                                     .counters = -1,
                                     .log = -1,
                                     .listener = -1,
                                     .leave = -1,
                                     .ticks = -1,
                                     .isolation = "instance",
                                     .requests = REQUESTS_DEFAULT,
                                     .time = REQUEST_TIME_DEFAULT,
                                     .body = POLICY_UNLIMITED};
    return 0;
}

/* Arguments, environment, and how likely it is to be killed for want of memory. */
static int take_process(json_object *process, struct prepared *ret, struct err *err)
{
    json_object *list = NULL, *score = NULL;
    ret->oom_score = INT_MIN;
    if (json_object_object_get_ex(process, "oomScoreAdj", &score) && score) {
        if (!json_object_is_type(score, json_type_int))
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "process.oomScoreAdj is no whole number: write one");
        ret->oom_score = json_object_get_int(score);
    }
    json_object_object_get_ex(process, "args", &list);
    if (keep_list(ret, list, &ret->arguments, err))
        return -1;
    list = NULL;
    json_object_object_get_ex(process, "env", &list);
    return keep_list(ret, list, &ret->policy.environment, err);
}

int bundle_policy(const struct bundle *bundle, json_object *process, json_object *options,
                  struct prepared *ret, struct err *err)
{
    if (start_policy(bundle, ret, err) || bundle_names(bundle, ret, err) ||
        take_process(process, ret, err))
        return -1;
    struct filling filling = {
        ret,
        bundle,
        prepared_keep(ret, NULL, RULES_MOST * sizeof(struct net_rule)),
        prepared_keep(ret, NULL, RULES_MOST * sizeof(struct net_rule)),
        prepared_keep(ret, NULL, TARGETS_MOST * sizeof(struct policy_directory)),
        prepared_keep(ret, NULL, SETTINGS_MOST * sizeof(const char *))};
    if (!filling.rules || !filling.denied || !filling.directories || !filling.settings)
        return too_much(err);
    ret->policy.net = filling.rules;
    ret->policy.net_denied = filling.denied;
    ret->policy.directories = filling.directories;
    ret->policy.config.at = filling.settings;
    if ((options && take_options(&filling, options, err)) || take_annotations(&filling, err))
        return -1;
    ret->policy.allowed &= ~ret->policy.denied;
    return 0;
}
