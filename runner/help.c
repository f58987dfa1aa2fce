/* Prints help from the rows; see help.h. Every fact is in cli.def and exit_codes.def, only the
 * layout here. */
#include "runner/help.h"

#include "runner/exit_codes.h"
#include <string.h>

#define WIDTH  80
#define INDENT 26 /* of the texts beside words */

/* Prints `text` from column `at` on, and further lines from column `indent`. */
static void wrap(FILE *out, const char *text, int at, int indent)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > indent && at + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* "  WORD    TEXT", the text on a line of its own if the word is long. */
static void entry(FILE *out, const char *word, const char *argument, const char *text)
{
    int at = fprintf(out, "  %s%s%s", word, *argument ? " " : "", argument);
    if (at > INDENT - 2) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", INDENT - at, "");
    wrap(out, text, INDENT, INDENT);
}

static void list_exit_codes(FILE *out)
{
    fputs(
        "\nExit codes: the guest's own, 0 to 255, and where they are carrel's a line on standard\n"
        "error says so:\n",
        out);
    for (size_t i = 0; i < EXIT_CODES; i++)
        entry(out, exit_codes[i].code, "", exit_codes[i].what);
}

void help_all(FILE *out)
{
    fputs(
        "carrel runs WebAssembly components that you do not trust, each in a process whose walls\n"
        "are built from what it imports.\n\n",
        out);
    for (int i = 0; i < CLI_COMMANDS; i++)
        fprintf(out, "  carrel %s %s\n", cli_commands[i].word, cli_commands[i].operands);
    fputs("  carrel --version\n\n", out);
    for (int i = 0; i < CLI_COMMANDS; i++)
        entry(out, cli_commands[i].word, "", cli_commands[i].line);
    fputs("\n`carrel help COMMAND` shows the flags of a command.\n", out);
}

void help_command(FILE *out, enum cli_command command)
{
    const struct cli_command_info *info = &cli_commands[command];
    fprintf(out, "carrel %s %s\n\n", info->word, info->operands);
    wrap(out, info->line, 0, 0);
    if (*info->more) {
        fputc('\n', out);
        wrap(out, info->more, 0, 0);
    }
    fputs("\nFlags:\n", out);
    for (int i = 0; i < CLI_FLAGS; i++)
        if (cli_flags[i].commands >> command & 1)
            entry(out, cli_flags[i].word, cli_flags[i].argument, cli_flags[i].what);
    if (command == CLI_RUN)
        list_exit_codes(out);
}
