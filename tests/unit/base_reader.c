/* The binary reader: LEB128 at every edge, sticking failures, counts, parts. */
#include "tests/unit/unit.h"

#include "engine/base/reader.h"
#include <stdlib.h>

/* A reader over a copy of exactly these bytes, so that a sanitizer sees a step over the end. */
struct fixture {
    uint8_t *copy;
    struct err err;
    struct reader r;
};

static void open_bytes(struct fixture *f, const void *bytes, size_t len)
{
    f->copy = malloc(len ? len : 1);
    assert_non_null(f->copy);
    if (len)
        memcpy(f->copy, bytes, len);
    f->err = (struct err){0};
    f->r = reader_of((struct bytes){f->copy, len}, f->copy, &f->err);
}

static void close_bytes(struct fixture *f)
{
    free(f->copy);
}

#define OPEN(f, ...)                                                                               \
    open_bytes(&f, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* --- LEB128 -------------------------------------------------------------------------------------
 */

enum width { U32, S32, S33, U64, S64 };

static uint64_t read_width(struct reader *r, enum width width)
{
    switch (width) {
    case U32: return reader_u32(r);
    case S32: return (uint64_t)(int64_t)reader_s32(r);
    case S33: return (uint64_t)reader_s33(r);
    case U64: return reader_u64(r);
    case S64: return (uint64_t)reader_s64(r);
    }
    return 0;
}

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct {
    enum width width;
    uint8_t bytes[12];
    size_t len;
    uint64_t value;
} good[] = {
    {U32, BYTES(0x00), 0},
    {U32, BYTES(0x7f), 127},
    {U32, BYTES(0x80, 0x01), 128},
    {U32, BYTES(0x80, 0x00), 0},
    {U32, BYTES(0x80, 0x80, 0x80, 0x80, 0x00), 0},
    {U32, BYTES(0xff, 0xff, 0xff, 0xff, 0x0f), UINT32_MAX},
    {S32, BYTES(0x3f), 63},
    {S32, BYTES(0x40), (uint64_t)-64},
    {S32, BYTES(0x7f), (uint64_t)-1},
    {S32, BYTES(0xff, 0x7f), (uint64_t)-1},
    {S32, BYTES(0xff, 0x00), 127},
    {S32, BYTES(0xff, 0xff, 0xff, 0xff, 0x7f), (uint64_t)-1},
    {S32, BYTES(0x80, 0x80, 0x80, 0x80, 0x78), (uint64_t)INT32_MIN},
    {S32, BYTES(0xff, 0xff, 0xff, 0xff, 0x07), INT32_MAX},
    {S33, BYTES(0xff, 0xff, 0xff, 0xff, 0x0f), UINT32_MAX},
    {S33, BYTES(0x80, 0x80, 0x80, 0x80, 0x70), (uint64_t)(-INT64_C(4294967296))},
    {U64, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), UINT64_MAX},
    {U64, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00), 0},
    {S64, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f), (uint64_t)INT64_MIN},
    {S64, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00), INT64_MAX},
    {S64, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), UINT64_MAX},
};

static void test_leb_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(good); i++) {
        struct fixture f;
        open_bytes(&f, good[i].bytes, good[i].len);
        assert_int_equal(read_width(&f.r, good[i].width), good[i].value);
        assert_true(reader_ok(&f.r));
        assert_true(reader_at_end(&f.r));
        close_bytes(&f);
    }
}

static const struct {
    enum width width;
    uint8_t bytes[12];
    size_t len;
    const char *text;
} bad[] = {
    {U32, BYTES(0x80), "unexpected end"},
    {U32, BYTES(0xff, 0xff, 0xff, 0xff), "unexpected end"},
    {U32, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x00), "too long"},
    {U32, BYTES(0xff, 0xff, 0xff, 0xff, 0x1f), "too large"},
    {U32, BYTES(0x80, 0x80, 0x80, 0x80, 0x70), "too large"},
    {S32, BYTES(0x80, 0x80, 0x80, 0x80, 0x08), "too large"},
    {S32, BYTES(0xff, 0xff, 0xff, 0xff, 0x4f), "too large"},
    {S32, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x00), "too long"},
    {S33, BYTES(0x80, 0x80, 0x80, 0x80, 0x10), "too large"},
    {S33, BYTES(0xff, 0xff, 0xff, 0xff, 0x6f), "too large"},
    {U64, BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), "too large"},
    {U64, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00), "too long"},
    {S64, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), "too large"},
    {S64, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e), "too large"},
};

static void test_leb_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        struct fixture f;
        open_bytes(&f, bad[i].bytes, bad[i].len);
        assert_int_equal(read_width(&f.r, bad[i].width), 0);
        assert_false(reader_ok(&f.r));
        assert_int_equal(f.err.kind, ERR_MALFORMED);
        assert_non_null(strstr(f.err.text, bad[i].text));
        close_bytes(&f);
    }
}

/* Writes the shortest form, by the definition of the format. */
static size_t write_signed(uint8_t *to, int64_t value)
{
    size_t len = 0;
    for (;;) {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        if ((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40))) {
            to[len++] = byte;
            return len;
        }
        to[len++] = byte | 0x80;
    }
}

static void test_leb_round_trip(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int delta = -1; delta <= 1; delta++) {
            int64_t value = (int64_t)((UINT64_C(1) << bit) + (uint64_t)(int64_t)delta);
            struct fixture f;
            uint8_t bytes[12];
            open_bytes(&f, bytes, write_signed(bytes, value));
            assert_int_equal(reader_s64(&f.r), value);
            assert_true(reader_ok(&f.r));
            close_bytes(&f);
            if (value < INT32_MIN || value > INT32_MAX)
                continue;
            open_bytes(&f, bytes, write_signed(bytes, value));
            assert_int_equal(reader_s32(&f.r), value);
            assert_true(reader_ok(&f.r));
            close_bytes(&f);
        }
    }
}

/* --- The reader ---------------------------------------------------------------------------------
 */

static void test_failure_sticks(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(f, 0x01, 0x02, 0x03, 0x04);
    assert_int_equal(reader_u8(&f.r), 1);
    assert_int_equal(reader_fail(&f.r, ERR_INVALID, "wrong: %d", 7), -1);
    assert_int_equal(reader_u8(&f.r), 0);
    assert_int_equal(reader_u32(&f.r), 0);
    assert_int_equal(reader_fixed64(&f.r), 0);
    assert_int_equal(reader_vec(&f.r, "thing").len, 0);
    assert_int_equal(reader_count(&f.r, 10, "things"), 0);
    assert_int_equal(f.err.kind, ERR_INVALID);
    assert_int_equal(f.err.offset, 1);
    assert_string_equal(f.err.text, "wrong: 7");
    close_bytes(&f);
}

static void test_fixed_width(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(f, 0x78, 0x56, 0x34, 0x12, 1, 2, 3, 4, 5, 6, 7, 0x88, 0xaa, 0xbb, 0xcc);
    assert_int_equal(reader_fixed32(&f.r), 0x12345678);
    assert_int_equal(reader_fixed64(&f.r), UINT64_C(0x8807060504030201));
    assert_int_equal(reader_fixed32(&f.r), 0);
    assert_int_equal(f.err.kind, ERR_MALFORMED);
    close_bytes(&f);
}

static void test_counts(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(f, 2, 0, 0);
    assert_int_equal(reader_count(&f.r, 2, "things"), 2);
    close_bytes(&f);
    OPEN(f, 3, 0, 0); /* more than there are bytes */
    assert_int_equal(reader_count(&f.r, 2, "things"), 0);
    assert_int_equal(f.err.kind, ERR_MALFORMED);
    close_bytes(&f);
    OPEN(f, 3, 0, 0, 0);
    assert_int_equal(reader_count(&f.r, 2, "things"), 0);
    assert_int_equal(f.err.kind, ERR_LIMIT);
    assert_int_equal(f.err.offset, 0);
    close_bytes(&f);
}

static void test_names(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(f, 3, 'a', 0, 'b', 2, 0xc3, 0x28);
    struct str name = reader_name(&f.r, "name");
    assert_int_equal(name.len, 3);
    assert_memory_equal(name.at, "a\0b", 3);
    assert_int_equal(reader_name(&f.r, "name").len, 0);
    assert_int_equal(f.err.kind, ERR_MALFORMED);
    assert_int_equal(f.err.offset, 5);
    close_bytes(&f);
}

static void test_parts(void **state)
{
    (void)state;
    struct fixture f;
    OPEN(f, 2, 0xaa, 0xbb, 0xcc);
    struct reader part = reader_part(&f.r, "part");
    assert_int_equal(reader_u8(&part), 0xaa);
    assert_int_equal(reader_offset(&part), 2);
    struct reader short_of = part;
    assert_int_equal(reader_close(&short_of, &f.r, "part"), -1); /* a byte was left */
    assert_false(reader_ok(&f.r));
    assert_non_null(strstr(f.err.text, "section size mismatch"));
    close_bytes(&f);

    OPEN(f, 2, 0xaa, 0xbb, 0xcc);
    part = reader_part(&f.r, "part");
    reader_u8(&part);
    reader_u8(&part);
    assert_int_equal(reader_close(&part, &f.r, "part"), 0);
    assert_int_equal(reader_u8(&f.r), 0xcc);
    close_bytes(&f);

    OPEN(f, 9, 0xaa);
    part = reader_part(&f.r, "part");
    assert_false(reader_ok(&part));
    assert_int_equal(reader_close(&part, &f.r, "part"), -1);
    close_bytes(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leb_values),     cmocka_unit_test(test_leb_malformed),
        cmocka_unit_test(test_leb_round_trip), cmocka_unit_test(test_failure_sticks),
        cmocka_unit_test(test_fixed_width),    cmocka_unit_test(test_counts),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
