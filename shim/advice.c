/* Advice on errors of the host; see advice.h. A table. */
#include "shim/advice.h"
#include <errno.h>

const char *advice_on(int error)
{
    switch (error) {
    case EMFILE: return ": raise the limit on open files (ulimit -n)";
    case ENFILE: return ": the machine has too many files open: close some";
    case EAGAIN: return ": raise the limit on processes (ulimit -u), or end some";
    case ENOMEM: return ": free some memory";
    case ENOSPC:
        return ": free some space, or raise the limits on namespaces (user.max_*_namespaces)";
    default: return "";
    }
}
