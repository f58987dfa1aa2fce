/* From flags to a policy; see options.h. Opens nothing and keeps no descriptor. */
#include "runner/options.h"

#include "policies/quantity.h"
#include "runner/nearest.h"
#include "shim/host.h"
#include "shim/zone.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static int no_memory(struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "out of memory for the flags: close something and try again");
}

/* HOST::GUEST[:ro] or HOST[:ro] -> its parts; `copy` holds them. A colon in GUEST is refused: it is
 * a slip in the suffix more often than a name, and what was meant to be read-only would not be. */
struct directory_text {
    char *copy;
    const char *host;
    const char *guest;
    bool read_only;
};

static int split_directory(const char *text, struct directory_text *ret, struct err *err)
{
    char *copy = strdup(text);
    if (!copy)
        return no_memory(err);
    *ret = (struct directory_text){.copy = copy, .host = copy, .guest = copy};
    size_t length = strlen(copy);
    if (length >= 3 && strcmp(copy + length - 3, ":ro") == 0) {
        copy[length - 3] = '\0';
        ret->read_only = true;
    }
    char *between = strstr(copy, "::");
    if (between) {
        *between = '\0';
        ret->guest = between + 2;
    }
    const char *colon = strchr(ret->guest, ':');
    if (colon) {
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "--dir %s: '%s' is not known: what follows the guest's path is :ro or nothing, and "
                "the path can have no colon: %s",
                text, colon,
                !between                    ? "write --dir HOST::GUEST"
                : strcmp(colon, ":rw") == 0 ? "leave it out to give it for writing, too"
                                            : "leave it out");
        free(copy);
        return -1;
    }
    if (*ret->host && *ret->guest)
        return 0;
    free(copy);
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "--dir %s: a name is missing: write --dir HOST::GUEST or HOST::GUEST:ro", text);
}

/* The host's directory by its real path. `absent`: it need not be there. NULL after an error. */
static char *host_directory(const char *path, bool absent, struct err *err)
{
    char *host = realpath(path, NULL);
    struct stat at;
    if (host && stat(host, &at) == 0) {
        if (S_ISDIR(at.st_mode))
            return host;
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "--dir %s: not a directory: give the directory that it lies in", path);
    } else {
        int failed = errno;
        if (absent && failed == ENOENT)
            return strdup(path);
        err_set(err, ERR_USAGE, ERR_NOWHERE, "--dir %s: %s", path,
                failed == ENOENT ? "no such directory: make it, or correct the name"
                                 : strerror(failed));
    }
    free(host);
    return NULL;
}

/* Both texts become the directory's. */
static int make_directory(const struct directory_text *from, bool absent,
                          struct policy_directory *ret, struct err *err)
{
    char *host = host_directory(from->host, absent, err);
    char *guest = host ? strdup(from->guest) : NULL;
    if (!guest) {
        free(host);
        return host ? no_memory(err) : -1;
    }
    *ret = (struct policy_directory){host, guest, from->read_only};
    return 0;
}

static int add_directory(struct options *options, const char *text, struct err *err)
{
    struct policy *policy = &options->policy;
    struct directory_text parts = {0};
    if (split_directory(text, &parts, err))
        return -1;
    for (size_t i = 0; i < policy->directory_count; i++) {
        if (strcmp(policy->directories[i].guest, parts.guest) == 0) {
            err_set(err, ERR_USAGE, ERR_NOWHERE,
                    "--dir: two directories for %s in the guest: give each another name",
                    parts.guest);
            free(parts.copy);
            return -1;
        }
    }
    int failed = make_directory(&parts, /*absent=*/options->check != NULL,
                                &options->directories[policy->directory_count], err);
    free(parts.copy);
    if (failed)
        return -1;
    policy->directory_count++;
    policy->allowed |= CAPABILITY(DIR_READ);
    if (!parts.read_only)
        policy->allowed |= CAPABILITY(DIR_WRITE) | CAPABILITY(DIR_MUTATE);
    return 0;
}

/* "NAME=VALUE" among carrel's own variables; NULL if there is none of that name. */
static const char *own_variable(const char *name)
{
    size_t length = strlen(name);
    for (char **at = environ; at && *at; at++)
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
            return *at;
    return NULL;
}

/* Puts "NAME=VALUE" into a list, of which `places` are the places; a name is there once, and the
 * last value counts. */
static void put_variable(const char **places, struct text_list *list, const char *variable,
                         size_t name_length)
{
    size_t at = 0;
    while (at < list->count && strncmp(list->at[at], variable, name_length + 1) != 0)
        at++;
    places[at] = variable;
    if (at == list->count)
        list->count++;
}

static int add_variable(struct options *options, const char *text, struct err *err)
{
    size_t length = strcspn(text, "=");
    if (length == 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--env %s: the name is missing: write --env NAME=VALUE or --env NAME", text);
    const char *variable = text[length] == '=' ? text : own_variable(text);
    options->policy.allowed |= CAPABILITY(ENV);
    if (variable) /* else there is nothing to pass on */
        put_variable(options->environment, &options->policy.environment, variable, length);
    return 0;
}

static int add_setting(struct options *options, const char *text, struct err *err)
{
    size_t length = strcspn(text, "=");
    if (length == 0 || text[length] != '=')
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--config %s: it is no setting: write --config NAME=VALUE", text);
    options->policy.allowed |= CAPABILITY(CONFIG);
    put_variable(options->config, &options->policy.config, text, length);
    return 0;
}

/* "FOLDER/FILE" with the folder's real path; `absent`: it need not be there. NULL after an error.
 */
static char *store_file(const char *text, const char *file, bool absent, struct err *err)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL, *path = NULL;
    const char *last = slash ? slash + 1 : file;
    if (!real && absent && errno == ENOENT)
        path = strdup(file);
    else if (!real)
        err_set(err, ERR_USAGE, ERR_NOWHERE, "--keyvalue %s: its folder: %s: make it first", text,
                strerror(errno));
    else if (asprintf(&path, "%s/%s", strcmp(real, "/") == 0 ? "" : real, last) < 0) {
        path = NULL;
        no_memory(err);
    }
    free(folder);
    free(real);
    return path;
}

static int add_store(struct options *options, const char *text, struct err *err)
{
    struct policy *policy = &options->policy;
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1] || equals[strlen(equals) - 1] == '/')
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--keyvalue %s: it is no store: write --keyvalue NAME=FILE", text);
    char *path = store_file(text, equals + 1, /*absent=*/options->check != NULL, err);
    char *name = path ? strndup(text, (size_t)(equals - text)) : NULL;
    if (!name) {
        free(path);
        return path ? no_memory(err) : -1;
    }
    struct policy_store *store = &options->stores[policy->store_count++];
    *store = (struct policy_store){name, path};
    policy->allowed |= CAPABILITY(KEYVALUE);
    for (size_t i = 0; i + 1 < policy->store_count; i++)
        if (strcmp(policy->stores[i].name, name) == 0)
            return err_set(err, ERR_USAGE, ERR_NOWHERE,
                           "--keyvalue: two stores of the name %s: give each another", name);
    return 0;
}

static int set_zone(struct options *options, const char *name, struct err *err)
{
    free(options->zone);
    options->zone = zone_table(name, err);
    options->policy.zone = options->zone;
    options->policy.zone_name = name;
    options->policy.allowed |= CAPABILITY(TIMEZONE);
    return options->zone ? 0 : err_within(err, "--timezone");
}

typedef int rule_reader(const char *text, struct net_rule *ret, struct err *err);

static int add_net(struct options *options, const char *text, rule_reader *read, struct err *err)
{
    struct net_rule *rule = &options->net[options->policy.net_count];
    if (read(text, rule, err))
        return -1;
    options->policy.net_count++;
    options->policy.allowed |= net_rule_gives(rule);
    return 0;
}

static int set_walls(struct options *options, const char *kind, struct err *err)
{
    options->policy.fresh = strcmp(kind, "fresh") == 0;
    if (options->policy.fresh || strcmp(kind, "shared") == 0)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--walls %s: write shared or fresh", kind);
}

static int add_degraded(struct options *options, const char *name, struct err *err)
{
    wall_set accepted = wall_named(name);
    options->policy.degraded |= accepted;
    if (accepted)
        return 0;
    const char *best = NULL;
    size_t distance = 0;
    nearest_try(name, "namespaces", &best, &distance);
    for (int i = 0; i < WALL_COUNT; i++)
        nearest_try(name, walls[i].word, &best, &distance);
    if (best)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--degrade %s: there is no such wall: did you mean %s?", name, best);
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "--degrade %s: there is no such wall: `carrel doctor` lists them", name);
}

typedef const char *quantity_parser(const char *text, uint64_t *ret);

static int set_quantity(const struct cli_given *given, quantity_parser *parse, uint64_t *ret,
                        struct err *err)
{
    const char *wrong = parse(given->value, ret);
    if (!wrong)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s: '%s' %s", cli_flags[given->flag].word,
                   given->value, wrong);
}

/* The number of a descriptor that can be written to, or -1. */
static int descriptor_named(const char *text)
{
    uint64_t number = 0;
    if (quantity_count(text, &number) || number > INT_MAX || !host_writable((int)number))
        return -1;
    return (int)number;
}

int options_status(const struct cli *cli)
{
    const char *text = cli_value(cli, FLAG_STATUS_JSON);
    return text ? descriptor_named(text) : -1;
}

static int set_status(struct options *options, const char *text, struct err *err)
{
    options->status = descriptor_named(text);
    if (options->status < 0)
        return err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "--status-json: '%s' is no descriptor open for writing: open one, as in 3>status.json",
            text);
    return 0;
}

static int set_address(const char *flag, const char *text, struct net_address *ret, struct err *err)
{
    if (net_listen_address(text, ret))
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "%s: '%s' is no address with a port: write 127.0.0.1:8080, [::1]:8080 or *:8080",
                   flag, text);
}

static int set_log_format(struct options *options, const char *text, struct err *err)
{
    options->serve.log_json = strcmp(text, "json") == 0;
    if (options->serve.log_json || strcmp(text, "text") == 0)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--log-format: '%s' is none: write text or json",
                   text);
}

static int set_isolation(struct options *options, const char *text, struct err *err)
{
    static const char *const words[] = {
#define ISOLATION(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(text, words[i]) == 0) {
            options->serve.isolation = words[i];
            return 0;
        }
    return err_set(err, ERR_USAGE, ERR_NOWHERE,
                   "--isolation: '%s' is none: write instance, process or none", text);
}

#define WORKERS_MOST 256

static int set_workers(struct options *options, const struct cli_given *given, struct err *err)
{
    if (set_quantity(given, quantity_count, &options->serve.workers, err))
        return -1;
    if (options->serve.workers <= WORKERS_MOST)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--workers: at most %d: give fewer", WORKERS_MOST);
}

static int set_requests(struct options *options, const struct cli_given *given, struct err *err)
{
    if (set_quantity(given, quantity_count, &options->serve.requests, err))
        return -1;
    if (options->serve.requests <= CELL_REQUESTS_MOST)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--max-requests: at most %d at once: give fewer",
                   CELL_REQUESTS_MOST);
}

enum view {
#define VIEW(NAME, word, meaning) VIEW_##NAME,
#include "shim/protocol.def"
    VIEWS
};

/* Each once, however often its flag is given. */
static int add_view(struct options *options, enum view view)
{
    static const char *const words[VIEWS] = {
#define VIEW(NAME, word, meaning) word,
#include "shim/protocol.def"
    };
    _Static_assert(countof(options->views) == VIEWS, "room for every view");
    for (size_t i = 0; i < options->view_count; i++)
        if (options->views[i] == words[view])
            return 0;
    options->views[options->view_count++] = words[view];
    return 0;
}

static int set_format(struct options *options, const char *word, struct err *err)
{
    char known[128];
    size_t used = 0;
    for (int i = 0; i < AUDIT_FORMATS; i++) {
        if (strcmp(audit_formats[i].word, word) == 0) {
            options->format = (enum audit_format)i;
            return 0;
        }
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                     audit_formats[i].word);
    }
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--format %s: there is no such form: known are %s",
                   word, known);
}

static int set_denials(struct options *options, const char *form, struct err *err)
{
    options->denials_json = strcmp(form, "json") == 0;
    if (options->denials_json || strcmp(form, "text") == 0)
        return 0;
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "--denials %s: write text or json", form);
}

static int set_flag(struct options *options, const struct cli_given *given, struct err *err)
{
    struct policy *policy = &options->policy;
    switch (given->flag) {
    case FLAG_ADDR: return set_address("--addr", given->value, &options->serve.address, err);
    case FLAG_METRICS: return set_address("--metrics", given->value, &options->serve.metrics, err);
    case FLAG_ACCESS_LOG: options->serve.access_log = given->value; return 0;
    case FLAG_LOG_FORMAT: return set_log_format(options, given->value, err);
    case FLAG_TLS_CERT: options->serve.certificate = given->value; return 0;
    case FLAG_TLS_KEY: options->serve.key = given->value; return 0;
    case FLAG_ISOLATION: return set_isolation(options, given->value, err);
    case FLAG_REQUESTS: return set_requests(options, given, err);
    case FLAG_WORKERS: return set_workers(options, given, err);
    case FLAG_REQUEST_TIMEOUT:
        return set_quantity(given, quantity_duration, &options->serve.request_timeout, err);
    case FLAG_BODY: return set_quantity(given, quantity_size, &options->serve.body, err);
    case FLAG_DIR: return add_directory(options, given->value, err);
    case FLAG_NET: return add_net(options, given->value, net_rule_read, err);
    case FLAG_HTTP: return add_net(options, given->value, net_origin_rule_read, err);
    case FLAG_ENV: return add_variable(options, given->value, err);
    case FLAG_CONFIG: return add_setting(options, given->value, err);
    case FLAG_KEYVALUE: return add_store(options, given->value, err);
    case FLAG_TIMEZONE: return set_zone(options, given->value, err);
    case FLAG_MEMORY: return set_quantity(given, quantity_size, &policy->memory, err);
    case FLAG_TIMEOUT: return set_quantity(given, quantity_duration, &policy->timeout, err);
    case FLAG_CPUS: return set_quantity(given, quantity_processors, &policy->cpus, err);
    case FLAG_FUEL: return set_quantity(given, quantity_count, &policy->fuel, err);
    case FLAG_WALLS: return set_walls(options, given->value, err);
    case FLAG_DEGRADE: return add_degraded(options, given->value, err);
    case FLAG_STATUS_JSON: return set_status(options, given->value, err);
    case FLAG_INVOKE: options->invoke = given->value; return 0;
    case FLAG_ENGINE: options->engine = given->value; return 0;
    case FLAG_TRACE_WASM: policy->traced = true; return 0;
    case FLAG_EXPLAIN: options->explain = true; return 0;
    case FLAG_NO_CACHE: options->no_cache = true; return 0;
    case FLAG_WAT: return add_view(options, VIEW_WAT);
    case FLAG_REGISTERS: return add_view(options, VIEW_REGISTERS);
    case FLAG_MODULES: return add_view(options, VIEW_MODULES);
    case FLAG_JSON:
        options->json = true;
        options->format = AUDIT_JSON;
        return add_view(options, VIEW_JSON);
    case FLAG_WORLD: options->world = given->value; return 0;
    case FLAG_CHECK: options->check = given->value; return 0;
    case FLAG_FORMAT: return set_format(options, given->value, err);
    case FLAG_VERBOSE: options->verbose = true; return 0;
    case FLAG_DIFF: options->diff = true; return 0;
    case FLAG_TRACE: options->trace = true; return 0;
    case FLAG_SUGGEST: options->suggest = given->value; return 0;
    case FLAG_DENIALS: return set_denials(options, given->value, err);
    case FLAG_AUDIT_LOG: options->audit_log = given->value; return 0;
    case FLAG_POLICY: /* read before: see policy_options.c */
    case FLAG_OUTPUT:
    case FLAG_ARTIFACT:
    case FLAG_NAME:
    case FLAG_PLATFORM:
    case FLAG_HELP:
    case CLI_FLAGS: return 0;
    }
    return 0;
}

/* What stands in a policy file is told with its place there, and without the dashes of a flag. */
static int set_given(struct options *options, const struct cli_given *given, struct err *err)
{
    struct err one = {.offset = ERR_NOWHERE};
    if (!given->where)
        return set_flag(options, given, err);
    if (set_flag(options, given, &one) == 0)
        return 0;
    const char *text = strncmp(one.text, "--", 2) == 0 ? one.text + 2 : one.text;
    return err_set(err, one.kind, one.offset, "%s: %s", given->where, text);
}

/* With the lines that a shim holds for one cell, and those for who asks for numbers. */
#define PROCESSES_MOST 250

/* What a process for each request goes with. */
static int check_processes(const struct options *options, struct err *err)
{
    if (!cell_isolates_by_process(options->serve.isolation))
        return 0;
    if (options->serve.requests > PROCESSES_MOST)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--max-requests: at most %d processes at once: use --workers, too",
                       PROCESSES_MOST);
    if (options->policy.store_count > 0)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--keyvalue: one way to a store cannot be shared by processes: use "
                       "--isolation=instance");
    /* Its end is that of the processes; and a process can be ended by a descriptor of its folder in
     * /proc, if it is in the namespace of whoever ends it. */
    if (wall_in(options->policy.degraded, WALL_PID_NAMESPACE))
        return err_set(
            err, ERR_USAGE, ERR_NOWHERE,
            "--isolation=process: without the wall pid-namespace processes would outlive "
            "their server: use --isolation=instance, or leave out --degrade for it");
    return 0;
}

int options_make(const struct cli *cli, struct options *ret, struct err *err)
{
    *ret = (struct options){
        .policy = {.allowed = capability_defaults(),
                   .memory = CLI_MEMORY_DEFAULT,
                   .timeout = POLICY_UNLIMITED,
                   .fuel = POLICY_UNLIMITED},
        .serve = {.address = {.family = NET_IPV4, .port = 8080, .bytes = {127, 0, 0, 1}},
                  .isolation = "instance",
                  .requests = 64,
                  .workers = 1,
                  .request_timeout = UINT64_C(30000000000),
                  .body = POLICY_UNLIMITED},
        .status = options_status(cli),
        .cli = cli,
        .trace = cli->command == CLI_TRACE,
        .check = cli_value(cli, FLAG_CHECK),
    };
    ret->directories = calloc(cli->given_count + 1, sizeof *ret->directories);
    ret->environment = calloc(cli->given_count + 1, sizeof *ret->environment);
    ret->config = calloc(cli->given_count + 1, sizeof *ret->config);
    ret->net = calloc(cli->given_count + 1, sizeof *ret->net);
    ret->stores = calloc(cli->given_count + 1, sizeof *ret->stores);
    ret->policy.stores = ret->stores;
    ret->policy.directories = ret->directories;
    ret->policy.net = ret->net;
    ret->policy.environment.at = ret->environment;
    ret->policy.config.at = ret->config;
    if (cli->command == CLI_SERVE)
        ret->policy.allowed |= CAPABILITY(HTTP_IN);
    int failed = ret->directories && ret->environment && ret->config && ret->net && ret->stores
                     ? 0
                     : no_memory(err);
    for (size_t i = 0; !failed && i < cli->given_count; i++)
        failed = set_given(ret, &cli->given[i], err);
    if (!failed && !ret->serve.certificate != !ret->serve.key)
        failed = err_set(err, ERR_USAGE, ERR_NOWHERE,
                         "a certificate is of use with its key only: give both --tls-cert and "
                         "--tls-key");
    failed = failed || check_processes(ret, err);
    /* The arena and the rlimits bound one process, and there may be many for requests. */
    ret->bounded = ret->policy.memory != CLI_MEMORY_DEFAULT || ret->policy.cpus ||
                   cell_isolates_by_process(ret->serve.isolation);
    if (failed)
        options_free(ret);
    return failed;
}

void options_free(struct options *options)
{
    for (size_t i = 0; options->directories && i < options->policy.directory_count; i++) {
        free((char *)(uintptr_t)options->directories[i].host);
        free((char *)(uintptr_t)options->directories[i].guest);
    }
    for (size_t i = 0; options->stores && i < options->policy.store_count; i++) {
        free((char *)(uintptr_t)options->stores[i].name);
        free((char *)(uintptr_t)options->stores[i].path);
    }
    free(options->stores);
    free(options->directories);
    free(options->environment);
    free(options->config);
    free(options->zone);
    free(options->net);
    free(options->net_denied);
    *options = (struct options){.status = options->status};
}
