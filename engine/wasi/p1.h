/* WASI preview 1 (`wasi_snapshot_preview1`, and the older `wasi_unstable`) for core modules, on the
 * same file system, clocks and generators as WASI 0.2: policies/p1.def is its table. */
#ifndef CARREL_WASI_P1_H
#define CARREL_WASI_P1_H

#include "engine/exec/vm.h"
#include "engine/wasi/wasi.h"

struct p1;

/* The state of one module: its numbered descriptors, 0 to 2 the standard streams and from 3 on the
 * directories. NULL if the heap is exhausted. */
struct p1 *p1_new(struct vm *vm, struct wasi *wasi);

/* Is that a module that preview 1 answers for? */
bool p1_is_module(struct str module);

/* The core type of a function of preview 1, to *ret; false if there is no such function, or no
 * memory for its type. */
bool p1_type(struct types *types, struct str module, struct str name, uint32_t *ret);

/* What a function made here is called, cut to its place; empty for any other. */
void p1_called(const struct func *func, char *to, size_t size);

/* The function for an import, of the type that its row says (whether that is the type that the
 * importer wants is for instance_new to check). NULL, and UNLINKABLE if there is none, MEMORY if
 * the heap is exhausted. */
struct func *p1_func(struct p1 *p1, struct str module, struct str name, struct err *err);

#endif
