/* Advice on errors of the host; see advice.h. A table. */
#include "shim/advice.h"
#include "engine/base/attr.h"
#include "shim/host.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

const char *advice_on(int error)
{
    switch (error) {
    case EMFILE: return ": raise the limit on open files (ulimit -n)";
    case ENFILE: return ": the machine has too many files open: close some";
    case EAGAIN: return ": raise the limit on processes (ulimit -u), or end some";
    case ENOMEM: return ": free some memory";
    case ENOSPC:
        return ": raise the limits on namespaces (user.max_*_namespaces), or free some space";
    default: return "";
    }
}

#define REFUSED                                                                                    \
    ": something around carrel refuses it (a container's seccomp profile, for example): allow "    \
    "clone3 and unshare there, or run carrel outside"

const char *advice_on_start(const char *call, int error)
{
    static const struct {
        const char *call;
        int error; /* 0: any */
        const char *advice;
    } rows[] = {
        {"clone3", EPERM, REFUSED},
        {"clone3", ENOSYS, REFUSED},
        {"recvmsg", 0, ": is the engine of another version than carrel?"},
        {"execveat", ENOENT, ": an engine must be linked statically: a cell has no libraries"},
        {"execveat", ENOEXEC, ": it is no program for this machine"},
        {"execveat", EACCES,
         ": it must be executable, and no file system \"noexec\" in its way (mount)"},
    };
    if (strcmp(call, "mmap") == 0 && error == ENOMEM)
        return host_limit(RLIMIT_DATA) < UINT64_MAX
                   ? ": a cell reserves more memory than it may: lift the limit "
                     "(ulimit -d unlimited)"
               : host_limit(RLIMIT_AS) < UINT64_MAX
                   ? ": a cell reserves more addresses than it may: lift the "
                     "limit (ulimit -v unlimited)"
                   : ": a cell reserves addresses that it never uses: the kernel "
                     "must allow that (vm.overcommit_memory 0 or 1)";
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(call, rows[i].call) == 0 && (rows[i].error == 0 || rows[i].error == error))
            return rows[i].advice;
    return advice_on(error);
}
