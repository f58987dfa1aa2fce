/* Memory of the program: `malloc` and its family on the arena, so that neither OpenSSL nor the C
 * library asks the kernel for any. */
#ifndef CARREL_TLS_ALLOC_H
#define CARREL_TLS_ALLOC_H

#include <stddef.h>

/* From now on memory comes from here. What was allocated before, at the program's start, stays. */
void alloc_open(void *arena, size_t size);

#endif
