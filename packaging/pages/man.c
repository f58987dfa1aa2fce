/* Manual pages in man(7)'s macros, from the rows; see pages.h. */
#include "packaging/pages/pages.h"

#include "runner/exit_codes.h"
#include <ctype.h>
#include <string.h>

/* `length` bytes of `text`, with what troff would take for its own made plain. */
void man_text(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '\\': fputs("\\e", out); break;
        case '-': fputs("\\-", out); break;
        case '\'': fputs("\\(aq", out); break;
        case '`': fputs("\\(ga", out); break;
        default: fputc(text[i], out);
        }
    }
}

/* What a word of prose becomes in the page, in bytes. */
static size_t width(const char *word, size_t length)
{
    size_t bytes = length;
    for (size_t i = 0; i < length; i++)
        bytes += word[i] == '`'    ? strlen("\\fB") - 1
                 : word[i] == '\'' ? strlen("\\(aq") - 1
                                   : word[i] == '-' || word[i] == '\\';
    return bytes;
}

/* Prose in lines of at most 80 bytes, which mandoc asks for; a point at the begin of one would be a
 * request. `code` between backticks becomes bold. */
void man_prose(FILE *out, const char *text)
{
    bool bold = false;
    size_t at = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        size_t bytes = width(text, length);
        if (at && at + bytes > 78) {
            fputc('\n', out);
            at = 0;
        } else if (at) {
            fputc(' ', out);
        }
        if (!at && *text == '.')
            fputs("\\&", out);
        at += bytes + 1;
        while (length) {
            size_t run = strcspn(text, "` ");
            run = run < length ? run : length;
            man_text(out, text, run);
            text += run;
            length -= run;
            if (length) {
                bold = !bold;
                fputs(bold ? "\\fB" : "\\fR", out);
                text++;
                length--;
            }
        }
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void man_section(FILE *out, const char *title, const char *prose)
{
    fprintf(out, ".SH %s\n", title);
    man_prose(out, prose);
}

void man_item(FILE *out, const char *term, const char *value, const char *what)
{
    fputs(".TP\n\\fB", out);
    man_text(out, term, strlen(term));
    fputs("\\fR", out);
    if (*value) {
        fputs(": \\fI", out);
        man_text(out, value, strlen(value));
        fputs("\\fR", out);
    }
    fputc('\n', out);
    man_prose(out, what);
}

static void put_upper(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(toupper((unsigned char)*text), out);
}

/* The head of carrel(1), or of the page of `word`. */
static void put_head(FILE *out, const char *word, const char *what)
{
    fputs(".\\\" Made from the rows of runner/cli.def.\n.TH CARREL", out);
    if (*word) {
        fputc('-', out);
        put_upper(out, word);
    }
    fprintf(out, " 1 %s \"carrel %s\" \"carrel manual\"\n.SH NAME\ncarrel", CARREL_DATE,
            CARREL_VERSION);
    fprintf(out, "%s%s \\-\n", *word ? "\\-" : "", word);
    man_prose(out, what);
}

static void put_exit_codes(FILE *out, enum cli_command command)
{
    bool any = false;
    for (size_t i = 0; i < EXIT_CODES; i++) {
        if (!(exit_codes[i].commands >> command & 1))
            continue;
        if (!any)
            man_section(out, "EXIT STATUS", exit_codes_title(command));
        any = true;
        fprintf(out, ".TP\n.B %d\n", exit_codes[i].code);
        man_prose(out, exit_codes[i].what);
    }
}

void man_example(FILE *out, const char *line)
{
    fputs(".PP\n.nf\n.RS\n", out);
    man_text(out, line, strlen(line));
    fputs("\n.RE\n.fi\n", out);
}

/* Of `command`, or of all of them. */
static void put_examples(FILE *out, enum cli_command command)
{
    const char *title = ".SH EXAMPLES\n";
    for (size_t i = 0; i < CLI_EXAMPLES; i++) {
        if (command != CLI_COMMANDS && cli_examples[i].command != command)
            continue;
        fputs(*title ? title : ".PP\n", out);
        man_prose(out, cli_examples[i].what);
        man_example(out, cli_examples[i].line);
        title = "";
    }
}

/* Variables and files that it looks at, from the rows of places.def. */
static void put_places(FILE *out)
{
    fputs(".SH ENVIRONMENT\n", out);
#define VARIABLE(name, what) man_item(out, name, "", what);
#include "packaging/pages/places.def"
    fputs(".SH FILES\n", out);
#define PLACE(path, what) man_item(out, path, "", what);
#include "packaging/pages/places.def"
}

/* The other pages that a reader of `command`'s may want; of all, for carrel(1). */
static void put_see_also(FILE *out, enum cli_command command)
{
    bool of_policies =
        command == CLI_COMMANDS || takes(command, FLAG_POLICY) || command == CLI_HELP;
    bool of_containers = command == CLI_COMMANDS || command == CLI_PACK || command == CLI_OCI;
    fputs(".SH SEE ALSO\n", out);
    if (command != CLI_COMMANDS)
        fputs(".BR carrel (1)\n", out);
    if (of_policies)
        fputs(".BR carrel\\-policy (5)\n", out);
    if (of_containers)
        fputs(".BR containerd\\-shim\\-carrel\\-v1 (8)\n", out);
}

void man_program(FILE *out)
{
    put_head(out, "", "run WebAssembly components that nobody has to trust");
    fputs(".SH SYNOPSIS\n", out);
    for (int i = 0; i < CLI_COMMANDS; i++) {
        fprintf(out, ".B carrel %s\n", cli_commands[i].word);
        man_prose(out, cli_commands[i].operands);
        fputs(".br\n", out);
    }
    fputs(".B carrel \\-\\-version\n.SH DESCRIPTION\n", out);
    man_prose(out,
              "Runs WebAssembly components, and core modules with WASI preview 1, each in a "
              "process of its own, a cell, whose walls are built from what it imports: what it "
              "does not import its process cannot do, and the kernel sees to it. It gets its "
              "arguments and standard streams, and beyond that what flags name.");
    fputs(".SH COMMANDS\n", out);
    for (int i = 0; i < CLI_COMMANDS; i++) {
        fprintf(out, ".TP\n.BR carrel\\-%s (1)\n", cli_commands[i].word);
        man_prose(out, cli_commands[i].line);
    }
    put_exit_codes(out, CLI_RUN);
    put_places(out);
    put_examples(out, CLI_COMMANDS);
    put_see_also(out, CLI_COMMANDS);
}

void man_command(FILE *out, enum cli_command command)
{
    const struct cli_command_info *info = &cli_commands[command];
    put_head(out, info->word, info->line);
    fprintf(out, ".SH SYNOPSIS\n.B carrel %s\n", info->word);
    man_prose(out, info->operands);
    fputs(".SH DESCRIPTION\n", out);
    man_prose(out, *info->more ? info->more : info->line);
    fputs(".SH OPTIONS\n", out);
    for (int i = 0; i < CLI_FLAGS; i++) {
        if (!takes(command, (enum cli_flag)i))
            continue;
        fputs(".TP\n\\fB", out);
        man_text(out, cli_flags[i].word, strlen(cli_flags[i].word));
        fputs("\\fR", out);
        if (*cli_flags[i].argument) {
            fputs(" \\fI", out);
            man_text(out, cli_flags[i].argument, strlen(cli_flags[i].argument));
            fputs("\\fR", out);
        }
        fputc('\n', out);
        man_prose(out, cli_flags[i].what);
    }
    put_exit_codes(out, command);
    put_examples(out, command);
    put_see_also(out, command);
}
