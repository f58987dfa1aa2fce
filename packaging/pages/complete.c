/* What the completions of all shells have in common; see pages.h. */
#include "packaging/pages/pages.h"

#include "policies/wall.h"
#include <string.h>

enum word_kind word_kind(const struct cli_flag_info *flag)
{
    static const struct {
        const char *argument;
        enum word_kind kind;
    } kinds[] = {
        {"", WORD_NONE},         {"FILE", WORD_FILE}, {"HOST::GUEST[:ro]", WORD_DIRECTORY},
        {"DIR", WORD_DIRECTORY}, {"WALL", WORD_WALL}, {"POLICY", WORD_FILE},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(flag->argument, kinds[i].argument) == 0)
            return kinds[i].kind;
    return WORD_OTHER;
}

bool takes(enum cli_command command, enum cli_flag flag)
{
    return cli_flags[flag].commands >> command & 1;
}

void put_walls(FILE *out)
{
    fputs("namespaces", out);
    for (int i = 0; i < WALL_COUNT; i++)
        fprintf(out, " %s", walls[i].word);
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
