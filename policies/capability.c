/* The rows of capability.def as data. */
#include "policies/capability.h"

#include <string.h>

const struct capability_info capabilities[CAP_COUNT] = {
#define CAP(name, word, given, flag, what) [CAP_##name] = {word, CAP_GIVEN_##given, flag, what},
#include "policies/capability.def"
#undef CAP
};

capability_set capability_defaults(void)
{
    capability_set set = 0;
    for (int i = 0; i < CAP_COUNT; i++)
        if (capabilities[i].given == CAP_GIVEN_DEFAULT)
            set |= (capability_set)1 << i;
    return set;
}

capability_set capability_matching(const char *word)
{
    capability_set set = 0;
    size_t length = strlen(word);
    for (int i = 0; i < CAP_COUNT; i++) {
        const char *name = capabilities[i].word;
        bool below =
            strncmp(name, word, length) == 0 && (name[length] == '\0' || name[length] == '.');
        if (below || strcmp(word, "*") == 0)
            set |= (capability_set)1 << i;
    }
    return *word ? set : 0;
}
