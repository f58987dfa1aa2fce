/* The completion for fish, from the rows; see pages.h. */
#include "packaging/pages/pages.h"

/* Text between single quotes. */
static void put_quoted(FILE *out, const char *text, size_t length)
{
    fputc('\'', out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'' || text[i] == '\\')
            fputc('\\', out);
        fputc(text[i], out);
    }
    fputc('\'', out);
}

static void put_flag(FILE *out, const char *command, const struct cli_flag_info *flag)
{
    fprintf(out, "complete -c carrel -n '__fish_seen_subcommand_from %s' -l %s", command,
            flag->word + 2);
    switch (word_kind(flag)) {
    case WORD_NONE: break;
    case WORD_FILE: fputs(" -rF", out); break;
    case WORD_DIRECTORY: fputs(" -xa '(__fish_complete_directories)'", out); break;
    case WORD_CHOICE:
        fputs(" -xa '", out);
        put_choices(out, flag);
        fputc('\'', out);
        break;
    case WORD_OTHER: fputs(" -x", out); break;
    }
    fputs(" -d ", out);
    put_quoted(out, flag->what, clause_length(flag->what));
    fputc('\n', out);
}

void fish_completion(FILE *out)
{
    fputs("# Made from the rows of runner/cli.def.\n"
          "complete -c carrel -n __fish_use_subcommand -f\n"
          "complete -c carrel -n __fish_use_subcommand -l version -d 'print the version'\n",
          out);
    for (int command = 0; command < CLI_COMMANDS; command++) {
        const struct cli_command_info *info = &cli_commands[command];
        fprintf(out, "complete -c carrel -n __fish_use_subcommand -fa %s -d ", info->word);
        put_quoted(out, info->line, clause_length(info->line));
        fputc('\n', out);
        for (int i = 0; i < CLI_FLAGS; i++)
            if (takes((enum cli_command)command, (enum cli_flag)i))
                put_flag(out, info->word, &cli_flags[i]);
        if (!takes_words((enum cli_command)command))
            continue;
        fprintf(out, "complete -c carrel -n '__fish_seen_subcommand_from %s' -fa '", info->word);
        put_operands(out, (enum cli_command)command);
        fputs("'\n", out);
    }
}
