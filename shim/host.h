/* The facts about host and caller that the array of operations depends on. */
#ifndef CARREL_SHIM_HOST_H
#define CARREL_SHIM_HOST_H

#include "engine/base/err.h"
#include "policies/host.h"

/* Opens /dev/null for each standard stream that is not open, so that no descriptor of the shim's is
 * ever taken for one; the wrong way round, so that what uses one fails as with a closed stream and
 * nothing is lost in silence. Must come before anything else is opened. */
void host_secure_streams(void);

/* What `fd` is as standard stream `stream`. */
enum host_stream host_stream_kind(int stream, int fd);

/* Whether what is written to a standard stream can arrive: it is open, and for writing. */
bool host_writable(int stream);

/* The caller's soft limit on `resource` (RLIMIT_*, in its units); UINT64_MAX: there is none. */
uint64_t host_limit(int resource);

/* Collects the facts. `engine` is kept. Changes nothing. Call it before the shim changes itself
 * (OWN_SPACES). Where control groups may be made is looked for only if `cgroups`, because that
 * reads files; else there are none. */
void host_probe(const char *engine, bool cgroups, struct host *ret);

/* The part about control groups. */
void host_probe_cgroups(bool root, struct host_cgroups *ret);

#endif
