/* Handlers of runs of operators (fuse.def): one operation after the other, without a dispatch
 * between them. A branch in the middle that is taken ends the run. For interp_fuse.c and
 * interp_polled.c, which make the two sets. */
#ifndef CARREL_EXEC_RUNS_H
#define CARREL_EXEC_RUNS_H

#include "engine/exec/ops_call.h"
#include "engine/exec/ops_control.h"
#include "engine/exec/ops_mem.h"
#include "engine/exec/ops_move.h"
#include "engine/exec/ops_num.h"
#include "engine/exec/ops_store.h"

/* One operation of a run. */
#define RUN(name)                                                                                  \
    do {                                                                                           \
        struct regs ran = do_##name(REGS_PASSED);                                                  \
        bool gone = ran.taken;                                                                     \
        TAKE(ran);                                                                                 \
        if (gone)                                                                                  \
            DISPATCH();                                                                            \
    } while (0)

#define FUSE2(a, b)                                                                                \
    HANDLER(a##__##b)                                                                              \
    {                                                                                              \
        RUN(a);                                                                                    \
        RUN(b);                                                                                    \
        DISPATCH();                                                                                \
    }
#define FUSE3(a, b, c)                                                                             \
    HANDLER(a##__##b##__##c)                                                                       \
    {                                                                                              \
        RUN(a);                                                                                    \
        RUN(b);                                                                                    \
        RUN(c);                                                                                    \
        DISPATCH();                                                                                \
    }
#define FUSE4(a, b, c, d)                                                                          \
    HANDLER(a##__##b##__##c##__##d)                                                                \
    {                                                                                              \
        RUN(a);                                                                                    \
        RUN(b);                                                                                    \
        RUN(c);                                                                                    \
        RUN(d);                                                                                    \
        DISPATCH();                                                                                \
    }

#endif
