/* The supervisor in this process: what it does once, however many cells follow.
 *
 *   struct shim     the process: its engine, its own namespaces
 *   struct cell     one cell, from its launch to its end (cell.h)
 *   struct session  `carrel run` and `carrel audit`: a reader, then a cell that runs (session.h) */
#ifndef CARREL_SHIM_SHIM_H
#define CARREL_SHIM_SHIM_H

#include "policies/host.h"
#include "shim/walls.h"
#include <stdbool.h>

struct shim {
    char id[40]; /* of this shim among all that ever were since the machine started */
    int engine;  /* descriptor of the engine's file, or -1 */
    int tls;     /* the same of the program that speaks TLS */
    int into;    /* a group of version 2 that cells are cloned into whose plan makes none; or -1 */
    int spaces[HOST_SPACES]; /* namespaces that its cells share (shared.h), or -1 */
    bool spaced;             /* OWN_SPACES was carried out */
    bool mdwe;               /* MDWE was */
};

/* A shim that has done nothing yet. Never fails. */
struct shim shim_new(void);

/* Closes what the shim holds. */
void shim_close(struct shim *shim);

/* Carries out one operation of phase SHIM that concerns the process, if it has not been before. */
int shim_prepare(struct shim *shim, const struct operation *operation, struct wall_report *report,
                 struct err *err);

/* Opens the engine, once. It must belong to root, or to the user who runs carrel, and be writable
 * by nobody else. Errors: FAULT. */
int shim_open_engine(struct shim *shim, const char *path, struct err *err);

/* The same of the program that speaks TLS; before the shim is in its own namespaces, which hide
 * whose the file is. */
int shim_open_tls(struct shim *shim, const char *path, struct err *err);

#endif
