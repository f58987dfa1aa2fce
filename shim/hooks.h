/* Programs of BPF on a cell's control group of version 2: the last wall under the network grants.
 * What a cell uses of the network was made, bound and connected by the shim; so a process of that
 * group needs to make no socket, bind, connect or send to an address, nor open a device, and is
 * refused. */
#ifndef CARREL_SHIM_HOOKS_H
#define CARREL_SHIM_HOOKS_H

/* Attaches them to the group that is open as `group`; they go with the group. They are loaded once
 * for this process. -1, errno and the name of what failed in *ret_call on failure: for whoever is
 * not root, always. */
int hooks_attach(int group, const char **ret_call);

/* Forgets what was loaded. Groups keep what they have. */
void hooks_close(void);

#endif
