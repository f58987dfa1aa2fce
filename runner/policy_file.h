/* A policy file: YAML, or JSON, which is YAML. Read into settings, each of which knows its place;
 * what they mean is policy_options.h's business. The file is the operator's: what a publisher ships
 * never gets here. `carrel help policy` is its reference. */
#ifndef CARREL_RUNNER_POLICY_FILE_H
#define CARREL_RUNNER_POLICY_FILE_H

#include "engine/base/bytes.h"
#include "runner/policy_key.h"

#define POLICY_FILE_MAX (1 << 20) /* bytes */

/* One value of one key. */
struct policy_setting {
    const struct policy_key *key;
    char *value;
    char *where;      /* "FILE:LINE:COLUMN" */
    size_t component; /* 0: of all; else 1 + its place in the file's components */
};

/* What an entry of `components` selects. */
struct policy_component {
    char *selector; /* a pattern of names, or "sha256:" and 64 digits */
    bool by_digest;
};

struct policy_file {
    const char *path; /* the caller's */
    char *folder;     /* that it lies in; relative paths start here */
    struct policy_setting *settings;
    size_t count;
    struct policy_component *components;
    size_t component_count;
};

/* Reads the file that was given to `flag`. The result is to be given to policy_file_free, also
 * after a failure, and `path` must live as long. Errors: ABSENT if there is none; FAULT if memory
 * ran out; USAGE, with "PATH:LINE:COLUMN" and the nearest known word where its text is wrong. */
int policy_file_read(const char *flag, const char *path, struct policy_file *ret, struct err *err);

/* The same from memory. */
int policy_file_parse(const char *path, struct bytes text, struct policy_file *ret,
                      struct err *err);
void policy_file_free(struct policy_file *file);

/* What settings are asked about: a component by its name (without folders; NULL: components in
 * general) and sha256 digest (32 bytes), or all that one entry of `components` selects. */
struct policy_subject {
    const char *name;
    const uint8_t *digest;
    size_t component; /* 1 + its place; 0: none */
};

bool policy_applies(const struct policy_file *file, const struct policy_setting *setting,
                    const struct policy_subject *subject);

#endif
