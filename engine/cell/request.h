/* What a publisher asks for: a policy within the component, which is only shown. For a reader. */
#ifndef CARREL_CELL_REQUEST_H
#define CARREL_CELL_REQUEST_H

#include "engine/cell/answer.h"

/* Tells every line of the custom sections `carrel:policy` of a component or core module that was
 * decoded: of the file itself, not of what is nested in it. */
void request_tell(struct bytes file, struct answer *answer);

#endif
