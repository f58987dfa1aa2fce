/* Flags of a command line; see flag.h. */
#include "shim/containerd/flag.h"

#include <stdbool.h>
#include <string.h>

int flag_read(const struct flag *flags, size_t count, char **argv, size_t *at, void *ret,
              struct err *err)
{
    const char *flag = argv[*at];
    const char *word = flag + 1 + (flag[1] == '-');
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < count; i++) {
        if (strlen(flags[i].word) != length || strncmp(flags[i].word, word, length) != 0)
            continue;
        void *place = (char *)ret + flags[i].offset;
        const char *value = word[length] ? word + length + 1 : NULL;
        bool takes = flags[i].kind == FLAG_TEXT || flags[i].kind == FLAG_IGNORE_TEXT;
        if (takes && !value && !(value = argv[++*at]))
            return err_set(err, ERR_USAGE, ERR_NOWHERE, "%s needs a value: write one behind it",
                           flag);
        if (flags[i].kind == FLAG_TEXT)
            *(const char **)place = value;
        else if (flags[i].kind == FLAG_BOOL)
            *(bool *)place = !value || strcmp(value, "false") != 0;
        return 0;
    }
    return err_set(err, ERR_USAGE, ERR_NOWHERE, "the flag %s is not known: see the manual page",
                   flag);
}
