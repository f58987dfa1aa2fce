/* Decoding and validation of a component, shared by the decode_*.c files and by nobody else
 * (Binary.md). Each function reads one item of a section, checks it against what came before and
 * adds it to the innermost scope. A failure is in the reader. */
#ifndef CARREL_COMPONENT_DECODE_H
#define CARREL_COMPONENT_DECODE_H

#include "engine/component/extern.h"

void core_type_read(struct cm_decode *d, struct reader *r);     /* `core:type` */
void core_instance_read(struct cm_decode *d, struct reader *r); /* `core:instance` */
void type_read(struct cm_decode *d, struct reader *r);          /* `type` */
void alias_read(struct cm_decode *d, struct reader *r);         /* `alias` */
void instance_read(struct cm_decode *d, struct reader *r);      /* `instance` */
void canon_read(struct cm_decode *d, struct reader *r);         /* `canon` */
void import_read(struct cm_decode *d, struct reader *r);        /* `import` */
void export_read(struct cm_decode *d, struct reader *r);        /* `export` */

/* `valtype`; NULL, and the reader failed. */
const struct cm_type *valtype_of_read(struct cm_decode *d, struct reader *r);

/* `resultlist`; NULL if there is none, or if the reader failed. */
const struct cm_type *resultlist_read(struct cm_decode *d, struct reader *r);

/* The type of an actual core module; NULL, and the reader failed (at `at`). */
const struct cm_module_type *module_type_of(struct cm_decode *d, struct reader *r,
                                            const uint8_t *at, const struct module *module);

/* A name as it stands in the file, interned; NULL, and the reader failed. */
const struct symbol *symbol_read(struct cm_decode *d, struct reader *r, const char *what);

/* Ends the innermost scope and gives its memory back. */
void scope_close(struct cm_decode *d);

#endif
