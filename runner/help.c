/* Prints help from the rows; see help.h. Every fact is in cli.def and exit_codes.def, only the
 * layout here. */
#include "runner/help.h"

#include "policies/capability.h"
#include "runner/exit_codes.h"
#include "runner/policy_key.h"
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

static void list_exit_codes(FILE *out, enum cli_command command)
{
    bool any = false;
    for (size_t i = 0; i < EXIT_CODES; i++) {
        char code[16];
        if (!(exit_codes[i].commands >> command & 1))
            continue;
        if (!any) {
            fputs("\nExit codes:\n", out);
            wrap(out, exit_codes_title(command), 0, 0);
        }
        any = true;
        snprintf(code, sizeof code, "%d", exit_codes[i].code);
        entry(out, code, "", exit_codes[i].what);
    }
}

/* Each line as it can be copied, whatever its length. */
static void list_examples(FILE *out, enum cli_command command)
{
    const char *title = "\nExamples:\n";
    for (size_t i = 0; i < CLI_EXAMPLES; i++) {
        if (cli_examples[i].command != command)
            continue;
        fprintf(out, "%s  %s\n      ", title, cli_examples[i].line);
        wrap(out, cli_examples[i].what, 6, 6);
        title = "";
    }
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
    fputs("\n`carrel help COMMAND` shows the flags of a command, `carrel help policy` how "
          "policy\nfiles are written.\n",
          out);
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
    list_exit_codes(out, command);
    list_examples(out, command);
}

/* --- Policy files -------------------------------------------------------------------------------
 */

static void policy_sections_help(FILE *out)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    for (int section = 0; section < POLICY_SECTIONS; section++) {
        fprintf(out, "\n%s: ", policy_sections[section].word);
        int at = (int)strlen(policy_sections[section].word) + 2;
        wrap(out, policy_sections[section].what, at, 2);
        for (size_t i = 0; i < count; i++)
            if ((int)keys[i].section == section)
                entry(out, keys[i].word, keys[i].value, keys[i].what);
    }
}

void help_policy(FILE *out)
{
    fputs(
        "A policy file says what components may be given: --policy FILE of run, serve, trace and\n"
        "audit, and carrel audit --check FILE. It is written in YAML, or in JSON:\n\n",
        out);
    fputs(policy_example, out);
    fputs("\nAt the top:\n", out);
#define TOP(name, word, value, what) entry(out, word, value, what);
#include "runner/policy_key.def"
    policy_sections_help(out);
    fputs("\nAn entry of dir is written as --dir has it, or as a mapping:\n", out);
    for (int i = 0; i < POLICY_MEMBERS; i++)
        entry(out, policy_members[i].word, "", policy_members[i].what);
    fputs("\nA component is selected by\n", out);
#define SELECTOR(form, what) entry(out, form, "", what);
#include "runner/policy_key.def"
    fputs("\nCapabilities:\n", out);
    for (int i = 0; i < CAP_COUNT; i++)
        entry(out, capabilities[i].word, "", capabilities[i].what);
    fputs("\nA key that is not known is an error. Nothing that a publisher ships is read as a "
          "policy:\nwhat a component carries in its custom section carrel:policy, `carrel audit` "
          "shows as a\nrequest.\n",
          out);
}
