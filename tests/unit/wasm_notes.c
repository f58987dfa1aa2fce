/* Notes of what code leads to: made while it is validated, and the same by going over it only; for
 * code of every shape, and for the modules of the conformance suite, if they are there. */
#include "tests/unit/wasm_fixture.h"

#include "engine/wasm/notes.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUITE "../shared/conformance/core"

static const struct module *read_with(struct store *store, enum module_care care,
                                      struct bytes bytes)
{
    store->err = (struct err){0};
    return module_read_with(care, bytes, bytes.at, store->types, &store->image, &store->scratch,
                            &store->err);
}

static size_t words_of(const uint32_t *notes)
{
    size_t count = 0;
    while (notes[count] != NOTE_OF(NOTE_END)) {
        enum note_kind kind = NOTE_KIND(notes[count++]);
        if (kind == NOTE_CALL_INDIRECT)
            count += 1 + notes[count] % 2;
    }
    return count;
}

/* False if the bytes are no valid module. */
static bool same_notes(const char *name, struct bytes bytes)
{
    struct store store;
    open_store(&store);
    const struct module *validated = read_with(&store, CARE_NOTE, bytes);
    if (validated) {
        const struct module *scanned = read_with(&store, CARE_SCAN, bytes);
        if (!scanned)
            fail_msg("%s: %s", name, store.err.text);
        for (uint32_t i = 0; i < validated->nfuncs - validated->imported_funcs; i++) {
            const uint32_t *good = validated->notes->starts[i];
            size_t words = words_of(good) + 1;
            const uint32_t *same = notes_of(scanned, scanned->imported_funcs + i);
            if (!same || memcmp(good, same, words * sizeof *good) != 0)
                fail_msg("%s: function %u", name, validated->imported_funcs + i);
        }
    }
    close_store(&store);
    return validated;
}

/* --- Shapes -------------------------------------------------------------------------------------
 */

/* A body of the fixture's module, with what surrounds it: numbers of every length where the window
 * of what is passed over ends, and before and after something that is noted. */
static void every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t bytes[24];
        size_t len;
    } rows[] = {
#define ROW(name, ...) {name, {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})}
        ROW("i32.const, short", 0x41, 0x07, 0x1a),
        ROW("i32.const, long", 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x1a),
        ROW("i64.const, as long as can be", 0x42, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0x00, 0x1a),
        ROW("i64.const, 7 bytes", 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x1a),
        ROW("i64.const, 8 bytes", 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x1a),
        ROW("f32.const", 0x43, 0x10, 0x11, 0x12, 0x13, 0x1a),
        ROW("f64.const", 0x44, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1a),
        ROW("i32.load", 0x41, 0, 0x28, 0x02, 0x10, 0x1a),
        ROW("i32.load, long offset", 0x41, 0, 0x28, 0x02, 0x90, 0x91, 0x91, 0x91, 0x01, 0x1a),
        ROW("i32.load, memory 1", 0x41, 0, 0x28, 0x42, 0x01, 0x10, 0x1a),
        ROW("block", 0x02, 0x40, 0x0b),
        ROW("block with a result", 0x02, 0x7f, 0x41, 0x10, 0x0b, 0x1a),
        ROW("block with a reference", 0x02, 0x63, 0x70, 0xd0, 0x70, 0x0b, 0x1a),
        ROW("block with a type index", 0x41, 0, 0x02, 0x01, 0x1a, 0x0b),
        ROW("br_table", 0x02, 0x40, 0x41, 0, 0x0e, 0x02, 0, 0, 0, 0x0b),
        ROW("memory.size", 0x3f, 0x01, 0x1a),
        ROW("call", 0x10, 0x00),
        ROW("call_indirect", 0x41, 0x00, 0x11, 0x00, 0x00),
        ROW("call_indirect, long constant", 0x41, 0x90, 0x80, 0x80, 0x80, 0x00, 0x11, 0x00, 0x01),
        ROW("call_indirect, what is no constant", 0x41, 0x00, 0x45, 0x11, 0x00, 0x00),
        ROW("table.get", 0x41, 0x00, 0x25, 0x01, 0x1a),
        ROW("table.set", 0x41, 0x00, 0xd0, 0x70, 0x26, 0x00),
        ROW("ref.null, ref.is_null", 0xd0, 0x70, 0xd1, 0x1a),
        ROW("memory.copy", 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0a, 0x00, 0x01),
        ROW("table.copy", 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0e, 0x00, 0x01),
        ROW("v128.const", 0xfd, 0x0c, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,
            0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1a),
#undef ROW
    };
    for (size_t i = 0; i < countof(rows); i++) {
        for (unsigned pad = 0; pad < 24; pad++) {
            struct build b;
            size_t part[2];
            begin_function(&b, part);
            put(&b, 0);
            put_bytes(&b, rows[i].bytes, rows[i].len);
            PUT(&b, 0x10, 0x00); /* a call */
            for (unsigned n = 0; n < pad; n++)
                put(&b, 0x01);
            put_bytes(&b, rows[i].bytes, rows[i].len);
            end_function(&b, part);
            if (!same_notes(rows[i].name, (struct bytes){b.at, b.len}))
                fail_msg("%s: not valid", rows[i].name);
            free(b.at);
        }
    }
}

/* What would be noted of code that is not valid is there. */
static void bad_indices(void **state)
{
    (void)state;
    static const uint8_t rows[][6] = {
        {0x10, 0x7f},
        {0x11, 0x00, 0x7f},
        {0x11, 0x7f, 0x00},
        {0x25, 0x7f},
        {0x26, 0x7f},
        {0xd2, 0x7f},
        {0x14, 0x7f},
        {0xfc, 0x0c, 0x7f, 0x00},
        {0xfc, 0x0c, 0x00, 0x7f},
        {0xfc, 0x0e, 0x7f, 0x00},
        {0xfc, 0x0e, 0x00, 0x7f},
        {0xfc, 0x0f, 0x7f},
        {0xfb, 0x0a, 0x03, 0x7f},
        {0xff},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct store store;
        struct build b;
        size_t part[2];
        open_store(&store);
        begin_function(&b, part);
        put(&b, 0);
        put_bytes(&b, rows[i], sizeof rows[i]);
        end_function(&b, part);
        const struct module *module = read_with(&store, CARE_SCAN, (struct bytes){b.at, b.len});
        if (!module || notes_of(module, module->imported_funcs))
            fail_msg("row %zu was accepted", i);
        free(b.at);
        close_store(&store);
    }
}

/* --- The suite ----------------------------------------------------------------------------------
 */

static unsigned compared;

static int compare(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    const char *dot = strrchr(path, '.');
    (void)ftw;
    if (type != FTW_F || !dot || strcmp(dot, ".wasm") != 0 || stat->st_size == 0)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    void *at = mmap(NULL, (size_t)stat->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    close(fd);
    compared += same_notes(path, (struct bytes){at, (size_t)stat->st_size});
    munmap(at, (size_t)stat->st_size);
    return 0;
}

static void modules_of_the_suite(void **state)
{
    (void)state;
    if (access(SUITE, R_OK))
        skip();
    assert_int_equal(nftw(SUITE, compare, 16, FTW_PHYS), 0);
    assert_true(compared > 0);
    print_message("%u modules\n", compared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(bad_indices),
        cmocka_unit_test(modules_of_the_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
