/* What the completions of all shells have in common; see pages.h. */
#include "packaging/pages/pages.h"

#include "policies/wall.h"
#include <string.h>

/* Flags that take one of a few words, which end with NULL. Those of --degrade are the walls. */
static const char *const walls_here[] = {NULL};
static const char *const forms[] = {
#define FORMAT(NAME, word, files, what) word,
#include "policies/audit_format.def"
    NULL};
static const char *const isolations[] = {
#define ISOLATION(NAME, word, meaning) word,
#include "shim/protocol.def"
    NULL};
static const char *const texts[] = {"text", "json", NULL};
static const char *const kinds_of_walls[] = {"shared", "fresh", NULL};
static const char *const zones[] = {"local", "UTC", NULL};

static const char *const *const choices[CLI_FLAGS] = {
    [FLAG_DEGRADE] = walls_here, [FLAG_FORMAT] = forms,  [FLAG_ISOLATION] = isolations,
    [FLAG_LOG_FORMAT] = texts,   [FLAG_DENIALS] = texts, [FLAG_WALLS] = kinds_of_walls,
    [FLAG_TIMEZONE] = zones,
};

enum word_kind word_kind(const struct cli_flag_info *flag)
{
    static const struct {
        const char *argument;
        enum word_kind kind;
    } kinds[] = {
        {"", WORD_NONE},       {"FILE", WORD_FILE},      {"HOST::GUEST[:ro]", WORD_DIRECTORY},
        {"POLICY", WORD_FILE}, {"IMAGE.tar", WORD_FILE},
    };
    if (choices[flag - cli_flags])
        return WORD_CHOICE;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(flag->argument, kinds[i].argument) == 0)
            return kinds[i].kind;
    return WORD_OTHER;
}

bool takes(enum cli_command command, enum cli_flag flag)
{
    return cli_flags[flag].commands >> command & 1;
}

static void put_walls(FILE *out)
{
    fputs("namespaces", out);
    for (int i = 0; i < WALL_COUNT; i++)
        fprintf(out, " %s", walls[i].word);
}

void put_choices(FILE *out, const struct cli_flag_info *flag)
{
    const char *const *words = choices[flag - cli_flags];
    if (words == walls_here)
        put_walls(out);
    for (size_t i = 0; words[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", words[i]);
}

void put_commands(FILE *out)
{
    for (int i = 0; i < CLI_COMMANDS; i++)
        fprintf(out, "%s%s", i ? " " : "", cli_commands[i].word);
}

bool takes_words(enum cli_command command)
{
    return command == CLI_HELP || command == CLI_OCI;
}

void put_operands(FILE *out, enum cli_command command)
{
    if (command == CLI_HELP) {
        put_commands(out);
        fputs(" policy", out);
        return;
    }
    for (const char *at = cli_commands[command].operands; *at && *at != ' '; at++)
        fputc(*at == '|' ? ' ' : *at, out);
}

size_t clause_length(const char *text)
{
    size_t length = strcspn(text, ";:(");
    const char *stop = strstr(text, ", ");
    if (stop && (size_t)(stop - text) < length)
        length = (size_t)(stop - text);
    stop = strstr(text, ". ");
    if (stop && (size_t)(stop - text) < length)
        length = (size_t)(stop - text);
    while (length && text[length - 1] == ' ')
        length--;
    return length;
}
