/* The grammar of names (Explainer.md "Import and Export Definitions"): labels in kebab case, plain
 * names with annotations, interface names with versions, and semver tracks. */
#ifndef CARREL_COMPONENT_NAME_H
#define CARREL_COMPONENT_NAME_H

#include "engine/base/bytes.h"

enum name_kind {
    NAME_WRONG, /* follows no rule of the grammar */
    NAME_LABEL,
    NAME_CONSTRUCTOR, /* [constructor]resource */
    NAME_METHOD,      /* [method]resource.member */
    NAME_STATIC,      /* [static]resource.member */
    NAME_INTERFACE,   /* namespace:package/interface@version */
};

struct name {
    enum name_kind kind;
    struct str resource; /* of an annotated name */
    struct str member;
    struct str path;    /* of an interface name: all before the version */
    struct str version; /* empty: none */
};

/* Is it a `label`? */
bool name_is_label(struct str text);

/* Takes an `externname` apart; the parts point into the text. Where the kind is NAME_WRONG,
 * *ret_why says in words what is expected. */
struct name name_parse(struct str text, const char **ret_why);

/* Is it a version as Semantic Versioning 2.0 has it? */
bool name_is_semver(struct str version);

/* The part of a version that decides what it is compatible with: "0.2" of "0.2.6", "1" of "1.4.0",
 * all of "0.0.3". A pre-release is compatible with itself only. Empty for no version. */
struct str name_track(struct str version);

#endif
