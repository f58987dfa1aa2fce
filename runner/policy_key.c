/* The keys of policy files; see policy_key.h. Pure, but for the table that is made once. */
#include "runner/policy_key.h"

#include "engine/base/attr.h"
#include <string.h>

const struct policy_word policy_sections[POLICY_SECTIONS] = {
#define SECTION(name, word, what) [POLICY_##name] = {word, "", what},
#include "runner/policy_key.def"
};

const struct policy_word policy_members[POLICY_MEMBERS] = {
#define MEMBER(name, word, need, what) [MEMBER_##name] = {word, #need, what},
#include "runner/policy_key.def"
};

const char policy_example[] = "    version: 1\n"
                              "    allow:\n"
                              "      dir: {host: data, guest: /data, access: read}\n"
                              "      net: [connect=example.com:443]\n"
                              "    deny:\n"
                              "      net: [connect=*:25]\n"
                              "    limits: {memory: 256M, timeout: 30s}\n"
                              "    components:\n"
                              "      report-*.wasm:\n"
                              "        allow: {dir: {host: out, guest: /out, access: write}}\n";

static const struct policy_key own_keys[] = {
#define KEY(section, name, word, value, what)                                                      \
    {POLICY_##section, MEANS_##name, CLI_FLAGS, word, value, what},
#include "runner/policy_key.def"
};

static bool is_key(enum cli_flag flag)
{
    static const bool none[CLI_FLAGS] = {
#define NO_KEY(flag) [FLAG_##flag] = true,
#include "runner/policy_key.def"
    };
    const unsigned both = 1u << CLI_RUN | 1u << CLI_AUDIT;
    return !none[flag] && (cli_flags[flag].commands & both) == both && *cli_flags[flag].argument;
}

static enum policy_section section_of(enum cli_flag flag)
{
    static const bool gives[CLI_FLAGS] = {
#define GIVES(flag) [FLAG_##flag] = true,
#include "runner/policy_key.def"
    };
    return gives[flag] || cli_flags[flag].times == CLI_MANY ? POLICY_ALLOW : POLICY_LIMITS;
}

static size_t make_keys(struct policy_key keys[CLI_FLAGS + countof(own_keys)])
{
    size_t count = 0;
    for (enum policy_section section = 0; section < POLICY_SECTIONS; section++) {
        for (enum cli_flag flag = 0; flag < CLI_FLAGS; flag++) {
            const struct cli_flag_info *info = &cli_flags[flag];
            if (is_key(flag) && section == section_of(flag))
                keys[count++] = (struct policy_key){section,        MEANS_FLAG,     flag,
                                                    info->word + 2, info->argument, info->what};
        }
        for (size_t i = 0; i < countof(own_keys); i++)
            if (own_keys[i].section == section)
                keys[count++] = own_keys[i];
    }
    return count;
}

const struct policy_key *policy_keys(size_t *count)
{
    static struct policy_key keys[CLI_FLAGS + countof(own_keys)];
    static size_t made;
    if (!made)
        made = make_keys(keys);
    *count = made;
    return keys;
}

const struct policy_key *policy_key_named(enum policy_section section, const char *word)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (keys[i].section == section && strcmp(keys[i].word, word) == 0)
            return &keys[i];
    return NULL;
}
