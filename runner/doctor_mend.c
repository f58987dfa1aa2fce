/* From a missing wall to the line that mends it, by the rows of doctor.def; see doctor.h. */
#include "runner/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum check { IS, LACKS, ABSENT, ALWAYS };

struct mend {
    enum wall wall;
    const char *file;
    enum check check;
    const char *word;
    const char *what;
};

static const struct mend mends[] = {
#define MEND(wall, file, check, word, what) {WALL_##wall, file, check, word, what},
#include "runner/doctor.def"
};

/* The first line of a file of the kernel's; false if there is none. */
static bool first_line(const char *path, char *ret, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(ret, (int)size, file) != NULL;
    fclose(file);
    if (!read)
        ret[0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    return true;
}

/* Is `word` in `line`, between commas or spaces? */
static bool has_word(char *line, const char *word)
{
    char *rest = line;
    for (char *one; (one = strsep(&rest, ", "));)
        if (strcmp(one, word) == 0)
            return true;
    return false;
}

static bool applies(const struct mend *mend)
{
    char line[512];
    switch (mend->check) {
    case IS: return first_line(mend->file, line, sizeof line) && strcmp(line, mend->word) == 0;
    case LACKS: return first_line(mend->file, line, sizeof line) && !has_word(line, mend->word);
    case ABSENT: return access(mend->file, F_OK) != 0;
    case ALWAYS: break;
    }
    return true;
}

#define MENDS (sizeof mends / sizeof *mends)
_Static_assert(MENDS <= 64, "a bit for each row");

uint64_t doctor_look(void)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < MENDS; i++)
        rows |= (uint64_t)applies(&mends[i]) << i;
    return rows;
}

/* What the kernel has and forbids even to root, no newer kernel mends. */
static const char *mend_of(const struct doctor_findings *findings, enum wall wall)
{
    for (size_t i = 0; i < MENDS; i++)
        if (mends[i].wall == wall && findings->mends >> i & 1)
            return mends[i].what;
    if (findings->host->root && findings->errors[wall] == EPERM)
        return "root may not do this here: run carrel as an ordinary user, or let root have "
               "CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID, with no seccomp profile in the way (a "
               "container keeps them from its root)";
    return "run Linux %K or later";
}

const char *doctor_mend(const struct doctor_findings *findings, enum wall wall, char *ret,
                        size_t size)
{
    bool follows = wall != WALL_USER_NAMESPACE && !findings->host->root &&
                   wall_in(findings->missing, WALL_USER_NAMESPACE) &&
                   wall_in(wall_named("namespaces"), wall);
    const char *what = follows ? "an ordinary user needs user-namespace for it: mend that"
                               : mend_of(findings, wall);
    const char *kernel = strstr(what, "%K");
    if (kernel)
        snprintf(ret, size, "%.*s%s%s", (int)(kernel - what), what, walls[wall].kernel, kernel + 2);
    else
        snprintf(ret, size, "%s", what);
    return ret;
}
