/* Is a text JSON, to the letter (RFC 8259)? For files that are called so and are read by a parser
 * of YAML, which takes much more. */
#ifndef CARREL_RUNNER_JSON_TEXT_H
#define CARREL_RUNNER_JSON_TEXT_H

#include "engine/base/bytes.h"

#define JSON_DEPTH_MAX 64

/* NULL if it is; else what is wrong, "expected ...", and in *ret_at at which byte. */
const char *json_text_wrong(struct bytes text, size_t *ret_at);

#endif
