/* Walls that stand, walls that are missing, and the error that names one. No system call. */
#include "shim/walls.h"
#include "shim/advice.h"
#include <errno.h>
#include <string.h>

void walls_built(struct wall_report *report, const struct operation *operation)
{
    enum wall wall = operation_infos[operation->kind].wall;
    if (wall != WALL_NONE && !wall_in(report->missing, wall))
        report->standing |= WALL_BIT(wall);
}

int walls_refuse(enum wall wall, const char *call, int error, struct err *err)
{
    const char *advice = advice_on(error);
    if (*advice) /* the kernel has the wall, and no room for it now */
        return err_set(err, ERR_WALL, ERR_NOWHERE, "the wall \"%s\" cannot be built: %s: %s%s",
                       walls[wall].word, call, strerror(error), advice);
    if (error == EPERM || error == EACCES) /* it has it, and forbids it to this caller */
        return err_set(err, ERR_WALL, ERR_NOWHERE,
                       "the wall \"%s\" cannot be built: %s: %s: `carrel doctor` says what is in "
                       "its way; --degrade=%s runs without it",
                       walls[wall].word, call, strerror(error), walls[wall].word);
    return err_set(err, ERR_WALL, ERR_NOWHERE,
                   "the wall \"%s\" cannot be built: %s: %s; it needs Linux %s; --degrade=%s runs "
                   "without it",
                   walls[wall].word, call, strerror(error), walls[wall].kernel, walls[wall].word);
}

int walls_failed(struct wall_report *report, const struct operation *operation, const char *call,
                 int error, struct err *err)
{
    enum wall wall = operation_infos[operation->kind].wall;
    if (wall == WALL_NONE) {
        char text[160];
        operation_text(operation, text, sizeof text);
        return err_set(err, ERR_FAULT, ERR_NOWHERE, "cannot start a cell: %s: %s: %s%s", text, call,
                       strerror(error), advice_on_start(call, error));
    }
    if (!operation->may_fail)
        return walls_refuse(wall, call, error, err);
    report->missing |= WALL_BIT(wall);
    report->standing &= ~WALL_BIT(wall);
    report->errors[wall] = error;
    return 0;
}
