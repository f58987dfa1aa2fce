/* A host of the test's own, for attacks that no wall may stop: user, mount, pid, net, ipc, uts and
 * cgroup namespaces, a root in memory with a few files, /usr for reading, a loopback device,
 * another process, and nothing of the real host that could be harmed. */
#ifndef CARREL_TESTS_ESCAPE_OWN_HOST_H
#define CARREL_TESTS_ESCAPE_OWN_HOST_H

/* The other process there, asleep: what attacks on processes are made on. */
#define OWN_HOST_SECOND 2

/* Runs this program anew in such a host, with its own arguments and `inside` before them. Returns
 * its exit code, or -1 if there can be no such host here (errno). Needs no rights where an ordinary
 * user may make namespaces. */
int own_host_run(const char *inside, int count, char **arguments);

#endif
