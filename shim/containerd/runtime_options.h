/* The options of a runtime, which containerd hands on with each Create: what `ctr run
 * --runtime-config-path` names, and what containerd's configuration says in the table `options` of
 * a runtime (api/types/runtimeoptions/v1/api.proto). They are the operator's: policy for every
 * container of that runtime, with the keys of annotations (annotation.def). Read in helpers. */
#ifndef CARREL_SHIM_CONTAINERD_RUNTIME_OPTIONS_H
#define CARREL_SHIM_CONTAINERD_RUNTIME_OPTIONS_H

#include "engine/base/err.h"
#include "shim/containerd/message.h"
#include <json-c/json.h>

/* The text of options: of the file that they name, or that they hold. `any` is what Create has;
 * *ret is allocated, and NULL if it has none, or those of runc, which say nothing to a cell
 * (*ret_other: then). Errors: ABSENT, USAGE. */
int runtime_options_text(struct bytes any, char **ret, bool *ret_other, struct err *err);

/* Reads a text of options into an object of texts. The text is TOML (toml.io), of which this much
 * is read: lines of a bare key and a string, a whole number or a list of strings in one line, and
 * comments. The rest is refused, not left out. Errors: USAGE, with the line. */
json_object *runtime_options_parse(const char *text, struct err *err);

#endif
