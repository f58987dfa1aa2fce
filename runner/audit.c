/* `carrel audit`: what components can do, without running them. */
#include "policies/audit.h"
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
    struct audit_style style;
    struct audit_json *json;
    bool printed;
};

static void print(struct printing *printing, const char *path, const struct examined *of)
{
    static struct audit audit;
    struct audit_input in = {
        .file = path,
        .size = of->component.size,
        .digest = of->component.digest,
        .demand = &of->demand,
        .policy = &printing->options->policy,
        .verdict = &of->verdict,
        .plan = &of->run.plan,
        .standing = of->walls.standing,
        .missing = of->walls.missing | of->run.missing,
    };
    for (int i = 0; i < WALL_COUNT; i++)
        in.why[i] = wall_in(of->run.missing, (enum wall)i)
                        ? "there is no control group here in which this user may limit memory"
                    : of->walls.errors[i] ? strerrordesc_np(of->walls.errors[i])
                                          : NULL;
    audit_make(&in, &audit);
    if (printing->options->json) {
        printing->json = audit_json_add(printing->json, &audit);
        return;
    }
    if (printing->printed)
        putchar('\n');
    audit_print_text(&audit, &printing->style, stdout);
    printing->printed = true;
}

int command_audit(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    static struct examiner examiner;
    if (count == 0) {
        err_set(&err, ERR_USAGE, ERR_NOWHERE, "no FILE: write `carrel audit FILE...`");
        return report_error(NULL, &err);
    }
    if (examiner_open(&examiner, options, &err))
        return report_error(NULL, &err);
    struct printing printing = {.options = options, .style = style_of_output()};
    int code = 0;
    for (size_t i = 0; i < count && !examiner.session.interrupted; i++) {
        struct examined *of = NULL;
        struct err one = {.offset = ERR_NOWHERE};
        if (examine(&examiner, options, operands[i], (struct text_list){0}, &of, &one))
            code = report_error(operands[i], &one);
        else
            print(&printing, operands[i], of);
        examined_free(of);
    }
    examiner_close(&examiner);
    if (options->json && printing.json && audit_json_end(printing.json, stdout))
        code = err_exit_code(ERR_FAULT);
    if (fflush(stdout) || ferror(stdout)) {
        err_set(&err, ERR_FAULT, ERR_NOWHERE, "cannot write the audit to standard output");
        return report_error(NULL, &err);
    }
    session_heed(&examiner.session);
    return code;
}
