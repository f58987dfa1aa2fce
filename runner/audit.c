/* `carrel audit`: what components can do, without running them. */
#include "policies/audit_compare.h"
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Exit code: --check found an excess, --diff that rights grew. */
#define AUDIT_EXCEEDS 3

/* Colour on a terminal, unless the user wants none (no-color.org); its width, between bounds. */
static struct audit_style style_of_output(void)
{
    struct audit_style style = {.colour = false, .width = 100};
    struct winsize size;
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (!isatty(STDOUT_FILENO))
        return style;
    style.colour = !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        style.width = size.ws_col < 60 ? 60 : size.ws_col > 120 ? 120 : size.ws_col;
    return style;
}

/* What one file adds to the output. */
struct printing {
    const struct options *options;
    struct audit_output output;
    struct audit_compare compare; /* instead, with --check or --diff */
};

static void arrange(const char *path, const struct examined *of, struct audit *ret)
{
    struct audit_input in = {
        .file = path,
        .size = of->component.size,
        .digest = of->component.digest,
        .demand = &of->demand,
        .policy = of->policy,
        .verdict = &of->verdict,
        .plan = &of->run.plan,
        .standing = of->walls.standing,
        .missing = of->walls.missing | of->run.missing,
    };
    for (int i = 0; i < WALL_COUNT; i++)
        in.why[i] = wall_in(of->run.missing, (enum wall)i) ? of->run.lacks
                    : of->walls.errors[i]                  ? strerrordesc_np(of->walls.errors[i])
                                                           : NULL;
    audit_make(&in, ret);
}

static void print(struct printing *printing, const char *path, const struct examined *of)
{
    static struct audit audit;
    arrange(path, of, &audit);
    if (printing->options->check) {
        audit_compare_policy(&printing->compare, &audit);
        return;
    }
    audit_output_add(&printing->output, &audit);
}

/* A file that is none of a component. Gives the exit code. */
static int refuse(struct printing *printing, const char *path, const struct err *err)
{
    if (!printing->options->check)
        audit_output_fail(&printing->output, path, err);
    return report_error(path, err);
}

/* Each file for itself. Gives the exit code. */
static int audit_each(struct examiner *examiner, const struct options *options, char **operands,
                      size_t count)
{
    struct printing printing = {.options = options};
    struct audit_style style = style_of_output();
    style.verbose = options->verbose;
    int code = 0;
    if (options->check)
        audit_compare_begin(&printing.compare, options->check, options->format == AUDIT_JSON,
                            stdout);
    else
        audit_output_begin(&printing.output, options->format, &style, stdout);
    for (size_t i = 0; i < count && !examiner->session.interrupted; i++) {
        struct examined *of = NULL;
        struct err one = {.offset = ERR_NOWHERE};
        if (examine(examiner, options, operands[i], (struct text_list){0}, &of, &one))
            code = refuse(&printing, operands[i], &one);
        else
            print(&printing, operands[i], of);
        examined_free(of);
    }
    if (options->check ? audit_compare_end(&printing.compare) : audit_output_end(&printing.output))
        code = err_exit_code(ERR_FAULT);
    return code == 0 && printing.compare.count > 0 ? AUDIT_EXCEEDS : code;
}

/* Two files against each other. */
static int audit_both(struct examiner *examiner, const struct options *options, char **operands)
{
    static struct audit audits[2];
    struct examined *of[2] = {NULL, NULL};
    int code = 0;
    for (size_t i = 0; i < 2 && code == 0; i++) {
        struct err one = {.offset = ERR_NOWHERE};
        if (examine(examiner, options, operands[i], (struct text_list){0}, &of[i], &one))
            code = report_error(operands[i], &one);
        else
            arrange(operands[i], of[i], &audits[i]);
    }
    struct audit_compare compare;
    if (code == 0) {
        audit_compare_begin(&compare, NULL, options->format == AUDIT_JSON, stdout);
        audit_compare_versions(&compare, &audits[0], &audits[1]);
        code = audit_compare_end(&compare) ? err_exit_code(ERR_FAULT)
               : compare.count > 0         ? AUDIT_EXCEEDS
                                           : 0;
    }
    examined_free(of[0]);
    examined_free(of[1]);
    return code;
}

static const char *wrong_operands(const struct options *options, size_t count)
{
    if (options->diff && options->check)
        return "--diff compares two files, and --check a file with a policy: ask one after the "
               "other";
    if ((options->diff || options->check) && options->format != AUDIT_TEXT &&
        options->format != AUDIT_JSON)
        return "--check and --diff print text or JSON: leave out --format, or ask for json";
    if (options->diff && count != 2)
        return "--diff takes two files: write `carrel audit --diff OLD NEW`";
    if (count > 1 && !options->check && !audit_formats[options->format].many)
        return "this form is about one file: ask for one after the other";
    return NULL;
}

int command_audit(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    struct examiner *examiner = examiner_here();
    const char *wrong = wrong_operands(options, count);
    if (wrong)
        err_set(&err, ERR_USAGE, ERR_NOWHERE, "%s", wrong);
    else if (count == 0)
        cli_misused(options->cli, "no FILE", &err);
    if (wrong || count == 0)
        return report_error(NULL, &err);
    if (examiner_open(examiner, options, &err))
        return report_error(NULL, &err);
    int code = options->diff ? audit_both(examiner, options, operands)
                             : audit_each(examiner, options, operands, count);
    examiner_close(examiner);
    session_heed(&examiner->session);
    return code;
}
