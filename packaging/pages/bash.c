/* The completion for bash, from the rows; see pages.h. */
#include "packaging/pages/pages.h"

/* "--dir|--net)" of all flags whose argument is of this kind; nothing if there is none. */
static bool put_pattern(FILE *out, enum word_kind kind)
{
    bool any = false;
    for (int i = 0; i < CLI_FLAGS; i++)
        if (word_kind(&cli_flags[i]) == kind) {
            fprintf(out, "%s%s", any ? "|" : "    ", cli_flags[i].word);
            any = true;
        }
    if (any)
        fputs(") ", out);
    return any;
}

/* What is offered behind a flag, or `flags=` of a command. */
static void put_arguments(FILE *out)
{
    if (put_pattern(out, WORD_DIRECTORY))
        fputs("mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); return ;;\n", out);
    if (put_pattern(out, WORD_FILE))
        fputs("mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n", out);
    for (int i = 0; i < CLI_FLAGS; i++)
        if (word_kind(&cli_flags[i]) == WORD_CHOICE) {
            fprintf(out, "    %s) mapfile -t COMPREPLY < <(compgen -W '", cli_flags[i].word);
            put_choices(out, &cli_flags[i]);
            fputs("' -- \"$word\"); return ;;\n", out);
        }
    if (put_pattern(out, WORD_OTHER))
        fputs("return ;;\n", out);
}

/* A command's flags, and its first operands where they are words. */
static void put_command(FILE *out, enum cli_command command)
{
    fprintf(out, "    %s) flags='", cli_commands[command].word);
    const char *gap = "";
    for (int i = 0; i < CLI_FLAGS; i++)
        if (takes(command, (enum cli_flag)i)) {
            fprintf(out, "%s%s", gap, cli_flags[i].word);
            gap = " ";
        }
    if (takes_words(command)) {
        fputs("' words='", out);
        put_operands(out, command);
    }
    fputs("' ;;\n", out);
}

void bash_completion(FILE *out)
{
    fputs("# Made from the rows of runner/cli.def.\n_carrel()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags= "
          "words=\n"
          "    COMPREPLY=()\n"
          "    if [[ $word == = ]]; then word=\n"
          "    elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        mapfile -t COMPREPLY < <(compgen -W '",
          out);
    put_commands(out);
    fputs(" --version --help' -- \"$word\")\n        return\n    fi\n    case $before in\n", out);
    put_arguments(out);
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    for (int command = 0; command < CLI_COMMANDS; command++)
        put_command(out, (enum cli_command)command);
    fputs("    esac\n    if [[ $word == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
          "    elif [[ $words && $COMP_CWORD == 2 ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n    else\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n    fi\n}\n"
          "complete -o filenames -F _carrel carrel\n",
          out);
}
