/* The completion for zsh, from the rows; see pages.h. */
#include "packaging/pages/pages.h"

/* Text inside '...[...]...' of a specification of _arguments. */
static void put_inside(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            fputs("'\\'", out);
        else if (text[i] == '[' || text[i] == ']' || text[i] == ':' || text[i] == '\\')
            fputc('\\', out);
        fputc(text[i], out);
    }
}

/* What is offered for the argument of a flag. */
static void put_action(FILE *out, const struct cli_flag_info *flag)
{
    switch (word_kind(flag)) {
    case WORD_FILE: fputs("_files", out); break;
    case WORD_DIRECTORY: fputs("_directories", out); break;
    case WORD_CHOICE:
        fputc('(', out);
        put_choices(out, flag);
        fputc(')', out);
        break;
    case WORD_NONE:
    case WORD_OTHER: break;
    }
}

static void put_flag(FILE *out, const struct cli_flag_info *flag)
{
    enum word_kind kind = word_kind(flag);
    fprintf(out, "                '%s%s%s[", flag->times == CLI_MANY ? "*" : "", flag->word,
            kind == WORD_NONE ? "" : "=");
    put_inside(out, flag->what, clause_length(flag->what));
    fputc(']', out);
    if (kind != WORD_NONE) {
        fputc(':', out);
        put_inside(out, flag->argument, __builtin_strlen(flag->argument));
        fputc(':', out);
        put_action(out, flag);
    }
    fputs("' \\\n", out);
}

void zsh_completion(FILE *out)
{
    fputs("#compdef carrel\n# Made from the rows of runner/cli.def.\n_carrel() {\n"
          "    local state line\n    typeset -A opt_args\n    local -a commands=(\n",
          out);
    for (int i = 0; i < CLI_COMMANDS; i++) {
        fprintf(out, "        '%s:", cli_commands[i].word);
        put_inside(out, cli_commands[i].line, clause_length(cli_commands[i].line));
        fputs("'\n", out);
    }
    fputs("    )\n    _arguments -C '(- *)--version[print the version]' \\\n"
          "        '1:command:->command' '*::argument:->argument'\n"
          "    case $state in\n    command) _describe command commands ;;\n    argument)\n"
          "        case $words[1] in\n",
          out);
    for (int command = 0; command < CLI_COMMANDS; command++) {
        fprintf(out, "        %s)\n            _arguments \\\n", cli_commands[command].word);
        for (int i = 0; i < CLI_FLAGS; i++)
            if (takes((enum cli_command)command, (enum cli_flag)i))
                put_flag(out, &cli_flags[i]);
        if (takes_words((enum cli_command)command)) {
            fputs("                '1:word:(", out);
            put_operands(out, (enum cli_command)command);
            fputs(")' '*:argument:_files' ;;\n", out);
        } else {
            fputs("                '1:component:_files' '*:argument:_files' ;;\n", out);
        }
    }
    fputs("        esac ;;\n    esac\n}\n_carrel \"$@\"\n", out);
}
