/* carrel: runs WebAssembly components that you do not trust. */
#include "runner/command.h"
#include "runner/help.h"
#include "runner/report.h"
#include "shim/host.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE 8192
#define PAGE 65536

static int help(const struct cli *cli)
{
    if (cli->operand_count == 0) {
        help_all(stdout);
        return 0;
    }
    enum cli_command command = cli_command_named(cli->operands[0]);
    if (command != CLI_COMMANDS) {
        help_command(stdout, command);
        return 0;
    }
    if (strcmp(cli->operands[0], "policy") == 0) {
        help_policy(stdout);
        return 0;
    }
    struct err err = {0};
    cli_unknown(cli->operands[0], &err);
    return report_error(NULL, &err);
}

static int carry_out(const struct cli *cli)
{
    struct err err = {.offset = ERR_NOWHERE};
    struct options options = {.status = options_status(cli)};
    struct policy_file file = {.path = NULL};
    if (options_of_command(cli, &file, &options, &err)) {
        policy_file_free(&file);
        report_status(options.status, err_exit_code(err.kind), &err, 0);
        return report_error(NULL, &err);
    }
    int code = 0;
    switch (cli->command) {
    case CLI_TRACE:
    case CLI_RUN: code = command_run(&options, cli->operands, cli->operand_count); break;
    case CLI_SERVE: code = command_serve(&options, cli->operands, cli->operand_count); break;
    case CLI_AUDIT: code = command_audit(&options, cli->operands, cli->operand_count); break;
    case CLI_INSPECT: code = command_inspect(&options, cli->operands, cli->operand_count); break;
    case CLI_DOCTOR: code = command_doctor(&options, cli->operands, cli->operand_count); break;
    case CLI_PACK: code = command_pack(&options, cli->operands, cli->operand_count); break;
    case CLI_OCI: code = command_oci(cli->operands, cli->operand_count); break;
    case CLI_HELP:
    case CLI_COMMANDS:
    case CLI_VERSION: break; /* not here */
    }
    options_free(&options);
    policy_file_free(&file);
    return code;
}

/* Whoever reads what is printed, `head` say, has had enough. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP);
}

/* A component that runs prints itself: then nobody need be asked whether output is a terminal. */
static bool prints(const struct cli *cli)
{
    return (cli->command != CLI_RUN && cli->command != CLI_SERVE) || cli_value(cli, FLAG_HELP);
}

int main(int argc, char **argv)
{
    struct cli cli;
    struct err err = {0};
    /* A line is written whole: others write to the same place. */
    static char line[LINE], page[PAGE];
    host_secure_streams();
    setvbuf(stderr, line, _IOLBF, sizeof line);
    if (cli_parse(argc, argv, &cli, &err)) {
        report_status(options_status(&cli), err_exit_code(err.kind), &err, 0);
        cli_free(&cli);
        return report_error(NULL, &err);
    }
    if (prints(&cli) && !isatty(STDOUT_FILENO))
        setvbuf(stdout, page, _IOFBF, sizeof page);
    int code = 0;
    if (cli.command == CLI_VERSION)
        puts("carrel " CARREL_VERSION);
    else if (cli.command == CLI_HELP)
        code = help(&cli);
    else if (cli_value(&cli, FLAG_HELP))
        help_command(stdout, cli.command);
    else
        code = carry_out(&cli);
    cli_free(&cli);
    if ((fflush(stdout) || ferror(stdout)) && !reader_is_gone()) {
        err_set(
            &err, ERR_FAULT, ERR_NOWHERE,
            "cannot write to standard output: what was to be printed is lost: send it elsewhere");
        return report_error(NULL, &err);
    }
    return code;
}
