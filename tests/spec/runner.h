/* What carries out the commands of a script: one runner for core modules, one for components. The
 * replay program owns scripts, skipping and counting, a runner the state of one script. */
#ifndef CARREL_SPEC_RUNNER_H
#define CARREL_SPEC_RUNNER_H

#include "tests/spec/script.h"

enum verdict { PASSED, FAILED, SKIPPED };

/* Why a command failed or was skipped, in one line. */
struct note {
    char text[400];
};

struct runner {
    const char *name;

    /* Features (as the commands name them) that are not there; commands that need one are skipped.
     * Ends with NULL. */
    const char *const *without;

    /* Is a script of binaries like this one for this runner? Asked with the first binary. */
    bool (*takes)(struct bytes binary);

    /* The state for a script, fresh; NULL if there is no memory. */
    void *(*open)(void);
    void (*close)(void *state);

    /* Carries out one command. FAILED and SKIPPED come with a note. */
    enum verdict (*command)(void *state, const struct command *command, struct note *note);
};

/* Fills the note and gives the verdict, so that `return verdict(...)` reads well. */
enum verdict verdict(struct note *note, enum verdict result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The runners of this program; ends with NULL. Defined by what is linked: runners.c (everything) or
 * runners_decode.c (decoding and validation only). */
extern const struct runner *const runners[];

#endif
