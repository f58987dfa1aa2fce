/* The rows of wasi.def that are provided, but those of sockets and HTTP (rules_sockets.c,
 * rules_http.c), under their own filters; see rules_fixture.h. */
#include "engine/wasi/directory.h"
#include "engine/wasi/filesystem.h"
#include "tests/unit/rules_fixture.h"

/* --- Calls --------------------------------------------------------------------------------------
 */

static struct host_scratch scratch;
static uint64_t result[16];
static uint8_t *const result_bytes = (uint8_t *)result;

/* A call of a host function, waiting as often as it wants to. */
static enum host_answer call(struct fixture *f, host_fn *fn, const void *args)
{
    scratch.store = &f->store;
    struct host_call host_call = {.vm = f->vm, .host = f->wasi, .scratch = &scratch};
    memset(result, 0, sizeof result);
    for (;;) {
        enum host_answer answer = fn(&host_call, args, result);
        if (answer != HOST_BLOCKED)
            return answer;
        host_call.resumed = true;
        CLAIM(reactor_wait(&f->wasi->reactor));
        while (reactor_next(&f->wasi->reactor))
            continue;
    }
}

static bool ok(struct fixture *f, host_fn *fn, const void *args)
{
    return call(f, fn, args) == HOST_DONE && result_bytes[0] == HOST_OK;
}

static void *handle(struct fixture *f, host_fn *fn, const void *args)
{
    void *made;
    CLAIM(call(f, fn, args) == HOST_DONE);
    memcpy(&made, result, sizeof made);
    return made;
}

/* Of a result<own<...>, ...>. */
static void *handle_ok(struct fixture *f, host_fn *fn, const void *args)
{
    void *made;
    CLAIM(ok(f, fn, args));
    memcpy(&made, result + 1, sizeof made);
    return made;
}

/* --- wasi:io ------------------------------------------------------------------------------------
 */

struct len_args {
    void *self;
    uint64_t len;
};

struct write_args {
    void *self;
    byte_list contents;
};

struct splice_args {
    void *self;
    void *source;
    uint64_t len;
};

static uint8_t text[] = "text";

static void input_function(struct fixture *f, host_fn *fn)
{
    feed(f);
    walls_up();
    struct len_args args = {handle(f, wasi_get_stdin, NULL), 3};
    CLAIM(ok(f, fn, &args));
}

static void row_input_stream_read(struct fixture *f)
{
    input_function(f, wasi_input_stream_read);
}

static void row_input_stream_blocking_read(struct fixture *f)
{
    input_function(f, wasi_input_stream_blocking_read);
}

static void row_input_stream_skip(struct fixture *f)
{
    input_function(f, wasi_input_stream_skip);
}

static void row_input_stream_blocking_skip(struct fixture *f)
{
    input_function(f, wasi_input_stream_blocking_skip);
}

static void row_input_stream_subscribe(struct fixture *f)
{
    walls_up();
    void *in = handle(f, wasi_get_stdin, NULL);
    CLAIM(handle(f, wasi_input_stream_subscribe, &in));
    wasi_drop_input_stream(f->vm, f->wasi, in);
}

/* Writing is done where nothing can wait: no row of it lets anything wait. */
static void output_function(struct fixture *f, host_fn *fn, bool zeroes)
{
    f->wasi->may_poll = false;
    walls_up();
    void *out = handle(f, wasi_get_stdout, NULL);
    CLAIM(ok(f, wasi_output_stream_check_write, &out));
    struct write_args bytes = {out, {text, sizeof text}};
    struct len_args count = {out, 4};
    CLAIM(ok(f, fn, zeroes ? (const void *)&count : (const void *)&bytes));
    CLAIM(ok(f, wasi_output_stream_flush, &out));
}

static void row_output_stream_check_write(struct fixture *f)
{
    output_function(f, wasi_output_stream_write, false);
}

static void row_output_stream_write(struct fixture *f)
{
    output_function(f, wasi_output_stream_write, false);
}

static void row_output_stream_write_zeroes(struct fixture *f)
{
    output_function(f, wasi_output_stream_write_zeroes, true);
}

static void row_output_stream_blocking_write_and_flush(struct fixture *f)
{
    output_function(f, wasi_output_stream_blocking_write_and_flush, false);
}

static void row_output_stream_blocking_write_zeroes_and_flush(struct fixture *f)
{
    output_function(f, wasi_output_stream_blocking_write_zeroes_and_flush, true);
}

static void row_output_stream_flush(struct fixture *f)
{
    output_function(f, wasi_output_stream_write, false);
}

static void row_output_stream_blocking_flush(struct fixture *f)
{
    f->wasi->may_poll = false;
    walls_up();
    void *out = handle(f, wasi_get_stdout, NULL);
    CLAIM(ok(f, wasi_output_stream_blocking_flush, &out));
}

static void row_output_stream_subscribe(struct fixture *f)
{
    walls_up();
    void *out = handle(f, wasi_get_stdout, NULL);
    CLAIM(handle(f, wasi_output_stream_subscribe, &out));
    wasi_drop_output_stream(f->vm, f->wasi, out);
}

static void splice_function(struct fixture *f, host_fn *fn)
{
    feed(f);
    walls_up();
    struct splice_args args = {handle(f, wasi_get_stdout, NULL), handle(f, wasi_get_stdin, NULL),
                               4};
    CLAIM(ok(f, fn, &args));
}

static void row_output_stream_splice(struct fixture *f)
{
    splice_function(f, wasi_output_stream_splice);
}

static void row_output_stream_blocking_splice(struct fixture *f)
{
    f->wasi->may_poll = false;
    splice_function(f, wasi_output_stream_blocking_splice);
}

static void *pollable_of_stdin(struct fixture *f)
{
    void *in = handle(f, wasi_get_stdin, NULL);
    return handle(f, wasi_input_stream_subscribe, &in);
}

static void row_pollable_ready(struct fixture *f)
{
    walls_up();
    void *pollable = pollable_of_stdin(f);
    CLAIM(call(f, wasi_pollable_ready, &pollable) == HOST_DONE && !result_bytes[0]);
    wasi_drop_pollable(f->vm, f->wasi, pollable);
}

static void row_pollable_block(struct fixture *f)
{
    feed(f);
    walls_up();
    void *pollable = pollable_of_stdin(f);
    CLAIM(call(f, wasi_pollable_block, &pollable) == HOST_DONE);
}

static void row_poll(struct fixture *f)
{
    feed(f);
    walls_up();
    void *pollable = pollable_of_stdin(f);
    struct {
        HOST_LIST(void *) in;
    } args = {{&pollable, 1}};
    CLAIM(call(f, wasi_poll, &args) == HOST_DONE && result[1] == 1);
}

static void row_error_to_debug_string(struct fixture *f)
{
    struct io_error error = {.error = ENOENT, .filesystem = true};
    struct io_error *self = &error;
    walls_up();
    CLAIM(call(f, wasi_error_to_debug_string, &self) == HOST_DONE);
}

/* --- Clocks, random numbers, cli ----------------------------------------------------------------
 */

/* Functions without arguments that only have to answer. */
#define ANSWERS(id)                                                                                \
    static void row_##id(struct fixture *f)                                                        \
    {                                                                                              \
        walls_up();                                                                                \
        CLAIM(call(f, wasi_##id, result) == HOST_DONE);                                            \
    }

ANSWERS(wall_now)
ANSWERS(wall_resolution)
ANSWERS(monotonic_now)
ANSWERS(monotonic_resolution)
ANSWERS(monotonic_subscribe_instant)
ANSWERS(monotonic_subscribe_duration)
ANSWERS(logging_log)
ANSWERS(config_get)
ANSWERS(config_get_all)
ANSWERS(timezone_display)
ANSWERS(timezone_utc_offset)
ANSWERS(get_random_bytes)
ANSWERS(get_random_u64)
ANSWERS(get_insecure_random_bytes)
ANSWERS(get_insecure_random_u64)
ANSWERS(insecure_seed)
ANSWERS(get_environment)
ANSWERS(get_arguments)
ANSWERS(initial_cwd)
ANSWERS(get_stdin)
ANSWERS(get_stdout)
ANSWERS(get_stderr)
ANSWERS(get_terminal_stdin)
ANSWERS(get_terminal_stdout)
ANSWERS(get_terminal_stderr)
ANSWERS(get_directories)

static void row_exit(struct fixture *f)
{
    walls_up();
    CLAIM(call(f, wasi_exit, result) == HOST_TRAP);
}

static void row_exit_with_code(struct fixture *f)
{
    walls_up();
    CLAIM(call(f, wasi_exit_with_code, result) == HOST_TRAP);
}

/* --- wasi:filesystem, of something open ---------------------------------------------------------
 */

struct offset_args {
    struct descriptor *self;
    uint64_t offset;
};

struct range_args {
    struct descriptor *self;
    uint64_t length;
    uint64_t offset;
};

struct file_write_args {
    struct descriptor *self;
    byte_list buffer;
    uint64_t offset;
};

struct advise_args {
    struct descriptor *self;
    uint64_t offset;
    uint64_t length;
    uint8_t advice;
};

struct times_args {
    struct descriptor *self;
    struct new_timestamp access;
    struct new_timestamp modification;
};

static void row_descriptor_read_via_stream(struct fixture *f)
{
    struct offset_args args = {file_of(f), 2};
    struct offset_args fifo = {fifo_of(f, DESCRIPTOR_READ), 0};
    walls_up();
    struct len_args read = {handle_ok(f, wasi_descriptor_read_via_stream, &args), 4};
    CLAIM(ok(f, wasi_input_stream_blocking_read, &read));
    read.self = handle_ok(f, wasi_descriptor_read_via_stream, &fifo);
    CLAIM(ok(f, wasi_input_stream_read, &read));
}

static void row_descriptor_write_via_stream(struct fixture *f)
{
    struct offset_args args = {file_of(f), 2};
    struct offset_args fifo = {fifo_of(f, DESCRIPTOR_WRITE), 0};
    walls_up();
    struct write_args write = {handle_ok(f, wasi_descriptor_write_via_stream, &args),
                               {text, sizeof text}};
    CLAIM(ok(f, wasi_output_stream_blocking_write_and_flush, &write));
    write.self = handle_ok(f, wasi_descriptor_write_via_stream, &fifo);
    CLAIM(ok(f, wasi_output_stream_blocking_write_and_flush, &write));
    CLAIM(ok(f, wasi_output_stream_check_write, &write.self));
}

static void row_descriptor_append_via_stream(struct fixture *f)
{
    struct descriptor *file = file_of(f);
    struct descriptor *fifo = fifo_of(f, DESCRIPTOR_WRITE);
    walls_up();
    struct write_args write = {handle_ok(f, wasi_descriptor_append_via_stream, &file),
                               {text, sizeof text}};
    CLAIM(ok(f, wasi_output_stream_blocking_write_and_flush, &write));
    write.self = handle_ok(f, wasi_descriptor_append_via_stream, &fifo);
    CLAIM(ok(f, wasi_output_stream_blocking_write_and_flush, &write));
    CLAIM(ok(f, wasi_output_stream_check_write, &write.self));
}

static void row_descriptor_advise(struct fixture *f)
{
    struct advise_args args = {file_of(f), 0, 4, 1};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_advise, &args));
}

/* Functions of a file alone. */
#define OF_FILE(id)                                                                                \
    static void row_##id(struct fixture *f)                                                        \
    {                                                                                              \
        struct descriptor *file = file_of(f);                                                      \
        walls_up();                                                                                \
        CLAIM(ok(f, wasi_##id, &file));                                                            \
    }

OF_FILE(descriptor_sync)
OF_FILE(descriptor_sync_data)
OF_FILE(descriptor_get_flags)
OF_FILE(descriptor_get_type)
OF_FILE(descriptor_stat)
OF_FILE(descriptor_metadata_hash)

static void row_descriptor_set_size(struct fixture *f)
{
    struct offset_args args = {file_of(f), 3};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_set_size, &args));
}

static void row_descriptor_set_times(struct fixture *f)
{
    struct times_args args = {file_of(f), {.tag = TIMESTAMP_NOW}, {TIMESTAMP_GIVEN, {5, 6}}};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_set_times, &args));
    args.self = f->root;
    CLAIM(ok(f, wasi_descriptor_set_times, &args));
}

static void row_descriptor_read(struct fixture *f)
{
    struct range_args args = {file_of(f), 4, 2};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_read, &args));
}

static void row_descriptor_write(struct fixture *f)
{
    struct file_write_args args = {file_of(f), {text, sizeof text}, 2};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_write, &args));
}

static void row_descriptor_is_same_object(struct fixture *f)
{
    struct descriptor *both[2] = {file_of(f), f->root};
    walls_up();
    CLAIM(call(f, wasi_descriptor_is_same_object, both) == HOST_DONE && !result_bytes[0]);
}

/* Reads it to its end: the first entry of which the file system did not tell the type asks. */
static void read_all(struct fixture *f, struct directory *directory)
{
    bool more = true;
    while (more) {
        CLAIM(ok(f, wasi_directory_entry_stream_read_directory_entry, &directory));
        more = result_bytes[8];
        /* As on a file system that keeps no types. */
        if (directory->at < directory->len)
            directory->ahead[directory->at + 18] = DT_UNKNOWN;
    }
    CLAIM(sys_stat(directory->fd, "", &(struct stat){0}) == 0);
}

static void row_descriptor_read_directory(struct fixture *f)
{
    walls_up();
    struct directory *directory = handle_ok(f, wasi_descriptor_read_directory, &f->root);
    read_all(f, directory);
    wasi_drop_directory_entry_stream(f->vm, f->wasi, directory);
}

static void row_directory_entry_stream_read_directory_entry(struct fixture *f)
{
    struct directory *directory = handle_ok(f, wasi_descriptor_read_directory, &f->root);
    walls_up();
    read_all(f, directory);
}

static void row_drop_directory_entry_stream(struct fixture *f)
{
    struct directory *directory = handle_ok(f, wasi_descriptor_read_directory, &f->root);
    walls_up();
    wasi_drop_directory_entry_stream(f->vm, f->wasi, directory);
}

static void row_drop_descriptor(struct fixture *f)
{
    struct descriptor *file = file_of(f);
    walls_up();
    wasi_drop_descriptor(f->vm, f->wasi, file);
}

static void row_filesystem_error_code(struct fixture *f)
{
    struct io_error error = {.error = ENOENT, .filesystem = true};
    struct io_error *self = &error;
    walls_up();
    CLAIM(call(f, wasi_filesystem_error_code, &self) == HOST_DONE);
}

/* --- wasi:filesystem, by path -------------------------------------------------------------------
 */

struct path_args {
    struct descriptor *self;
    struct str path;
};

struct flags_path_args {
    struct descriptor *self;
    uint8_t flags;
    struct str path;
};

struct times_at_args {
    struct descriptor *self;
    uint8_t flags;
    struct str path;
    struct new_timestamp access;
    struct new_timestamp modification;
};

struct link_args {
    struct descriptor *self;
    uint8_t flags;
    struct str from;
    struct descriptor *to_base;
    struct str to;
};

struct two_paths_args {
    struct descriptor *self;
    struct str from;
    struct descriptor *to_base;
    struct str to;
};

struct symlink_args {
    struct descriptor *self;
    struct str target;
    struct str path;
};

/* A function of a path, for two paths: one through a directory, one through a link. */
static void by_path(struct fixture *f, host_fn *fn, const char *through, const char *link)
{
    struct path_args args = {f->root, str_of(through)};
    walls_up();
    CLAIM(ok(f, fn, &args));
    args.path = str_of(link);
    CLAIM(ok(f, fn, &args));
}

static void row_descriptor_create_directory_at(struct fixture *f)
{
    by_path(f, wasi_descriptor_create_directory_at, "d/n", "l/m");
}

static void row_descriptor_remove_directory_at(struct fixture *f)
{
    fixture_mkdir(f, "in/d/g");
    by_path(f, wasi_descriptor_remove_directory_at, "d/g", "l/e");
}

static void row_descriptor_unlink_file_at(struct fixture *f)
{
    fixture_write_file(f, "in/d/y", "");
    by_path(f, wasi_descriptor_unlink_file_at, "d/x", "l/y");
    struct path_args args = {f->root, str_of("d/")};
    CLAIM(call(f, wasi_descriptor_unlink_file_at, &args) == HOST_DONE &&
          result_bytes[1] == FS_IS_DIRECTORY);
}

static void row_descriptor_readlink_at(struct fixture *f)
{
    fixture_symlink(f, "x", "in/d/k");
    by_path(f, wasi_descriptor_readlink_at, "d/k", "l/k");
    struct path_args args = {f->root, str_of("d/e/")};
    CLAIM(call(f, wasi_descriptor_readlink_at, &args) == HOST_DONE && result_bytes[0] == HOST_ERR);
}

static void by_flags_and_path(struct fixture *f, host_fn *fn)
{
    struct flags_path_args args = {f->root, 1, str_of("d/x")};
    walls_up();
    CLAIM(ok(f, fn, &args));
    args.path = str_of("link");
    CLAIM(ok(f, fn, &args));
}

static void row_descriptor_stat_at(struct fixture *f)
{
    by_flags_and_path(f, wasi_descriptor_stat_at);
}

static void row_descriptor_metadata_hash_at(struct fixture *f)
{
    by_flags_and_path(f, wasi_descriptor_metadata_hash_at);
}

static void row_descriptor_set_times_at(struct fixture *f)
{
    struct times_at_args args = {f->root, 1, str_of("d/x"), {.tag = TIMESTAMP_NOW}, {.tag = 0}};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_set_times_at, &args));
    args.path = str_of("link");
    CLAIM(ok(f, wasi_descriptor_set_times_at, &args));
}

static void row_descriptor_link_at(struct fixture *f)
{
    struct link_args args = {f->root, 1, str_of("d/x"), f->root, str_of("n")};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_link_at, &args));
    args.from = str_of("link");
    args.to = str_of("d/m");
    CLAIM(ok(f, wasi_descriptor_link_at, &args));
}

static void row_descriptor_rename_at(struct fixture *f)
{
    struct two_paths_args args = {f->root, str_of("d/x"), f->root, str_of("l/y")};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_rename_at, &args));
}

static void row_descriptor_symlink_at(struct fixture *f)
{
    struct symlink_args args = {f->root, str_of("x"), str_of("l/new")};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_symlink_at, &args));
    args.path = str_of("other/");
    CLAIM(call(f, wasi_descriptor_symlink_at, &args) == HOST_DONE &&
          result_bytes[1] == FS_NO_ENTRY);
}

static void row_descriptor_open_at(struct fixture *f)
{
    struct open_at args = {f->root, 1, str_of("d/x"), 0, DESCRIPTOR_READ};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_open_at, &args));
    args.path = str_of("link");
    CLAIM(ok(f, wasi_descriptor_open_at, &args));
    args = (struct open_at){f->root, 0, str_of("new"), CREATE, DESCRIPTOR_WRITE};
    CLAIM(ok(f, wasi_descriptor_open_at, &args));
}

/* --- All of them --------------------------------------------------------------------------------
 */

#define SCENARIO_PROVIDED(id) {ROW_##id, row_##id},
#define SCENARIO_LATER(id)
static const struct scenario scenarios[] = {
#define FN(interface, id, name, type, since, gate, cap, rule_set, state) SCENARIO_##state(id)
#define INTERFACE(...)
#define USE(...)
#define TYPE(...)
#define RESOURCE(...)
#define EXPORT(...)
#include "policies/wasi_cli.def"
#include "policies/wasi_clocks.def"
#include "policies/wasi_config.def"
#include "policies/wasi_filesystem.def"
#include "policies/wasi_io.def"
#include "policies/wasi_random.def"
    {ROW_drop_descriptor, row_drop_descriptor},
    {ROW_drop_directory_entry_stream, row_drop_directory_entry_stream},
};

/* Opening for reading takes none of the rules that a read-only grant leaves out. */
static void reading_only(struct fixture *f)
{
    struct open_at args = {f->root, 1, str_of("d/x"), 0, DESCRIPTOR_READ};
    walls_up();
    CLAIM(ok(f, wasi_descriptor_open_at, &args));
    args.path = str_of("link");
    CLAIM(ok(f, wasi_descriptor_open_at, &args));
}

static void rules_of_a_read_only_grant(void **state)
{
    const struct scenario scenario = {ROW_descriptor_open_at, reading_only};
    (void)state;
    assert_int_equal(run(&scenario, row_infos[scenario.row].rules & ~R(OPEN_WRITE)), 0);
}

/* No rule is there that no row names; but one is for the cell that speaks TLS, which has no rows,
 * and some for a server that makes processes. */
static void rules_belong_to_rows(void **state)
{
    (void)state;
    rule_set used = R(RANDOM) | RULES_COPIES;
    for (int i = 0; i < ROW_COUNT; i++)
        used |= row_infos[i].rules;
    for (int rule = 0; rule < RULE_COUNT; rule++)
        assert_true(used >> rule & 1);
}

RULES_MAIN(scenarios, cmocka_unit_test(rules_of_a_read_only_grant),
           cmocka_unit_test(rules_belong_to_rows))
