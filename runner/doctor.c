/* `carrel doctor`: which walls stand on this host, for this user. Nothing is guessed: a program of
 * a few bytes, which may open files, is run in a cell that goes on without whatever wall cannot be
 * built, and what became of each wall is what its own launch says. */
#include "runner/doctor.h"
#include "policies/quantity.h"
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A core module of preview 1 whose `_start` calls path_open with nothing but zeros, and drops its
 * answer: its demand calls for every kind of wall. */
static const uint8_t program[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    /* types: path_open's, and none to none */
    0x01, 0x11, 0x02, 0x60, 0x09, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0x01, 0x7f,
    0x60, 0x00, 0x00,
    /* imports */
    0x02, 0x24, 0x01, 0x16, 'w', 'a', 's', 'i', '_', 's', 'n', 'a', 'p', 's', 'h', 'o', 't', '_',
    'p', 'r', 'e', 'v', 'i', 'e', 'w', '1', 0x09, 'p', 'a', 't', 'h', '_', 'o', 'p', 'e', 'n', 0x00,
    0x00,
    /* one function, one memory, both exported */
    0x03, 0x02, 0x01, 0x01, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x13, 0x02, 0x06, '_', 's', 't',
    'a', 'r', 't', 0x00, 0x01, 0x06, 'm', 'e', 'm', 'o', 'r', 'y', 0x02, 0x00,
    /* code */
    0x0a, 0x19, 0x01, 0x17, 0x00, 0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0x42,
    0x00, 0x42, 0x00, 0x41, 0x00, 0x41, 0x00, 0x10, 0x00, 0x1a, 0x0b};

/* The path of a file with the program, which lives as long as the descriptor. */
static int make_program(char ret[64], struct err *err)
{
    int file = memfd_create("doctor", MFD_CLOEXEC);
    if (file < 0 || write(file, program, sizeof program) != (ssize_t)sizeof program) {
        int failed = errno;
        if (file >= 0)
            close(file);
        return err_set(err, ERR_FAULT, ERR_NOWHERE,
                       "no memory file for the program that is tried: memfd_create: %s: allow it "
                       "where carrel runs, or free some memory",
                       strerror(failed));
    }
    snprintf(ret, 64, "/proc/self/fd/%d", file);
    return file;
}

/* Runs the program with all that can be given, in the weakest cell that can be had. */
static int try_cell(struct examiner *examiner, const struct options *options,
                    struct doctor_findings *ret, struct err *err)
{
    static struct outcome outcome;
    char path[64];
    int file = make_program(path, err);
    if (file < 0)
        return -1;
    static const char *const arguments[] = {"doctor"};
    struct examined *of = NULL;
    int failed = examine(examiner, options, path, (struct text_list){arguments, 1}, &of, err);
    close(file);
    if (!failed) {
        session_run(&examiner->session, &of->component, &of->run.plan, &outcome);
        ret->standing = outcome.walls.standing | of->walls.standing;
        ret->missing = outcome.walls.missing | of->walls.missing | of->run.missing;
        ret->standing &= ~ret->missing;
        ret->lacks = of->run.lacks;
        for (int i = 0; i < WALL_COUNT; i++)
            ret->errors[i] =
                outcome.walls.errors[i] ? outcome.walls.errors[i] : of->walls.errors[i];
        if (!outcome.by_guest || outcome.exit_code != 0) {
            failed = -1;
            *err = outcome.why;
        }
    }
    examined_free(of);
    return failed;
}

/* Whatever kept the trial from its end, the doctor has no finding: one exit code. */
static int no_trial(const struct err *err)
{
    report_error(NULL, err);
    return err_exit_code(ERR_FAULT);
}

int command_doctor(const struct options *options, char **operands, size_t count)
{
    (void)operands;
    struct err err = {.offset = ERR_NOWHERE};
    if (count) {
        err_set(
            &err, ERR_USAGE, ERR_NOWHERE,
            "`carrel doctor` looks at this machine and takes no FILE: `carrel audit FILE` looks "
            "at components");
        return report_error(NULL, &err);
    }
    /* Bounds on memory and processors, which ask for a control group; a directory, which asks for
     * mounts; and everything accepted that cannot be built. */
    struct policy_directory directory = {
        .host = access("/usr", X_OK) ? "/" : "/usr", .guest = "/usr", .read_only = true};
    struct options all = *options;
    all.bounded = true;
    all.policy.memory = UINT64_C(256) << 20;
    all.policy.cpus = QUANTITY_PROCESSOR;
    all.policy.directories = &directory;
    all.policy.directory_count = 1;
    all.policy.allowed |= CAPABILITY(DIR_READ);
    all.policy.degraded = ~(wall_set)0;
    struct examiner *examiner = examiner_here();
    struct doctor_findings findings = {0};
    findings.mends = doctor_look();
    if (examiner_open(examiner, &all, &err))
        return no_trial(&err);
    int failed = try_cell(examiner, &all, &findings, &err);
    examiner_close(examiner);
    session_heed(&examiner->session);
    if (failed)
        return no_trial(&err);
    findings.host = &examiner->host;
    findings.engine = examiner->engine;
    if (options->json ? doctor_print_json(&findings, stdout) : doctor_print_text(&findings, stdout))
        return err_exit_code(ERR_FAULT);
    return doctor_lacks(&findings) ? err_exit_code(ERR_WALL) : 0;
}
