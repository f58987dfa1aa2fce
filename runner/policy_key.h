/* The keys of policy files as data: rows of policy_key.def, and the flags that are keys. */
#ifndef CARREL_RUNNER_POLICY_KEY_H
#define CARREL_RUNNER_POLICY_KEY_H

#include "runner/cli.h"

enum policy_section {
#define SECTION(name, word, what) POLICY_##name,
#include "runner/policy_key.def"
    POLICY_SECTIONS
};

enum policy_member {
#define MEMBER(name, word, need, what) MEMBER_##name,
#include "runner/policy_key.def"
    POLICY_MEMBERS
};

/* What a key means: a flag's, or one of its own. */
enum policy_meaning {
    MEANS_FLAG,
#define KEY(section, name, word, value, what) MEANS_##name,
#include "runner/policy_key.def"
};

struct policy_key {
    enum policy_section section;
    enum policy_meaning meaning;
    enum cli_flag flag; /* of MEANS_FLAG */
    const char *word;
    const char *value;
    const char *what;
};

struct policy_word {
    const char *word;
    const char *value; /* "" if there is none to name */
    const char *what;
};

extern const struct policy_word policy_sections[POLICY_SECTIONS];
extern const struct policy_word policy_members[POLICY_MEMBERS];

/* A whole file. */
extern const char policy_example[];

/* All keys, ordered by section. There are *count of them; they live for ever. */
const struct policy_key *policy_keys(size_t *count);

/* The key of that name in a section, or NULL. */
const struct policy_key *policy_key_named(enum policy_section section, const char *word);

#endif
