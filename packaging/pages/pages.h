/* What the manual pages and the completions are made of: the rows of runner/cli.def;
 * and the picture, of those of policies/operation.def. */
#ifndef CARREL_PACKAGING_PAGES_H
#define CARREL_PACKAGING_PAGES_H

#include "runner/cli.h"
#include <stdio.h>

/* Text in man(7)'s macros; the second breaks lines and makes what is between backticks bold. */
void man_text(FILE *out, const char *text, size_t length);
void man_prose(FILE *out, const char *text);

/* A section with prose under its title; a term of a list in bold, its value if it has one, and what
 * it is. */
void man_section(FILE *out, const char *title, const char *prose);
void man_item(FILE *out, const char *term, const char *value, const char *what);

/* Lines to copy. */
void man_example(FILE *out, const char *line);

/* carrel-policy(5): from the rows of runner/policy_key.def. */
void man_policy(FILE *out);

/* containerd-shim-carrel-v1(8): from the rows of shim/containerd/annotation.def. */
void man_shim(FILE *out);

/* carrel(1), and the page of one command. */
void man_program(FILE *out);
void man_command(FILE *out, enum cli_command command);

void bash_completion(FILE *out);
void zsh_completion(FILE *out);
void fish_completion(FILE *out);

/* How a cell is launched, as an SVG. */
void picture(FILE *out);

/* What a shell offers for the argument of a flag. */
enum word_kind {
    WORD_NONE, /* it takes none */
    WORD_FILE,
    WORD_DIRECTORY,
    WORD_CHOICE, /* one of a few */
    WORD_OTHER,  /* nothing that a shell could know */
};

enum word_kind word_kind(const struct cli_flag_info *flag);

/* Does `command` take the flag? */
bool takes(enum cli_command command, enum cli_flag flag);

/* Is a command's first operand one of a few words, and no file? */
bool takes_words(enum cli_command command);

/* With a space between two: the words that a flag of WORD_CHOICE takes, the commands, and the first
 * operands of a command that takes words. */
void put_choices(FILE *out, const struct cli_flag_info *flag);
void put_commands(FILE *out);
void put_operands(FILE *out, enum cli_command command);

/* The length of the first clause of `text`: what fits beside a word in a list. */
size_t clause_length(const char *text);

#endif
