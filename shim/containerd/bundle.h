/* An OCI bundle: config.json, as far as the shim needs it
 * (github.com/opencontainers/runtime-spec, config.md). Read in short-lived processes only: the
 * resident shim keeps no tree. */
#ifndef CARREL_SHIM_CONTAINERD_BUNDLE_H
#define CARREL_SHIM_CONTAINERD_BUNDLE_H

#include "shim/containerd/group.h"
#include "shim/containerd/prepared.h"
#include <json-c/json.h>

#define ANNOTATION_PREFIX "carrel.policy/"

struct bundle {
    const char *directory;
    json_object *config;
};

/* Reads DIRECTORY/config.json. Errors: ABSENT, USAGE (it is none). */
int bundle_read(const char *directory, struct bundle *ret, struct err *err);

/* Parses one JSON text of at most 16 MiB. NULL if it is none. */
json_object *bundle_parse(struct bytes text);

/* An annotation's value, or NULL. */
const char *bundle_annotation(const struct bundle *bundle, const char *key);

/* Whether it is the process that holds a pod's namespaces, and no program of anybody's. */
bool bundle_is_sandbox(const struct bundle *bundle);

/* The name of the group of containers that share a shim: of the annotations that containerd has for
 * it; NULL if there is none. */
const char *bundle_group(const struct bundle *bundle);

/* The path of a namespace of that type; NULL if it says nothing, "" for a new one. */
const char *bundle_namespace(const struct bundle *bundle, const char *type);

/* The text at a path of keys, separated by dots; NULL if there is none. */
const char *bundle_text(const struct bundle *bundle, const char *path);

/* An absolute path on the host of the root file system. */
void bundle_root(const struct bundle *bundle, char *ret, size_t size);

/* The limits of linux.resources, also of such an object alone, which their texts are of. */
void bundle_limits(json_object *resources, struct group_limits *ret);
json_object *bundle_resources(const struct bundle *bundle);

/* Fills in what a container is to be from its specification: arguments, environment, policy, group,
 * names. `process` is the object of that name, of the bundle or of an exec. Nothing is given that
 * the annotations do not name. Errors: USAGE, LIMIT. */
int bundle_policy(const struct bundle *bundle, json_object *process, struct prepared *ret,
                  struct err *err);

#endif
