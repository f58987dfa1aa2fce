/* What annotations of a container's specification become: a policy, or an error that names them. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/bundle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct prepared *prepared;

/* Of a container with these annotations, the inside of a JSON object. */
static int make(const char *annotations, struct err *err)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"process\": {\"args\": [\"/a.wasm\"], \"env\": [\"A=1\"]}, \"annotations\": {%s}}",
             annotations);
    struct bundle bundle = {"/nowhere", bundle_parse(bytes_of(text))};
    json_object *process = NULL;
    assert_non_null(bundle.config);
    assert_true(json_object_object_get_ex(bundle.config, "process", &process));
    memset(prepared, 0, sizeof *prepared);
    int result = bundle_policy(&bundle, process, NULL, prepared, err);
    json_object_put(bundle.config);
    return result;
}

static void given(const char *annotations)
{
    struct err err = {0};
    if (make(annotations, &err))
        fail_msg("%s: %s", annotations, err.text);
}

static void nothing_is_given_that_is_not_named(void **state)
{
    (void)state;
    given("\"io.kubernetes.cri.container-type\": \"container\"");
    const struct policy *policy = &prepared->policy;
    assert_int_equal(policy->allowed, capability_defaults() | CAPABILITY(ENV));
    assert_int_equal(policy->net_count + policy->net_denied_count + policy->directory_count, 0);
    assert_int_equal(policy->config.count, 0);
    assert_null(policy->zone);
    assert_false(policy->fresh || prepared->serves);
}

static void what_is_named_is_given(void **state)
{
    (void)state;
    const struct policy *policy = &prepared->policy;
    given("\"carrel.policy/config\": \"greeting=hello there\\n\\nempty=\\n\"");
    assert_true(policy->allowed & CAPABILITY(CONFIG));
    assert_int_equal(policy->config.count, 2);
    assert_string_equal(policy->config.at[0], "greeting=hello there");
    assert_string_equal(policy->config.at[1], "empty=");
    given("\"carrel.policy/timezone\": \"UTC\"");
    assert_true(policy->allowed & CAPABILITY(TIMEZONE));
    assert_string_equal(policy->zone_name, "UTC");
    assert_non_null(policy->zone);
    given("\"carrel.policy/walls\": \"fresh\"");
    assert_true(policy->fresh);
    given("\"carrel.policy/max-requests\": \"7\", \"carrel.policy/max-body\": \"2K\"");
    assert_int_equal(prepared->serve.requests, 7);
    assert_int_equal(prepared->serve.body, 2048);
}

/* Whatever stands first: an object has no order. */
static void a_denial_takes_away(void **state)
{
    (void)state;
    static const char *const orders[] = {
        "\"carrel.policy/deny\": \"net.udp env connect=10.0.0.0/8:* http://a.example\", "
        "\"carrel.policy/net\": \"connect=10.0.0.1:1 udp=192.0.2.1:1\"",
        "\"carrel.policy/net\": \"connect=10.0.0.1:1 udp=192.0.2.1:1\", "
        "\"carrel.policy/deny\": \"net.udp env connect=10.0.0.0/8:* http://a.example\"",
    };
    for (size_t i = 0; i < countof(orders); i++) {
        given(orders[i]);
        const struct policy *policy = &prepared->policy;
        assert_true(policy->allowed & CAPABILITY(NET_TCP_CONNECT));
        assert_false(policy->allowed & (CAPABILITY(NET_UDP) | CAPABILITY(ENV)));
        assert_int_equal(policy->net_count, 2);
        assert_int_equal(policy->net_denied_count, 2);
        assert_int_equal(policy->net_denied[0].use, NET_CONNECT);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *text;
    } cases[] = {
        {"nte", "all", "is not known"},
        {"config", "novalue", "'novalue': write NAME=VALUE"},
        {"config", "=x", "write NAME=VALUE"},
        {"config", "a=1\\na=2", "two settings of the name a"},
        {"timezone", "Nowhere/Land", "there is no time zone Nowhere/Land"},
        {"timezone", "../../etc/passwd", "there is no time zone"},
        {"deny", "nothing", "carrel.policy/deny"},
        {"deny", "connect=nowhere", "carrel.policy/deny"},
        {"walls", "shared", "'shared' is not `fresh`"},
        {"max-requests", "0", "carrel.policy/max-requests"},
        {"max-requests", "4097", "at most 4096"},
        {"max-body", "much", "carrel.policy/max-body"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct err err = {0};
        char annotation[256];
        snprintf(annotation, sizeof annotation, "\"carrel.policy/%s\": \"%s\"", cases[i].key,
                 cases[i].value);
        if (make(annotation, &err) == 0 || !strstr(err.text, cases[i].text))
            fail_msg("%s: %s", annotation, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_given_that_is_not_named),
        cmocka_unit_test(what_is_named_is_given),
        cmocka_unit_test(a_denial_takes_away),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    prepared = malloc(sizeof *prepared);
    int failed = prepared ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(prepared);
    return failed;
}
