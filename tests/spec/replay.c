/* Replays scripts of the conformance suites:
 *
 *   replay [--level LEVEL,...] [--without FEATURE] [--time SECONDS] [-v] FOLDER_OR_FILE...
 *
 * Names every command that failed as file:line, and ends with `N passed, N failed, N skipped`. Each
 * script runs in a process of its own with a time limit, so that a crash or a hang in one of them
 * counts as failures there and nowhere else. */
#include "tests/spec/runner.h"
#include "tests/spec/suite.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
    const char *levels;  /* "1.0,2.0"; NULL: all */
    const char *without; /* features, likewise */
    unsigned seconds;    /* for one script */
    bool verbose;        /* name what is skipped, too */
    bool here;           /* no process of its own: for debuggers */
};

/* What a script's process tells, in memory shared with it. */
struct progress {
    unsigned counts[3]; /* by verdict */
    unsigned line;      /* of the command that runs now */
};

enum verdict verdict(struct note *note, enum verdict result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
    return result;
}

/* Is `word` in the list "a,b,c"? */
static bool listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* --- Skipping -----------------------------------------------------------------------------------
 */

/* The feature that a command needs and that is not there, or NULL. */
static const char *missing_feature(const struct command *command, const struct runner *runner,
                                   const struct options *options)
{
    struct json_object *features = json_member(command->json, "features");
    size_t count = features ? json_object_array_length(features) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *feature = json_object_get_string(json_object_array_get_idx(features, i));
        if (listed(options->without, feature))
            return feature;
        for (const char *const *absent = runner->without; *absent; absent++)
            if (strcmp(*absent, feature) == 0)
                return feature;
    }
    return NULL;
}

/* Why a command cannot be kept beside others that are kept, or NULL. */
static const char *contradiction(const struct command *command)
{
    static const struct {
        const char *path;
        uint32_t line;
        const char *reason;
    } rows[] = {
#define CONTRADICTION(path, line, reason) {path, line, reason},
#include "tests/spec/contradictions.def"
#undef CONTRADICTION
    };
    const char *path = command->script->path;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].path);
        if (rows[i].line == command->line && strlen(path) >= length &&
            strcmp(path + strlen(path) - length, rows[i].path) == 0)
            return rows[i].reason;
    }
    return NULL;
}

static bool begins_with_module(const struct command *command)
{
    return strcmp(command->type, "module") == 0 || strcmp(command->type, "module_definition") == 0;
}

/* Why a command is skipped, or NULL. After a module that was skipped everything is, until the next
 * module; `skipping` remembers. */
static const char *reason_to_skip(const struct command *command, const struct runner *runner,
                                  const struct options *options, const char **skipping)
{
    static char reason[80];
    const char *feature = missing_feature(command, runner, options);
    if (begins_with_module(command)) {
        *skipping = feature;
    } else if (*skipping && !json_member(command->json, "filename")) {
        snprintf(reason, sizeof reason, "after a module that needs %s", *skipping);
        return reason;
    }
    if (!feature)
        return contradiction(command);
    snprintf(reason, sizeof reason, "needs %s", feature);
    return reason;
}

/* --- One script ---------------------------------------------------------------------------------
 */

static const struct runner *choose_runner(const struct script *script)
{
    uint8_t *binary = NULL;
    size_t len = 0;
    for (size_t i = 0; i < script_length(script) && !binary; i++) {
        struct command command = script_command(script, i);
        if (json_is(command.json, "module_type", "binary"))
            binary = command_binary(&command, &len);
    }
    const struct runner *chosen = NULL;
    for (size_t i = 0; runners[i] && !chosen; i++)
        if (runners[i]->takes((struct bytes){binary, len}))
            chosen = runners[i];
    free(binary);
    return chosen;
}

static void replay_script(const struct script *script, const struct runner *runner,
                          const struct options *options, struct progress *progress)
{
    void *state = runner->open();
    const char *skipping = NULL;
    if (!state) {
        printf("%s: no memory\n", script->path);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < script_length(script); i++) {
        struct command command = script_command(script, i);
        struct note note = {0};
        progress->line = command.line;
        const char *reason = reason_to_skip(&command, runner, options, &skipping);
        enum verdict result = reason ? verdict(&note, SKIPPED, "%s", reason)
                                     : runner->command(state, &command, &note);
        progress->counts[result]++;
        if (result == FAILED || (result == SKIPPED && options->verbose))
            printf("%s:%u: %s %s: %s\n", script->path, command.line, command.type,
                   result == FAILED ? "failed" : "skipped", note.text);
    }
    runner->close(state);
}

/* Counts what a process that ended early did not reach as failed. */
static void account(const struct script *script, int status, const struct options *options,
                    struct progress *progress)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    unsigned done = progress->counts[PASSED] + progress->counts[FAILED] + progress->counts[SKIPPED];
    progress->counts[FAILED] += (unsigned)script_length(script) - done;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("%s:%u: failed: still running after %u s\n", script->path, progress->line,
               options->seconds);
    else if (WIFSIGNALED(status))
        printf("%s:%u: failed: killed by signal %d\n", script->path, progress->line,
               WTERMSIG(status));
    else
        printf("%s:%u: failed: exit code %d\n", script->path, progress->line, WEXITSTATUS(status));
}

static void replay_in_child(const struct script *script, const struct runner *runner,
                            const struct options *options, struct progress *progress)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(options->seconds);
        replay_script(script, runner, options, progress);
        fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    int status = 0;
    if (child < 0) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    account(script, status, options, progress);
}

static void replay_path(const char *path, const struct options *options, struct progress *progress,
                        unsigned totals[3])
{
    struct script script;
    const char *why;
    const char *level = suite_level(path);
    if (options->levels && level && !listed(options->levels, level))
        return;
    if (!script_read(&script, path, &why)) {
        printf("%s: not a script: %s\n", path, why);
        return;
    }
    *progress = (struct progress){0};
    const struct runner *runner = choose_runner(&script);
    if (!runner)
        progress->counts[SKIPPED] = (unsigned)script_length(&script);
    else if (options->here)
        replay_script(&script, runner, options, progress);
    else
        replay_in_child(&script, runner, options, progress);
    for (int i = 0; i < 3; i++)
        totals[i] += progress->counts[i];
    if (options->verbose)
        printf("%s: %u passed, %u failed, %u skipped\n", path, progress->counts[PASSED],
               progress->counts[FAILED], progress->counts[SKIPPED]);
    script_free(&script);
}

static int usage(void)
{
    fputs(
        "usage: replay [--level LEVEL,...] [--without FEATURE,...] [--time SECONDS] [--here] [-v] "
        "FOLDER_OR_FILE...\n",
        stderr);
    return 125;
}

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"level", required_argument, NULL, 'l'}, {"without", required_argument, NULL, 'w'},
        {"time", required_argument, NULL, 't'},  {"here", no_argument, NULL, 'h'},
        {"verbose", no_argument, NULL, 'v'},     {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "v", known, NULL)) != -1;) {
        switch (option) {
        case 'l': options->levels = optarg; break;
        case 'w': options->without = optarg; break;
        case 't': options->seconds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'h': options->here = true; break;
        case 'v': options->verbose = true; break;
        default: return false;
        }
    }
    return optind < argc;
}

int main(int argc, char **argv)
{
    struct options options = {.seconds = 60};
    struct suite suite = {0};
    unsigned totals[3] = {0};
    if (!parse(argc, argv, &options))
        return usage();
    for (int i = optind; i < argc; i++) {
        if (!suite_add(&suite, argv[i])) {
            fprintf(stderr, "replay: no such file or folder: %s\n", argv[i]);
            return 127;
        }
    }
    if (suite.count == 0) {
        fputs("replay: no script (*.json) is there\n", stderr);
        return 127;
    }
    suite_sort(&suite);
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        perror("mmap");
        return 125;
    }
    for (size_t i = 0; i < suite.count; i++)
        replay_path(suite.paths[i], &options, progress, totals);
    suite_free(&suite);
    printf("%u passed, %u failed, %u skipped\n", totals[PASSED], totals[FAILED], totals[SKIPPED]);
    return totals[FAILED] ? 1 : 0;
}
