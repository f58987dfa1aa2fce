/* WAVE, a text form of component values (wasm-tools, crates/wasm-wave, README): arguments of a call
 * as people type them on a command line, and results as they are shown. Values are in host layout.
 */
#ifndef CARREL_COMPONENT_WAVE_H
#define CARREL_COMPONENT_WAVE_H

#include "engine/component/scratch.h"

/* A call, "name(args)", taken apart. The name is what comes before the first parenthesis. False if
 * there is none. */
struct wave_call {
    struct str name;
    struct str args; /* with their parentheses */
};

bool wave_call_split(struct str text, struct wave_call *ret);

/* Reads the arguments of a call to `to`, the parameters of a canonical function type, zeroed (which
 * may lack labels: then they are called by their numbers). Strings and lists lie in `scratch`. -1
 * and *err: USAGE with what was expected where (the offset counts in the text), or MEMORY. Handles
 * and streams have no text form. */
int wave_args_read(const struct cm_type *func, struct str args, void *to,
                   struct host_scratch *scratch, struct err *err);

/* Reads one value of a canonical type. */
int wave_read(const struct cm_type *type, struct str text, void *to, struct host_scratch *scratch,
              struct err *err);

/* Where text goes, piece by piece. */
struct wave_out {
    void (*put)(void *data, struct str piece);
    void *data;
};

/* Shows a value of a canonical type. Control and direction characters are escaped, so the text may
 * go to a terminal. */
void wave_show(const struct cm_type *type, const void *from, const struct wave_out *out);

#endif
