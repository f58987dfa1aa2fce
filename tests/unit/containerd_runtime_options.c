/* The options of a runtime: where their text is, and what of TOML is read and what refused. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "shim/containerd/runtime_options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 65536 /* bytes of options */

static json_object *good(const char *text)
{
    struct err err = {0};
    json_object *object = runtime_options_parse(text, &err);
    if (!object)
        fail_msg("%s: %s", text, err.text);
    return object;
}

static void says(const char *text, const char *key, const char *value)
{
    json_object *object = good(text), *found = NULL;
    assert_true(json_object_object_get_ex(object, key, &found));
    assert_string_equal(json_object_get_string(found), value);
    json_object_put(object);
}

static void refused(const char *text, const char *why)
{
    struct err err = {0};
    json_object *object = runtime_options_parse(text, &err);
    if (object || err.kind != ERR_USAGE || !strstr(err.text, why))
        fail_msg("%s: not '%s', but '%s'", text, why, object ? "nothing" : err.text);
}

static void what_is_toml_is_read(void **state)
{
    (void)state;
    says("net = \"all\"", "net", "all");
    says("\n# so\n\t net=\"all\" # and so\n\n", "net", "all");
    says("net = \"all\"\r\n\r\n# so\r\nmemory = '1G'\r\n", "memory", "1G");
    says("max-requests = 7", "max-requests", "7");
    says("fuel = 0", "fuel", "0");
    says("a = \"\\\"\\\\\\n\\r\\t\"", "a", "\"\\\n\r\t");
    says("a = 'C:\\n \"#\"'", "a", "C:\\n \"#\"");
    says("a = \"it's = [1] # no comment\"", "a", "it's = [1] # no comment");
    says("a = \"\"", "a", "");
    says("a = []", "a", "");
    says("a = [ \"b\" , 'c', ]", "a", "b\nc");
    says("a = \"\xc3\xa9\"", "a", "\xc3\xa9");
    static const char *const empty[] = {"", "\n", "\r\n", "#", "# \"\n \t \n"};
    for (size_t i = 0; i < countof(empty); i++) {
        json_object *object = good(empty[i]);
        assert_int_equal(json_object_object_length(object), 0);
        json_object_put(object);
    }
}

static void what_is_not_read_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"a", "without '='"},
        {"a =", "no string, whole number"},
        {"= \"b\"", "no key"},
        {"\"a\" = \"b\"", "no key"},
        {"\xff = 1", "no key"},
        {"a.b = 1", "without '='"},
        {"[table]\na = 1", "no key"},
        {"[[tables]]", "no key"},
        {"a = {b = 1}", "no string, whole number"},
        {"a = true", "no string, whole number"},
        {"a = -1", "no string, whole number"},
        {"a = 1.5", "behind the value"},
        {"a = 0x10", "behind the value"},
        {"a = 1_000", "behind the value"},
        {"a = 1979-05-27", "behind the value"},
        {"a = 010", "no string, whole number"},
        {"a = 123456789012345678901", "no string, whole number"},
        {"a = \"b\" c = 1", "behind the value"},
        {"a = \"b", "without its end"},
        {"a = \"", "without its end"},
        {"a = 'b\n'", "without its end"},
        {"a = 'b\"", "without its end"},
        {"a = \"b\\", "an escape other"},
        {"a = \"b\\\"", "without its end"},
        {"a = \"\\u0041\"", "an escape other"},
        {"a = \"\\\nb\"", "an escape other"},
        {"a = \"\"\"b\"\"\"", "behind the value"},
        {"a = '''b'''", "behind the value"},
        {"a = \"b\x01\"", "a control character"},
        {"a = \"b\r\n\"", "a control character"},
        {"a = 1\rb = 2", "behind the value"},
        {"a = 1 \r", "behind the value"},
        {"\ra = 1", "behind the value"},
        {"a = \"\xff\"", "not UTF-8"},
        {"a = \"\xc3", "without its end"},
        {"a = [1]", "something else than strings"},
        {"a = [[\"b\"]]", "something else than strings"},
        {"a = [\"b\" \"c\"]", "a list without its end"},
        {"a = [,]", "something else than strings"},
        {"a = [\"b\",,]", "something else than strings"},
        {"a = [\"b\"", "a list without its end"},
        {"a = [\"b\",", "in several lines"},
        {"a = [\n\"b\"]", "in several lines"},
        {"a = [", "in several lines"},
        {"a = [\"b", "without its end"},
        {"a = 1\na = 1", "line 2: a key that is there twice"},
        {"a = 1\n\n# so\nb", "line 4: a key without"},
        {"a = 1\r\nb", "line 2: a key without"},
    };
    for (size_t i = 0; i < countof(cases); i++)
        refused(cases[i].text, cases[i].why);
    char key[80];
    snprintf(key, sizeof key, "%064d = 1", 0);
    refused(key, "no key");
    snprintf(key, sizeof key, "%063d = 1", 0);
    json_object_put(good(key));
}

/* Bounded by what it is given, each byte that could be an end of something among them. */
static void no_text_is_too_much(void **state)
{
    (void)state;
    char *text = malloc(MOST + 1);
    assert_non_null(text);
    for (const char *fill = "\"'[],\\#=a1\n\r\x80"; *fill; fill++) {
        struct err err = {0};
        memset(text, *fill, MOST);
        text[MOST] = '\0';
        json_object_put(runtime_options_parse(text, &err));
        memcpy(text, "a = [\"", 6);
        json_object_put(runtime_options_parse(text, &err));
    }
    size_t used = (size_t)sprintf(text, "a = [");
    while (used + 4 < MOST)
        used += (size_t)sprintf(text + used, "'',");
    strcpy(text + used, "]");
    json_object_put(good(text));
    used = (size_t)sprintf(text, "a = \"");
    memset(text + used, 'b', MOST - used - 1);
    strcpy(text + MOST - 1, "\"");
    json_object_put(good(text));
    free(text);
}

/* --- Where they are -------------------------------------------------------------------------- */

static uint8_t space[MOST + 1024], inside[MOST + 512];

/* The `any` of options with a path or a body. */
static struct bytes any_of(const char *type, struct bytes path, struct bytes body)
{
    struct writer inner = WRITER(inside), outer = WRITER(space);
    const struct message_runtime_options options = {path, body};
    message_put(runtime_options, &options, &inner);
    const struct message_any any = {bytes_of(type), written(&inner)};
    message_put(any, &any, &outer);
    return written(&outer);
}

#define OURS "types.containerd.io/runtimeoptions.v1.Options"

static int text_of(struct bytes any, char **ret, struct err *err)
{
    bool other;
    *err = (struct err){0};
    return runtime_options_text(any, ret, &other, err);
}

static void fails(struct bytes any, enum err_kind kind)
{
    struct err err;
    char *text = NULL;
    assert_int_equal(text_of(any, &text, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_null(text);
}

static void their_text_is_found(void **state)
{
    (void)state;
    struct err err;
    char *text = NULL, path[] = "/tmp/carrel-options.XXXXXX";
    bool other = false;
    const struct bytes none = {0};
    assert_int_equal(text_of(none, &text, &err), 0);
    assert_null(text);
    assert_int_equal(text_of(any_of(OURS, none, bytes_of("a = 1")), &text, &err), 0);
    assert_string_equal(text, "a = 1");
    free(text);
    struct bytes runc = any_of("containerd.runc.v1.Options", none, bytes_of("a"));
    assert_int_equal(runtime_options_text(runc, &text, &other, &err), 0);
    assert_true(other);
    assert_null(text);

    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "b = 2", 5), 5);
    assert_int_equal(text_of(any_of(OURS, bytes_of(path), bytes_of("a = 1")), &text, &err), 0);
    assert_string_equal(text, "b = 2");
    free(text);
    assert_int_equal(write(fd, "\0", 1), 1);
    fails(any_of(OURS, bytes_of(path), none), ERR_ABSENT);
    assert_int_equal(ftruncate(fd, MOST + 1), 0);
    fails(any_of(OURS, bytes_of(path), none), ERR_ABSENT);
    close(fd);
    unlink(path);
    fails(any_of(OURS, bytes_of(path), none), ERR_ABSENT);
    assert_int_equal(mkfifo(path, 0600), 0);
    fails(any_of(OURS, bytes_of(path), none), ERR_ABSENT);
    unlink(path);
    fails(any_of(OURS, bytes_of("/tmp"), none), ERR_ABSENT);
    fails(any_of(OURS, bytes_of("/dev/zero"), none), ERR_ABSENT);
}

static void hostile_options_are_refused(void **state)
{
    (void)state;
    static uint8_t many[MOST + 1];
    const struct bytes none = {0};
    fails(bytes_of("\x0a\x7f"), ERR_USAGE);
    fails(any_of("some.Options", none, bytes_of("a = 1")), ERR_USAGE);
    fails(any_of("", none, bytes_of("a = 1")), ERR_USAGE);
    memset(many, 'a', sizeof many);
    fails(any_of(OURS, none, (struct bytes){many, sizeof many}), ERR_USAGE);
    fails(any_of(OURS, (struct bytes){many, 5000}, none), ERR_USAGE);
    fails(any_of(OURS, none, (struct bytes){(const uint8_t *)"a\0b", 3}), ERR_USAGE);
    fails(any_of(OURS, (struct bytes){(const uint8_t *)"/etc\0b", 6}, none), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_toml_is_read),
        cmocka_unit_test(what_is_not_read_is_refused),
        cmocka_unit_test(no_text_is_too_much),
        cmocka_unit_test(their_text_is_found),
        cmocka_unit_test(hostile_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
