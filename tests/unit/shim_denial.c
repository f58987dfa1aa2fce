/* What is said of denials and what is kept of them: to whom, how often, and with which advice. The
 * names come from cells that are taken over. */
#include "tests/unit/unit.h"

#include "shim/denial.h"
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct denials denials;
static struct audit_log log_of;
static uint64_t lines;
static int kept; /* standard error itself */
static int heard[2];

/* Standard error becomes a pipe, and the log a file without a name. */
static void begin(bool json)
{
    lines = 0;
    log_of = (struct audit_log){
        .file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600), .json = json, .lines = &lines};
    assert_true(log_of.file >= 0);
    memset(&denials, 0, sizeof denials);
    denials.file = "test.wasm";
    denials.log = &log_of;
    assert_int_equal(pipe2(heard, O_CLOEXEC), 0);
    kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && dup2(heard[1], STDERR_FILENO) >= 0);
}

static char text[1 << 20];

static const char *slurp(int fd)
{
    ssize_t size = read(fd, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

/* What was said. */
static const char *said(void)
{
    fcntl(heard[0], F_SETFL, O_NONBLOCK);
    return slurp(heard[0]);
}

static const char *logged(void)
{
    lseek(log_of.file, 0, SEEK_SET);
    return slurp(log_of.file);
}

static void finish(void)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(heard[0]);
    close(heard[1]);
    close(log_of.file);
}

static size_t count_of(const char *in, const char *what)
{
    size_t count = 0;
    for (; (in = strstr(in, what)); in += strlen(what))
        count++;
    return count;
}

static void refuse_name(const char *name)
{
    const struct denied_subject subject = {.capability = CAP_NET_DNS, .name = str_of(name)};
    denial_tell(&denials, ROW_resolve_addresses, &subject, DENIED_NO_RULE);
}

static void refuse_many(size_t from, size_t to)
{
    char name[32];
    for (size_t i = from; i < to; i++) {
        snprintf(name, sizeof name, "n%zu.test", i);
        refuse_name(name);
    }
}

static void test_ports_that_the_kernel_chooses(void **state)
{
    (void)state;
    struct net_address address = {.family = NET_IPV4, .port = 0};
    struct denied_subject subject = {.capability = CAP_NET_UDP, .address = &address};
    begin(false);
    denial_tell(&denials, ROW_udp_socket_start_bind, &subject, DENIED_NOT_GRANTED);
    assert_non_null(
        strstr(said(), "; --net udp=0.0.0.0:* or, in a policy, allow: {net: \"udp=0.0.0.0:*\"}"));
    address.port = 46909;
    subject.any_port = true;
    denial_tell(&denials, ROW_udp_socket_start_bind, &subject, DENIED_NO_RULE);
    const char *line = said();
    assert_non_null(strstr(line, "start-bind 0.0.0.0:46909 was refused"));
    assert_non_null(strstr(line, "; --net udp=0.0.0.0:* or"));
    finish();
}

static void test_once_with_advice(void **state)
{
    (void)state;
    begin(false);
    refuse_name("a.test");
    refuse_name("a.test");
    const char *line = said();
    assert_int_equal(count_of(line, "\n"), 1);
    assert_non_null(strstr(line, "--net dns=a.test or, in a policy, allow: {net: \"dns=a.test\"}"));
    assert_int_equal(count_of(logged(), "\n"), 1);
    finish();
}

/* Nobody pastes into a shell or a policy what a cell made up. */
static void test_no_advice_with_foreign_names(void **state)
{
    static const char *const names[] = {"$(reboot)", "a;b", "a b", "\"}, allow: {net: all", "a\nb",
                                        "`x`",       "a'",  "*",   "\xe2\x80\xae",          ".."};
    (void)state;
    for (size_t i = 0; i < countof(names); i++) {
        begin(false);
        refuse_name(names[i]);
        assert_null(strstr(said(), "--net dns"));
        assert_null(strstr(logged(), "\"flag\""));
        struct net_origin origin = {.name = str_of(names[i]), .address = {.port = 80}};
        const struct denied_subject subject = {.capability = CAP_HTTP_OUT, .origin = &origin};
        denial_tell(&denials, ROW_http_outgoing_handle, &subject, DENIED_NO_RULE);
        assert_null(strstr(said(), "--http h"));
        finish();
    }
}

/* Directories of a plan: /srv/in as "in", to be read only; /srv/o'x as "odd", as well. */
static void give_directories(void)
{
    static const struct {
        const char *host, *guest;
    } given[] = {{"/srv/in", "in"}, {"/srv/o'x", "odd"}, {"/a b", "."}};
    for (size_t i = 0; i < countof(given); i++) {
        const struct operation mount = {.kind = OPERATION_DIRECTORY,
                                        .of.directory = {.grant = 3 + i, .path = given[i].host}};
        const struct operation grant = {.kind = OPERATION_GRANT,
                                        .of.grant = {.grant = 3 + i,
                                                     .kind = GRANT_DIRECTORY,
                                                     .rights = RIGHT_READ,
                                                     .name = given[i].guest}};
        denials_note(&denials, &mount);
        denials_note(&denials, &grant);
    }
}

static void refuse_path(uint64_t grant, uint32_t leaves, enum capability capability,
                        const char *path)
{
    const struct denied_subject subject = {.capability = capability,
                                           .name = str_of(path),
                                           .directory = denials_directory(&denials, grant),
                                           .leaves = leaves};
    denial_tell(&denials, ROW_descriptor_open_at, &subject, DENIED_NOT_GRANTED);
}

/* The grant itself is named, and what is to be written in its place. */
static void test_directories_by_name(void **state)
{
    (void)state;
    begin(false);
    give_directories();
    refuse_path(3, PROTOCOL_LEAVES_NOT, CAP_DIR_WRITE, "a.txt");
    refuse_path(3, PROTOCOL_LEAVES_NOT, CAP_DIR_WRITE, "a.txt");
    refuse_path(5, PROTOCOL_LEAVES_NOT, CAP_DIR_WRITE, "a.txt");
    const char *line = said();
    assert_int_equal(count_of(line, "\n"), 2);
    assert_non_null(strstr(line, "a.txt was refused: dir.write is not granted below in, which is "
                                 "given to be read only; --dir /srv/in::in in place of "
                                 "--dir /srv/in::in:ro or, in a policy, "
                                 "allow: {dir: \"/srv/in::in\"} allows it"));
    assert_non_null(strstr(line, "--dir '/a b::.' in place of --dir '/a b::.:ro' or"));
    assert_non_null(strstr(logged(), "\"flag\":\"--dir /srv/in::in\",\"in_place_of\":"
                                     "\"--dir /srv/in::in:ro\""));
    assert_int_equal(count_of(logged(), "\"flag\":\"--dir /srv/in::in\""), 1);
    finish();
}

/* What cannot be written into a shell is not. A policy that denies helps nothing. */
static void test_directories_without_a_name(void **state)
{
    (void)state;
    begin(false);
    give_directories();
    refuse_path(4, PROTOCOL_LEAVES_NOT, CAP_DIR_WRITE, "a");
    assert_non_null(strstr(said(), "; --dir HOST::GUEST or, in a policy"));
    denials.denied = CAPABILITY(DIR_WRITE);
    refuse_path(3, PROTOCOL_LEAVES_NOT, CAP_DIR_WRITE, "b");
    const char *line = said();
    assert_non_null(strstr(line, "the policy denies dir.write"));
    assert_null(strstr(line, "--dir"));
    assert_null(denials_directory(&denials, 0));
    assert_null(denials_directory(&denials, UINT32_MAX));
    finish();
}

/* The directory of the host that a path out of a grant leads to, if its letters tell. */
static void test_paths_that_leave(void **state)
{
    static const struct {
        const char *path;
        uint32_t leaves;
        const char *flag;
    } rows[] = {
        {"../x", PROTOCOL_LEAVES_GRANT, "--dir /srv::/srv:ro"},
        {"../b/./c/x", PROTOCOL_LEAVES_GRANT, "--dir /srv/b/c::/srv/b/c:ro"},
        {"a/../../b/x", PROTOCOL_LEAVES_GRANT, "--dir /srv/b::/srv/b:ro"},
        {"../../../../etc/passwd", PROTOCOL_LEAVES_GRANT, "--dir /etc::/etc:ro"},
        {"../../x", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"../b;reboot/x", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"../a::b/x", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"../x", PROTOCOL_LEAVES_BELOW, "--dir HOST::GUEST:ro"},
        {"link", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"/etc/passwd", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
        {"..\n../x", PROTOCOL_LEAVES_GRANT, "--dir HOST::GUEST:ro"},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        char wanted[128];
        begin(false);
        give_directories();
        refuse_path(3, rows[i].leaves, CAP_DIR_READ, rows[i].path);
        snprintf(wanted, sizeof wanted, "; %s or, in a policy, ", rows[i].flag);
        const char *line = said();
        assert_non_null(strstr(line, "leads out of "));
        assert_non_null(strstr(line, wanted));
        assert_int_equal(count_of(line, "\n"), 1);
        assert_null(strstr(line, "allows it"));
        finish();
    }
}

/* The record does not depend on who reads standard error. */
static void test_log_without_room(void **state)
{
    (void)state;
    char fill[4096] = {0};
    begin(false);
    fcntl(heard[1], F_SETFL, O_NONBLOCK);
    while (write(heard[1], fill, sizeof fill) > 0)
        ;
    fcntl(heard[1], F_SETFL, 0);
    refuse_name("a.test");
    assert_int_equal(count_of(logged(), "a.test"), 3); /* subject, flag, policy */
    while (said()[0] || errno != EAGAIN)
        errno = 0;
    refuse_name("a.test");
    assert_int_equal(count_of(said(), "was refused"), 1);
    assert_int_equal(count_of(logged(), "\n"), 1);
    finish();
}

static void test_people_get_some_and_the_record_more(void **state)
{
    (void)state;
    begin(false);
    refuse_many(0, DENIALS_LOGGED + 10);
    const char *lines_said = said();
    assert_int_equal(count_of(lines_said, "was refused:"), DENIALS_TOLD);
    assert_int_equal(count_of(lines_said, "more was refused"), 1);
    const char *lines_logged = logged();
    assert_int_equal(count_of(lines_logged, "\"event\":\"denied\""), DENIALS_LOGGED);
    assert_int_equal(count_of(lines_logged, "\"event\":\"denied-more\""), 1);
    finish();
}

/* The same line in both places, with the same number; the numbers count without a file, too. */
static void test_json(void **state)
{
    (void)state;
    static char copy[sizeof text];
    begin(true);
    refuse_many(0, 40);
    strcpy(copy, said());
    assert_int_equal(count_of(copy, "\n"), 40);
    assert_int_equal(count_of(copy, "\"number\":39,"), 1);
    size_t compared = 0;
    char *mine = copy;
    const char *theirs = logged();
    for (; *mine; compared++) {
        static const char *const keys[] = {"number", "subject", "flag", "policy", "why"};
        json_object *a = json_tokener_parse(mine), *b = json_tokener_parse(theirs);
        for (size_t i = 0; i < countof(keys); i++)
            assert_string_equal(json_object_get_string(json_object_object_get(a, keys[i])),
                                json_object_get_string(json_object_object_get(b, keys[i])));
        json_object_put(a);
        json_object_put(b);
        mine = strchr(mine, '\n') + 1;
        theirs = strchr(theirs, '\n') + 1;
    }
    assert_int_equal(compared, 40);
    finish();
    begin(true);
    close(log_of.file);
    log_of.file = -1;
    refuse_many(0, 3);
    assert_non_null(strstr(said(), "\"number\":2,"));
    finish();
}

/* After a line that did not fit the next one begins anew. */
static void test_torn_line(void **state)
{
    (void)state;
    struct rlimit was, small = {100, RLIM_INFINITY};
    begin(false);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    refuse_name("a.test");
    setrlimit(RLIMIT_FSIZE, &was);
    assert_non_null(strstr(said(), "the audit log is not whole"));
    refuse_name("b.test");
    const char *whole = logged();
    const char *second = strchr(whole, '\n');
    assert_non_null(second);
    assert_int_equal(second - whole, 100);
    assert_int_equal(strncmp(second + 1, "{\"time\"", 7), 0);
    assert_non_null(strstr(second, "\"number\":1,"));
    finish();
}

/* No flag helps against a policy that denies the capability. */
static void test_denied_by_policy(void **state)
{
    (void)state;
    const struct denied_subject subject = {.capability = CAP_ENV};
    begin(false);
    denials.denied = CAPABILITY(ENV);
    denials.all = true;
    denial_tell(&denials, ROW_get_environment, &subject, DENIED_NOT_GRANTED);
    const char *line = said();
    assert_non_null(strstr(line, "the policy denies env"));
    assert_null(strstr(line, "--env"));
    finish();
}

/* What is routine is told when the run fails, and once. */
static void test_routine(void **state)
{
    (void)state;
    const struct denied_subject subject = {.capability = CAP_DIR_READ};
    begin(false);
    denial_tell(&denials, ROW_get_directories, &subject, DENIED_NOT_GRANTED);
    denial_tell(&denials, ROW_get_directories, &subject, DENIED_NOT_GRANTED);
    assert_string_equal(said(), "");
    denial_tell_kept(&denials);
    assert_int_equal(count_of(said(), "get-directories was refused: dir.read is not granted; "
                                      "--dir HOST::GUEST:ro"),
                     1);
    denial_tell_kept(&denials);
    assert_string_equal(said(), "");
    assert_int_equal(count_of(logged(), "\"denied\""), 1);
    finish();
}

/* Where nobody speaks TLS no flag helps, and it is said. */
static void test_nobody_speaks_tls(void **state)
{
    (void)state;
    const struct net_origin origin = {
        .secure = true, .name = str_of("a.test"), .address = {.port = 443}};
    const struct denied_subject subject = {
        .capability = CAP_HTTP_OUT, .origin = &origin, .unspoken = true};
    begin(false);
    denial_tell(&denials, ROW_http_outgoing_handle, &subject, DENIED_NO_RULE);
    const char *line = said();
    assert_non_null(
        strstr(line, "https://a.test was refused: there is nobody here who speaks TLS"));
    assert_null(strstr(line, "--http"));
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports_that_the_kernel_chooses),
        cmocka_unit_test(test_once_with_advice),
        cmocka_unit_test(test_no_advice_with_foreign_names),
        cmocka_unit_test(test_directories_by_name),
        cmocka_unit_test(test_directories_without_a_name),
        cmocka_unit_test(test_paths_that_leave),
        cmocka_unit_test(test_log_without_room),
        cmocka_unit_test(test_people_get_some_and_the_record_more),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_torn_line),
        cmocka_unit_test(test_denied_by_policy),
        cmocka_unit_test(test_routine),
        cmocka_unit_test(test_nobody_speaks_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
