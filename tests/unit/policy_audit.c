/* The audit says what the verdict says, of every row, and never prints a hostile name raw. */
#include "tests/unit/unit.h"

#include "engine/base/utf.h"
#include "policies/audit_output.h"
#include "tests/unit/policy_fixture.h"
#include <json-c/json.h>
#include <stdlib.h>

static struct demand demand;
static struct verdict verdict;
static struct cell_plan plan;
static struct audit audit;
static struct policy policy;
static struct host host;
static const uint8_t digest[32] = {0xab};

static void name(enum demand_list list, const char *text, size_t length)
{
    demand.names[demand.name_count++] = (struct demand_name){list, {text, length}};
    demand.head.totals[list]++;
}

#define NAME(list, text) name(list, text, sizeof(text) - 1)

static bool bounded; /* as the host that the next audit is for */

/* Audits what `demand` and `policy` hold. */
static void make(void)
{
    host = fixture_host(false);
    host.bounded = bounded;
    derive_verdict(&demand, &policy, &verdict);
    struct cell_request request = {
        .role = CELL_RUN,
        .host = &host,
        .policy = &policy,
        .verdict = &verdict,
        .component_size = 1000,
        .digest = digest,
        .seed = digest,
    };
    struct err err = {0};
    assert_int_equal(cell_plan_make(&request, &plan, &err), 0);
    const struct audit_input in = {
        .file = "x.wasm",
        .size = 1000,
        .digest = digest,
        .demand = &demand,
        .policy = &policy,
        .verdict = &verdict,
        .plan = &plan.plan,
        .standing = WALL_BIT(WALL_SECCOMP) | WALL_BIT(WALL_LANDLOCK),
        .missing = WALL_BIT(WALL_PASSRIGHTS) | plan.missing,
        .why = {[WALL_PASSRIGHTS] = "no such option"},
    };
    audit_make(&in, &audit);
}

static char *text_of(unsigned width, bool colour)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const struct audit_style style = {.colour = colour, .verbose = true, .width = width};
    audit_print_text(&audit, &style, out);
    fclose(out);
    assert_int_equal(strlen(text), length);
    return text;
}

/* A document of the current audit, several times. */
static char *document_of(enum audit_format format, size_t times)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const struct audit_style style = {.width = 80};
    struct audit_output output;
    audit_output_begin(&output, format, &style, out);
    for (size_t i = 0; i < times; i++)
        audit_output_add(&output, &audit);
    assert_int_equal(audit_output_end(&output), 0);
    fclose(out);
    assert_int_equal(strlen(text), length);
    return text;
}

/* UTF-8 without controls and without what turns the direction of writing. */
static void harmless(const char *text)
{
    size_t size = strlen(text);
    assert_true(utf8_valid((struct bytes){(const uint8_t *)text, size}));
    assert_null(strstr(text, "\u202e"));
    for (size_t i = 0; i < size; i++)
        assert_true((unsigned char)text[i] >= ' ' || text[i] == '\n');
}

static void shows(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("the audit does not say \"%s\":\n%s", part, text);
}

static void test_compute_only(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    make();
    char *text = text_of(80, false);
    shows(text, "computes only");
    shows(text, "It would run.");
    shows(text, "It imports no function of WASI");
    assert_null(strstr(text, "openat"));
    free(text);
    assert_int_equal(audit.rule_count, 3);
}

static void test_given_and_not_given(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_get_stdout);
    fixture_reach(&demand, ROW_descriptor_open_at);
    fixture_reach(&demand, ROW_get_environment);
    fixture_import(&demand, ROW_get_random_u64);
    NAME(DEMAND_IMPORT, "wasi:cli/stdout@0.2.3");
    make();
    char *text = text_of(80, false);
    shows(text, "reads and changes files that you give it, reads environment variables");
    shows(text, "wasi:cli/stdout @0.2.3");
    shows(text, "given        stdout");
    shows(text, "not given    dir.read");
    shows(text, "--dir HOST::GUEST:ro");
    shows(text, "descriptor.open-at");
    shows(text, "never called random");
    shows(text, "missing     passrights (extra; Linux 6.16 has it): no such option; what");
    assert_null(strstr(text, "openat "));
    free(text);

    static const struct policy_directory directory = {"/srv/data", "/", true};
    fixture_directories(&policy, &directory, 1);
    make();
    text = text_of(80, false);
    shows(text, "given        dir.read");
    shows(text, "openat");
    shows(text, "/srv/data");
    free(text);
}

/* The older name of preview 1 is what the component says. */
static void test_unstable(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_p1_fd_write);
    NAME(DEMAND_IMPORT, "wasi_unstable");
    make();
    char *text = text_of(80, false);
    shows(text, "  wasi_unstable\n");
    assert_null(strstr(text, "wasi_snapshot_preview1"));
    free(text);
    NAME(DEMAND_IMPORT, "wasi_snapshot_preview1");
    make();
    text = text_of(80, false);
    shows(text, "  wasi_snapshot_preview1 and wasi_unstable\n");
    free(text);
}

/* A wall that was asked for and that nothing here can build is missing, not needless. */
static void test_no_place_for_a_group(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    make();
    assert_int_equal(audit.walls[WALL_CGROUP], AUDIT_UNNEEDED);
    bounded = true;
    make();
    bounded = false;
    assert_int_equal(audit.walls[WALL_CGROUP], AUDIT_MISSING);
    char *text = text_of(80, false);
    shows(text, "missing     cgroup (extra");
    free(text);
}

static void test_refused(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    fixture_reach(&demand, ROW_http_outgoing_handle);
    NAME(DEMAND_UNKNOWN, "acme:secret/door#open");
    make();
    char *text = text_of(80, false);
    shows(text, "It would be refused: it has 1 import that carrel does not provide");
    shows(text, "Imports that carrel does not know");
    shows(text, "acme:secret/door#open");
    shows(text, "sends HTTP requests");
    free(text);
}

/* Every row that is demanded is in the text and in the JSON, and no other. */
static void test_complete(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    size_t demanded = 0;
    for (int row = 0; row < ROW_COUNT; row += 3) {
        fixture_reach(&demand, (enum row)row);
        demanded += row_infos[row].kind != ROW_EXPORT;
    }
    make();
    size_t shown = 0;
    for (size_t i = 0; i < audit.group_count; i++)
        shown += audit.groups[i].count;
    assert_int_equal(shown, demanded);
    rule_set said = 0;
    for (size_t i = 0; i < audit.rule_count; i++) {
        assert_true(audit.rules[i].always || audit.rules[i].count > 0);
        said |= UINT64_C(1) << audit.rules[i].rule;
    }
    assert_int_equal(said, verdict.rules);

    char *text = document_of(AUDIT_JSON, 2);
    json_object *all = json_tokener_parse(text), *files = NULL, *one, *functions = NULL, *value;
    assert_non_null(all);
    assert_true(json_object_object_get_ex(all, "schema", &value));
    assert_string_equal(json_object_get_string(value), "carrel-audit-1");
    assert_true(json_object_object_get_ex(all, "files", &files));
    assert_int_equal(json_object_array_length(files), 2);
    one = json_object_array_get_idx(files, 1);
    assert_true(json_object_object_get_ex(one, "functions", &functions));
    assert_int_equal(json_object_array_length(functions), demanded);
    assert_true(json_object_object_get_ex(one, "operations", &value));
    assert_int_equal(json_object_array_length(value), plan.plan.count);
    json_object_put(all);
    free(text);
}

/* Nothing raw comes through: not to a terminal, not in JSON. */
static void test_hostile_names(void **state)
{
    (void)state;
    static const char evil[] = "a\033]0;pwn\007\n\r\x9b\xff\u202e\u2066\u200b\"\\</script>\x7f";
    policy = fixture_policy();
    fixture_demand(&demand);
    for (int list = 0; list < DEMAND_LISTS; list++)
        NAME((enum demand_list)list, evil);
    fixture_reach(&demand, ROW_get_stdout);
    NAME(DEMAND_IMPORT, "wasi:cli/stdout@\033[31m");
    make();
    audit.in.file = evil;
    char *text = text_of(80, false);
    harmless(text);
    free(text);
    for (int format = 0; format < AUDIT_FORMATS; format++) {
        char *document = document_of((enum audit_format)format, 1);
        harmless(document);
        assert_true(strlen(document) > 100);
        if (format == AUDIT_HTML) {
            assert_null(strstr(document, "</script>\\x7f")); /* the name's own end of a script */
            assert_non_null(strstr(document, "&lt;/script&gt;"));
        }
        if (*document == '{') {
            json_object *parsed = json_tokener_parse(document);
            assert_non_null(parsed);
            json_object_put(parsed);
        }
        free(document);
    }
}

static void test_widths(void **state)
{
    (void)state;
    policy = fixture_policy();
    fixture_demand(&demand);
    for (int row = 0; row < ROW_COUNT; row++)
        fixture_reach(&demand, (enum row)row);
    make();
    static const unsigned widths[] = {60, 80, 120};
    for (size_t i = 0; i < countof(widths); i++) {
        char *text = text_of(widths[i], false);
        size_t long_lines = 0;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            long_lines += strlen(line) > widths[i] && !strstr(line, "sha256");
        assert_true(long_lines < 12); /* only words that are longer than the line */
        free(text);
    }
    char *plain = text_of(80, false), *coloured = text_of(80, true);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strchr(coloured, '\033'));
    free(plain);
    free(coloured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compute_only),  cmocka_unit_test(test_given_and_not_given),
        cmocka_unit_test(test_unstable),      cmocka_unit_test(test_no_place_for_a_group),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_complete),
        cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
