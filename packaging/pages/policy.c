/* carrel-policy(5): how policy files are written, from the rows that they are read by; see pages.h.
 */
#include "packaging/pages/pages.h"
#include "policies/capability.h"
#include "runner/policy_key.h"

#include <stdlib.h>
#include <string.h>

static void put_sections(FILE *out)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    for (int i = 0; i < POLICY_SECTIONS; i++) {
        fprintf(out, ".SS %s\n", policy_sections[i].word);
        man_prose(out, policy_sections[i].what);
        for (size_t key = 0; key < count; key++)
            if ((int)keys[key].section == i)
                man_item(out, keys[key].word, keys[key].value, keys[key].what);
    }
}

/* Those of packaging/policies, which tests read as policies. */
static const char *const examples[] = {"tool.yaml", "client.yaml", "server.yaml", "fleet.yaml",
                                       "ci.json"};

static void put_example(FILE *out, const char *name)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "packaging/policies/%s", name);
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        exit(1);
    }
    fprintf(out, ".SS %s\n.nf\n", name);
    while (fgets(line, sizeof line, in))
        man_text(out, line, strlen(line));
    fputs(".fi\n", out);
    fclose(in);
}

void man_policy(FILE *out)
{
    fprintf(out,
            ".\\\" Made from the rows of runner/policy_key.def and runner/cli.def.\n"
            ".TH CARREL-POLICY 5 %s \"carrel %s\" \"carrel manual\"\n"
            ".SH NAME\ncarrel\\-policy \\- what components may be given, in a file\n",
            CARREL_DATE, CARREL_VERSION);
    man_section(
        out, "DESCRIPTION",
        "A policy file is written in YAML, or in JSON. `carrel run` and `carrel serve` take it "
        "with `--policy`, and give a component what it imports and the policy allows; `carrel "
        "audit --check` asks whether a component demands more. A key that is not known is an "
        "error, told with its line and column. Nothing that a publisher ships is read as a "
        "policy: what a component carries in its custom section `carrel:policy`, `carrel audit` "
        "shows as a request.");
#define TOP(name, word, value, what) man_item(out, word, value, what);
#include "runner/policy_key.def"
    put_sections(out);
    man_section(out, "DIRECTORIES",
                "An entry of `dir` is written as `--dir` has it, or as a mapping:");
    for (int i = 0; i < POLICY_MEMBERS; i++)
        man_item(out, policy_members[i].word, "", policy_members[i].what);
    man_section(out, "SELECTORS", "A key of `components` selects by");
#define SELECTOR(form, what) man_item(out, form, "", what);
#include "runner/policy_key.def"
    man_section(out, "CAPABILITIES", "These are the names that `capability` takes:");
    for (int i = 0; i < CAP_COUNT; i++)
        man_item(out, capabilities[i].word, "", capabilities[i].what);
    fputs(".SH EXAMPLE\n.nf\n.RS\n", out);
    man_text(out, policy_example, strlen(policy_example));
    fputs(".RE\n.fi\n", out);
    man_section(out, "EXAMPLES", "Five files for real situations:");
    for (size_t i = 0; i < countof(examples); i++)
        put_example(out, examples[i]);
    fputs(".SH SEE ALSO\n\\fBcarrel\\fR(1), \\fBcarrel\\-run\\fR(1), "
          "\\fBcarrel\\-audit\\fR(1)\n",
          out);
}
