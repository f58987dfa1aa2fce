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

/* Takes linux.namespaces apart: "" for a type or a path that is not said. False at the end. */
bool bundle_namespace_at(const struct bundle *bundle, size_t number, const char **ret_type,
                         const char **ret_path);

/* Whether each that is named by a path is one of its type: USAGE if not. */
int bundle_check_namespaces(const struct bundle *bundle, struct err *err);

/* Says in the log which of them are not entered: all but the network's. */
void bundle_tell_namespaces(const struct bundle *bundle, const char *id);

/* The path of a namespace of that type; NULL if it says nothing, "" for a new one. */
const char *bundle_namespace(const struct bundle *bundle, const char *type);

/* A path without empty, "." and ".." parts, from the root on, as a container would see it. False if
 * it is too long. */
bool bundle_clean_path(const char *path, char ret[PATH_MAX]);

/* The last bind mount with that target, a clean path, which is the one that a Linux container would
 * see there. False if there is none, or another mount lies over it. */
struct bind_mount {
    const char *source;
    bool read_only;
};
bool bundle_bind_mount(const struct bundle *bundle, const char *target, struct bind_mount *ret);

/* The text at a path of keys, separated by dots; NULL if there is none. */
const char *bundle_text(const struct bundle *bundle, const char *path);

/* An absolute path on the host of the root file system. */
void bundle_root(const struct bundle *bundle, char *ret, size_t size);

/* The limits of linux.resources, also of such an object alone, which their texts are of. Errors:
 * USAGE if one is of the wrong type. */
int bundle_limits(json_object *resources, struct group_limits *ret, struct err *err);
json_object *bundle_resources(const struct bundle *bundle);

/* Fills in where a container belongs: its control group, its network, its host's name. Errors:
 * USAGE. */
int bundle_names(const struct bundle *bundle, struct prepared *ret, struct err *err);

/* Fills in what a container is to be from its specification: arguments, environment, policy, group,
 * names. `process` is the object of that name, of the bundle or of an exec; `options` those of the
 * runtime, or NULL. Nothing is given that these and the annotations do not name. Errors: USAGE,
 * LIMIT. */
int bundle_policy(const struct bundle *bundle, json_object *process, json_object *options,
                  struct prepared *ret, struct err *err);

#endif
