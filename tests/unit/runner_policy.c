/* Policy files: what is understood, what it comes to, and where a mistake is told. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "runner/options.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct policy_file file;
static struct options options;
static struct err err;

static int parse(const char *text)
{
    policy_file_free(&file);
    memset(&err, 0, sizeof err);
    return policy_file_parse("/p/a.yaml", (struct bytes){(const uint8_t *)text, strlen(text)},
                             &file, &err);
}

/* Parses `text` and makes options of it and the flags for the component `name`. */
static int make(const char *text, const char *name, int argc, char **argv)
{
    static struct cli cli;
    static const uint8_t digest[32] = {0xab, 0xcd};
    const struct policy_subject subject = {.name = name, .digest = digest};
    options_free(&options);
    assert_int_equal(parse(text), 0);
    cli_free(&cli);
    assert_int_equal(cli_parse(argc, argv, &cli, &err), 0);
    return options_with_policy(&cli, &file, &subject, &options, &err);
}

#define MAKE(text, name, ...)                                                                      \
    make(text, name, countof(((const char *[]){"carrel", "run", __VA_ARGS__ "x.wasm"})),           \
         (char *[]){(char[]){"carrel"}, (char[]){"run"}, __VA_ARGS__(char[]){"x.wasm"}, NULL})

static void refused(const char *text, const char *expected)
{
    assert_int_equal(parse(text), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, expected);
}

static void misapplied(const char *text, const char *expected)
{
    assert_int_equal(MAKE(text, "x.wasm", ), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, expected);
}

static void test_mistakes_have_a_place(void **state)
{
    (void)state;
    refused("", "/p/a.yaml:1:1: the file is empty: begin it with `version: 1`");
    refused("{}", "/p/a.yaml:1:2: the version is missing: add `version: 1`");
    refused("[]", "/p/a.yaml:1:1: a policy maps keys to values: `carrel help policy` lists them");
    refused("version: 2",
            "/p/a.yaml:1:10: this carrel knows version 1 of policy files only: write `version: 1`");
    refused("version: 1\nalow: {}", "/p/a.yaml:2:1: unknown key 'alow': did you mean 'allow'?");
    refused("version: 1\nallow:\n  nte: all",
            "/p/a.yaml:3:3: unknown key 'nte': did you mean 'net'?");
    refused("version: 1\nallow: {memory: 3M}",
            "/p/a.yaml:2:9: 'memory' stands under 'limits': put it there");
    refused("version: 1\nlimits: {memory: [1M, 2M]}",
            "/p/a.yaml:2:18: write SIZE here, and one value only");
    refused("version: 1\nallow: {net: a, net: b}",
            "/p/a.yaml:2:17: 'net' is here twice: put both together");
    refused("version: 1\nversion: 1", "/p/a.yaml:2:1: 'version' is here twice: put both together");
    refused("version: 1\nallow: {dir: {hots: a}}",
            "/p/a.yaml:2:15: unknown key 'hots': did you mean 'host'?");
    refused("version: 1\nallow: {dir: {guest: /a}}",
            "/p/a.yaml:2:14: the host's directory is missing: add `host: PATH`");
    refused("version: 1\nallow: {dir: {host: a, access: all}}",
            "/p/a.yaml:2:32: the access is neither: write read or write");
    refused("version: 1\nallow: {dir: {host: 'a::b'}}",
            "/p/a.yaml:2:21: no path: it is empty, or has colons that a path here cannot have: "
            "write another");
    refused(
        "version: 1\ncomponents: {a/b: {}}",
        "/p/a.yaml:2:14: no name: write a component's file name without folders, or sha256:DIGEST");
    refused("version: 1\ncomponents: {sha256:12: {}}",
            "/p/a.yaml:2:14: no digest: write sha256: and 64 digits of 0-9 and a-f");
    refused("version: 1\ncomponents: {a: {components: {}}}",
            "/p/a.yaml:2:30: 'components' stands at the top of the file only: put it there");
}

/* Nothing that is clever: a policy says what it says in one place. */
static void test_plain_yaml_only(void **state)
{
    (void)state;
    refused("version: 1\nallow: &a {}",
            "/p/a.yaml:2:8: anchors and tags mean nothing here: leave them out");
    refused("version: !!int 1",
            "/p/a.yaml:1:10: anchors and tags mean nothing here: leave them out");
    refused("version: *v", "/p/a.yaml:1:10: an alias: write out what it stands for");
    refused("version: 1\n---\nversion: 1",
            "/p/a.yaml:2:1: a second document: take out the `---` before it");
    refused("version: 1\nallow: {net: \"a\\0b\"}",
            "/p/a.yaml:2:14: a NUL character in RULE: take it out");
    assert_int_equal(parse("version: 1\nallow: {"), -1);
    assert_non_null(strstr(err.text, "not YAML"));
    refused("version: 1\nallow: {\xc3\xa9: \"\xff\"}",
            "/p/a.yaml:2:13: not YAML: invalid leading UTF-8 octet: correct that place");
    refused("version: 1\n\nallow: {net: \"\x01\"}",
            "/p/a.yaml:3:15: not YAML: control characters are not allowed: correct that place");
    assert_int_equal(parse("\xff\xfe\x00"), -1);
    static char deep[4096];
    memset(deep, '[', sizeof deep - 1);
    assert_int_equal(parse(deep), -1);
}

static void test_settings(void **state)
{
    (void)state;
    assert_int_equal(MAKE("version: 1\n"
                          "# a comment\n"
                          "description: |\n  two\n  lines\n"
                          "allow:\n"
                          "  dir: [{host: /tmp, guest: /t}, {host: /, access: write}]\n"
                          "  env: A=1\n"
                          "  net: [connect=example.com:443]\n"
                          "limits: {memory: 64M, timeout: 2s}\n",
                          "x.wasm", ),
                     0);
    const struct policy *policy = &options.policy;
    assert_int_equal(policy->directory_count, 2);
    assert_string_equal(policy->directories[0].host, "/tmp");
    assert_string_equal(policy->directories[0].guest, "/t");
    assert_true(policy->directories[0].read_only);
    assert_string_equal(policy->directories[1].guest, "/");
    assert_false(policy->directories[1].read_only);
    assert_int_equal(policy->environment.count, 1);
    assert_int_equal(policy->net_count, 1);
    assert_int_equal(policy->memory, 64 << 20);
    assert_int_equal(policy->timeout, 2000000000);
    assert_int_equal(policy->fuel, POLICY_UNLIMITED);
    assert_true(options.bounded);
    assert_true(capability_in(policy->allowed, CAP_NET_TCP_CONNECT));
    assert_false(capability_in(policy->allowed, CAP_NET_UDP));
}

static void test_json(void **state)
{
    (void)state;
    assert_int_equal(MAKE("{\"version\": 1, \"allow\": {\"net\": [\"udp=192.0.2.1:5\"]},\n"
                          " \"deny\": {\"capability\": [\"stdin\", \"random\"]}}",
                          "x.wasm", ),
                     0);
    assert_true(capability_in(options.policy.allowed, CAP_NET_UDP));
    assert_false(capability_in(options.policy.allowed, CAP_STDIN));
    assert_false(capability_in(options.policy.allowed, CAP_RANDOM_INSECURE));
}

/* Makes the options of a command whose policy file holds `text`. */
static int command_with(const char *text)
{
    static struct cli cli;
    char path[] = "/tmp/carrel-policy-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    options_free(&options);
    policy_file_free(&file);
    cli_free(&cli);
    char *arguments[] = {
        (char[]){"carrel"}, (char[]){"run"}, (char[]){"--policy"}, path, (char[]){"x.wasm"}, NULL};
    assert_int_equal(cli_parse(countof(arguments) - 1, arguments, &cli, &err), 0);
    int result = options_of_command(&cli, &file, &options, &err);
    unlink(path);
    return result;
}

/* A share of the processors calls for a control group, also if it is one component's. */
static void test_processors(void **state)
{
    (void)state;
    assert_int_equal(MAKE("version: 1\nlimits: {cpus: 0.5}", "x.wasm", ), 0);
    assert_int_equal(options.policy.cpus, 500000);
    assert_true(options.bounded);
    assert_int_equal(MAKE("{\"version\": 1, \"limits\": {\"cpus\": 1.25}}", "x.wasm",
                          (char[]){"--cpus"}, (char[]){"2"}, ),
                     0);
    assert_int_equal(options.policy.cpus, 2000000);
    const char *one = "version: 1\ncomponents: {y.wasm: {limits: {cpus: 2}}}";
    assert_int_equal(MAKE(one, "x.wasm", ), 0);
    assert_int_equal(options.policy.cpus, 0);
    assert_false(options.bounded);
    assert_int_equal(MAKE(one, "y.wasm", ), 0);
    assert_true(options.bounded);
    assert_int_equal(command_with(one), 0);
    assert_int_equal(options.policy.cpus, 0);
    assert_true(options.bounded);
    assert_int_equal(command_with("version: 1\ncomponents: {y.wasm: {limits: {fuel: 2}}}"), 0);
    assert_false(options.bounded);
    assert_int_equal(MAKE("version: 1\nlimits: {fuel: 2}", "x.wasm", ), 0);
    assert_false(options.bounded);
}

/* Flags add to lists and replace limits; what is denied stays denied. */
static void test_flags_and_file(void **state)
{
    (void)state;
    assert_int_equal(MAKE("version: 1\nallow: {env: A=1}\nlimits: {memory: 64M}\n"
                          "deny: {capability: net.udp, net: [connect=10.0.0.0/8:*]}",
                          "x.wasm", (char[]){"--env"}, (char[]){"B=2"}, (char[]){"--memory"},
                          (char[]){"1M"}, (char[]){"--net"}, (char[]){"all"}, ),
                     0);
    assert_int_equal(options.policy.environment.count, 2);
    assert_int_equal(options.policy.memory, 1 << 20);
    assert_true(capability_in(options.policy.allowed, CAP_NET_TCP));
    assert_false(capability_in(options.policy.allowed, CAP_NET_UDP));
    assert_true(capability_in(options.policy.denied, CAP_NET_UDP));
    assert_int_equal(options.policy.net_denied_count, 1);
    const struct net_address inside = {NET_IPV4, 80, {10, 1, 2, 3}, 0, 0},
                             outside = {NET_IPV4, 80, {11, 1, 2, 3}, 0, 0};
    assert_true(net_rule_denies(options.policy.net_denied, NET_CONNECT, &inside));
    assert_false(net_rule_denies(options.policy.net_denied, NET_CONNECT, &outside));
    assert_false(net_rule_denies(options.policy.net_denied, NET_LISTEN, &inside));
}

static const char fleet[] =
    "version: 1\n"
    "limits: {fuel: 1}\n"
    "components:\n"
    "  '*.b.wasm': {limits: {fuel: 2}}\n"
    "  x.wasm: {allow: {env: X=1}}\n"
    "  sha256:abcd000000000000000000000000000000000000000000000000000000000000:\n"
    "    {deny: {capability: clock}}\n";

static void test_components(void **state)
{
    (void)state;
    assert_int_equal(MAKE(fleet, "a.b.wasm", ), 0);
    assert_int_equal(options.policy.fuel, 2);
    assert_int_equal(options.policy.environment.count, 0);
    assert_false(capability_in(options.policy.allowed, CAP_CLOCK)); /* by its digest */
    assert_int_equal(MAKE(fleet, "x.wasm", ), 0);
    assert_int_equal(options.policy.fuel, 1);
    assert_int_equal(options.policy.environment.count, 1);
    assert_int_equal(MAKE(fleet, NULL, ), 0);
    assert_true(capability_in(options.policy.allowed, CAP_CLOCK));
    assert_int_equal(options.policy.environment.count, 0);
}

/* The order of sections means nothing: JSON's writers sort keys. */
static void test_components_before_limits(void **state)
{
    (void)state;
    const char *sorted = "{\"components\": {\"x.wasm\": {\"limits\": {\"memory\": \"64M\"}}},\n"
                         " \"limits\": {\"fuel\": 7, \"memory\": \"1G\"}, \"version\": 1}";
    assert_int_equal(MAKE(sorted, "x.wasm", ), 0);
    assert_int_equal(options.policy.memory, 64 << 20);
    assert_int_equal(options.policy.fuel, 7);
    assert_int_equal(MAKE(sorted, "y.wasm", ), 0);
    assert_int_equal(options.policy.memory, 1 << 30);
    assert_int_equal(MAKE(sorted, "x.wasm", (char[]){"--memory"}, (char[]){"1M"}, ), 0);
    assert_int_equal(options.policy.memory, 1 << 20);
}

/* * and ? and nothing else. */
static void test_selectors(void **state)
{
    static const struct {
        const char *selector, *name;
        bool selects;
    } cases[] = {
        {"a*", "a", true},
        {"a*", "abc", true},
        {"a*", "ba", false},
        {"*a*b", "xaybzb", true},
        {"*a*b", "xaybz", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"a?c",
         "a\xc3\xa9"
         "c",
         true},
        {"[ab]", "a", false},
        {"[ab]", "[ab]", true},
        {"a\\*", "a*", false},
        {"a\\*", "a\\x", true},
        {"?", "\xc3\xa9", true},
        {"**", "x", true},
        {".*", "x", false},
        {"*", ".x", true},
    };
    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        char text[256];
        snprintf(text, sizeof text, "version: 1\ncomponents: {'%s': {limits: {fuel: 5}}}",
                 cases[i].selector);
        assert_int_equal(MAKE(text, cases[i].name, ), 0);
        if ((options.policy.fuel == 5) != cases[i].selects)
            fail_msg("%s and %s", cases[i].selector, cases[i].name);
    }
}

/* A path that is none would be joined to the file's own folder, and give that. */
static void test_no_path(void **state)
{
    static const char *const values[] = {"'::/data'", "''", "':ro'", "'::'", "[a, '::/b:ro']"};
    (void)state;
    for (size_t i = 0; i < countof(values); i++) {
        char text[256];
        snprintf(text, sizeof text, "version: 1\nallow: {dir: %s}", values[i]);
        assert_int_equal(parse(text), -1);
        assert_non_null(strstr(err.text, "no directory of the host"));
    }
    assert_int_equal(parse("version: 1\ndeny: {dir: ''}"), -1);
}

static void test_unreadable(void **state)
{
    (void)state;
    static struct policy_file unread;
    err = (struct err){.offset = ERR_NOWHERE};
    assert_int_equal(policy_file_read("--check", "/nowhere/p.yaml", &unread, &err), -1);
    assert_int_equal(err.kind, ERR_ABSENT);
    assert_non_null(strstr(err.text, "--check /nowhere/p.yaml: No such file or directory: "));
    err = (struct err){.offset = ERR_NOWHERE};
    assert_int_equal(policy_file_read("--policy", "/tmp", &unread, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "--policy /tmp: Is a directory: name the file in it"));
}

static void test_misapplied(void **state)
{
    (void)state;
    misapplied("version: 1\nallow: {net: foo}",
               "/p/a.yaml:2:14: net foo: no rule: write all, connect=HOST:PORT, listen=ADDR:PORT, "
               "udp=ADDR:PORT or dns=NAME");
    misapplied("version: 1\nlimits: {memory: 1X}",
               "/p/a.yaml:2:18: memory: '1X' is no size: write a number and K, M, G or T, for "
               "example 64M");
    misapplied("version: 1\ndeny: {capability: net.tpc}",
               "/p/a.yaml:2:20: there is no capability 'net.tpc': did you mean 'net.tcp'?");
    misapplied("version: 1\nallow: {dir: /tmp}\ndeny: {dir: /}",
               "/p/a.yaml:3:13: denies /, so /tmp cannot be given: leave one of the two out");
    misapplied("version: 1\nallow: {dir: /usr}\ndeny: {dir: /usr/lib}",
               "/p/a.yaml:3:13: denies /usr/lib, which lies in /usr: give the directories beside "
               "it one by one");
    misapplied("version: 1\nallow: {dir: /usr}\ndeny: {dir: /usr}",
               "/p/a.yaml:3:13: denies /usr, so /usr cannot be given: leave one of the two out");
    assert_int_equal(MAKE("version: 1\nallow: {dir: /usr}\ndeny: {dir: /us}", "x.wasm", ), 0);
}

/* Whatever `run` can be given by flags, a policy file can say: new flags are keys without more. */
static void test_keys_follow_flags(void **state)
{
    (void)state;
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    for (int flag = 0; flag < CLI_FLAGS; flag++) {
        const unsigned both = 1u << CLI_RUN | 1u << CLI_AUDIT;
        bool given = (cli_flags[flag].commands & both) == both && *cli_flags[flag].argument;
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += keys[i].meaning == MEANS_FLAG && (int)keys[i].flag == flag;
        bool none = flag == FLAG_DEGRADE || flag == FLAG_ENGINE || flag == FLAG_POLICY;
        assert_int_equal(found, given && !none);
    }
    assert_ptr_equal(policy_key_named(POLICY_ALLOW, "net"), policy_key_named(POLICY_ALLOW, "net"));
    assert_null(policy_key_named(POLICY_LIMITS, "net"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_have_a_place),
        cmocka_unit_test(test_plain_yaml_only),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_flags_and_file),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_components_before_limits),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_no_path),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_misapplied),
        cmocka_unit_test(test_keys_follow_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
